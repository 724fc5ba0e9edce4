package main

import (
	"fmt"
	"io"
	"strings"

	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/pipeline"
	"ablate/specs"
	"ablate/specs/words"
	"ablate/stages/kind"
)

type planCommand struct {
	Studies []string `arg:"" name:"study" help:"YAML files, or names of shipped studies. Of several, what they share is counted once."`
	Steps   bool     `help:"List every step."`
	JSON    bool     `help:"Print the whole plan as JSON."`
}

func (cmd planCommand) Run(a *app) error {
	return a.WithPlans(a.ctx, cmd.Studies, study.Planning{Absent: true, Assume: true}, func(plans []*study.Compiled) error {
		if len(plans) > 1 {
			return cmd.together(a, plans)
		}
		return cmd.one(a, plans[0])
	})
}

// one prints the plan of one study.
func (cmd planCommand) one(a *app, p *study.Compiled) error {
	tellNotes(a.stderr, p)
	if cmd.JSON {
		return show.JSON(a.stdout, p.State.Account())
	}
	if cmd.Steps {
		printSteps(a.stdout, p)
	}
	if err := printCatalogue(a.stdout, p); err != nil {
		return err
	}
	printAccount(a.stdout, p)
	return nil
}

func printSteps(w io.Writer, p *study.Compiled) {
	s := p.State
	for i, step := range s.Plan.Steps {
		line := fmt.Sprintf("%-5s %s %s", s.Status[i], keyOrDash(s, i), step.ID)
		if step.Cost.Tokens > 0 {
			line += "  " + words.Count(step.Cost.Tokens, "tokens") + inPrecision(p.Study, step.About.Role == kind.RoleSeed)
		}
		if step.Cost.Bytes > 0 {
			line += "  " + words.Bytes(step.Cost.Bytes)
		}
		if s.Status[i] == pipeline.Waits {
			on := s.WaitsOn(i)
			switch {
			case len(on) == 0:
				line += "  waits for data that is not there"
			default:
				line += "  waits on " + s.Plan.Steps[on[0]].ID
			}
			if len(on) > 1 {
				line += fmt.Sprintf(" and %d more", len(on)-1)
			}
		}
		show.Printf(w, "%s\n", line)
	}
	fmt.Fprintln(w)
}

// inPrecision says in what a model is trained, where that is not fp32.
func inPrecision(s *specs.Study, seed bool) string {
	word := s.Train.Precision
	if seed {
		word = s.SeedModel.Precision
	}
	if word == "fp32" {
		return ""
	}
	return " in " + word
}

func keyOrDash(s *pipeline.State, i int) string {
	if s.Status[i] == pipeline.Waits {
		return "--------"
	}
	return s.Keys[i].Short()
}

type graphCommand struct {
	Study  string `arg:"" help:"A YAML file, or the name of a shipped study."`
	Format string `enum:"dot,mermaid" default:"dot" help:"dot or mermaid."`
	Steps  bool   `help:"Every step as a node of its own; otherwise steps of one kind and group are one node."`
	Why    bool   `help:"Say in each node what would run, and the first ingredient because of which: old value, new value, line of the study."`
}

func (cmd graphCommand) Run(a *app) error {
	return a.WithPlan(a.ctx, cmd.Study, study.Planning{Absent: true, Assume: true}, func(p *study.Compiled) error {
		nodes, edges := p.Plan.Collapse(cmd.Steps)
		if cmd.Why {
			nodes, edges = p.State.CollapseWhy(cmd.Steps, because(p))
		}
		if cmd.Format == "dot" {
			fmt.Fprintf(a.stdout, "digraph %q {\n  rankdir=LR\n  node [shape=box]\n", p.Plan.Study)
			for i, n := range nodes {
				fmt.Fprintf(a.stdout, "  n%d [label=%q]\n", i, n)
			}
			for _, e := range edges {
				fmt.Fprintf(a.stdout, "  n%d -> n%d\n", e[0], e[1])
			}
			fmt.Fprintln(a.stdout, "}")
			return nil
		}
		fmt.Fprintln(a.stdout, "flowchart LR")
		for i, n := range nodes {
			fmt.Fprintf(a.stdout, "  n%d[\"%s\"]\n", i, strings.NewReplacer(`"`, "#quot;", "\n", "<br/>").Replace(n))
		}
		for _, e := range edges {
			fmt.Fprintf(a.stdout, "  n%d --> n%d\n", e[0], e[1])
		}
		return nil
	})
}
