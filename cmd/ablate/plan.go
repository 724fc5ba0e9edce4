package main

import (
	"context"

	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/corpora"
	"ablate/cmd/internal/study/planning"
	"ablate/cmd/internal/study/timing"
)

type planCommand struct {
	Studies []string `arg:"" name:"study" help:"YAML files, or names of shipped studies. With several studies, shared steps are counted once."`
	Steps   bool     `help:"List every step."`
	JSON    bool     `help:"Print the whole plan as JSON."`
}

// looking is how a study is planned that is looked at: as far as it goes without data and without
// running anything.
var looking = study.Planning{Absent: true, Assume: true}

func (cmd planCommand) Run(a *app) error {
	return a.WithPlans(a.ctx, cmd.Studies, looking, func(plans []*study.Compiled) error {
		if len(plans) > 1 {
			return cmd.together(a, plans)
		}
		return cmd.one(a, plans[0])
	})
}

// one prints the plan of one study.
func (cmd planCommand) one(a *app, p *study.Compiled) error {
	show.Notes(a.stderr, p.Notes())
	forecast, unknown := timing.Of(a.ctx, a.Session, p, 0, timing.ProbeTime)
	if a.ctx.Err() != nil {
		return context.Cause(a.ctx)
	}
	if cmd.JSON {
		return show.PlanJSON(a.stdout, p, forecast, unknown)
	}
	if cmd.Steps {
		show.Steps(a.stdout, p)
	}
	list, err := corpora.Catalogue(p)
	if err != nil {
		return err
	}
	show.Catalogue(a.stdout, list)
	show.Plan(a.stdout, p)
	if unknown != nil {
		show.Printf(a.stdout, "How long the run takes is not known: %v\n", unknown)
		return nil
	}
	show.Timing(a.stdout, forecast.Estimate)
	return nil
}

// together prints the plans of several studies, and what they share.
func (cmd planCommand) together(a *app, plans []*study.Compiled) error {
	t, err := planning.TogetherOf(plans)
	if err != nil {
		return err
	}
	if cmd.JSON {
		return show.TogetherJSON(a.stdout, t)
	}
	if cmd.Steps {
		for _, p := range plans {
			show.Printf(a.stdout, "study %s\n", p.Study.Name)
			show.Steps(a.stdout, p)
		}
	}
	show.Together(a.stdout, t)
	return nil
}

type graphCommand struct {
	Study  string `arg:"" help:"A YAML file, or the name of a shipped study."`
	Format string `enum:"dot,mermaid" default:"dot" help:"dot or mermaid."`
	Steps  bool   `help:"Draw every step and every edge. Without this flag, steps of one kind and group are one node, and edges that a longer path implies are left out."`
	Why    bool   `help:"Show in each node which steps would run and the first key input that differs: old value, new value, and the line of the study that sets it."`
}

func (cmd graphCommand) Run(a *app) error {
	return a.WithPlan(a.ctx, cmd.Study, looking, func(p *study.Compiled) error {
		draw := planning.Drawing{Steps: cmd.Steps}
		if cmd.Why {
			draw.Why = show.Because
		}
		g, err := planning.Graph(p, draw)
		if err != nil {
			return err
		}
		return show.Graph(a.stdout, cmd.Format, g, p.Plan.Study)
	})
}

type explainCommand struct {
	Study string `arg:"" help:"A YAML file, or the name of a shipped study."`
	Step  string `arg:"" help:"Name of a step, as ablate plan --steps lists it. The end of the name is enough."`
	JSON  bool   `help:"Print the explanation as JSON."`
}

func (cmd explainCommand) Run(a *app) error {
	return a.WithPlan(a.ctx, cmd.Study, study.Planning{Assume: true}, func(p *study.Compiled) error {
		x, err := planning.Explain(p, cmd.Step)
		switch {
		case err != nil:
			return err
		case cmd.JSON:
			return show.JSON(a.stdout, x)
		}
		show.Explanation(a.stdout, x)
		return nil
	})
}

type efficiencyCommand struct {
	Study string `arg:"" help:"A YAML file, or the name of a shipped study."`
	JSON  bool   `help:"Print the result as JSON."`
}

func (cmd efficiencyCommand) Run(a *app) error {
	return a.WithPlan(a.ctx, cmd.Study, study.Planning{Local: true}, func(p *study.Compiled) error {
		e, err := planning.EfficiencyOf(p, cmd.Study)
		switch {
		case err != nil:
			return err
		case cmd.JSON:
			return show.JSON(a.stdout, e)
		}
		return show.Efficiency(a.stdout, e, cmd.Study)
	})
}

type diffCommand struct {
	A    string `arg:"" help:"A study (a YAML file, or the name of a shipped one), or a finished run: its output directory, or a bundle."`
	B    string `arg:"" help:"The study or run to compare with, in one of the same forms."`
	JSON bool   `help:"Print the differences as JSON."`
}

// Run compares two studies or two finished runs.
func (cmd diffCommand) Run(a *app) error {
	d, err := a.Diff(a.ctx, cmd.A, cmd.B)
	if err != nil {
		return err
	}
	if cmd.JSON {
		return show.JSON(a.stdout, d)
	}
	show.Difference(a.stdout, d)
	return nil
}
