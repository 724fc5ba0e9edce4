package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/runner"
	"ablate/specs"
)

type planCommand struct {
	Study string `arg:"" help:"A YAML file, or the name of a shipped study."`
	Steps bool   `help:"List every step."`
	JSON  bool   `help:"Print the whole plan as JSON."`
}

func (cmd planCommand) Run(a *app) (err error) {
	return a.withPlan(cmd.Study, func(p *compiled, c *cache.Cache) error {
		account := p.state.Account(p.study.Cost.HoursPerBillionTokens)
		if cmd.JSON {
			enc := json.NewEncoder(a.stdout)
			enc.SetIndent("", "  ")
			return enc.Encode(account)
		}
		if cmd.Steps {
			printSteps(a.stdout, p)
		}
		if err := printCatalogue(a.stdout, p, c); err != nil {
			return err
		}
		return printAccount(a.stdout, p, account)
	})
}

// withPlan opens the cache, compiles a study and calls f.
func (a *app) withPlan(study string, f func(*compiled, *cache.Cache) error) (err error) {
	c, err := a.join(a.readCache())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	p, err := a.compile(study, c)
	if err != nil {
		return err
	}
	if p.plan.Partial != "" {
		if err := p.assume(c); err != nil {
			return err
		}
	}
	return f(p, c)
}

func printSteps(w io.Writer, p *compiled) {
	s := p.state
	for i, step := range s.Plan.Steps {
		line := fmt.Sprintf("%-5s %s %s", s.Status[i], keyOrDash(s, i), step.ID)
		if step.Cost.Tokens > 0 {
			line += "  " + runner.Count(step.Cost.Tokens, "tokens") + inPrecision(p.study, step.ID == "seed")
		}
		if step.Cost.Bytes > 0 {
			line += "  " + runner.Count(step.Cost.Bytes, "B")
		}
		if s.Status[i] == pipeline.Waits {
			on := s.WaitsOn(i)
			line += "  waits on " + s.Plan.Steps[on[0]].ID
			if len(on) > 1 {
				line += fmt.Sprintf(" and %d more", len(on)-1)
			}
		}
		fmt.Fprintln(w, line)
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

// printAccount prints the plan by kind of step, and what it costs.
func printAccount(w io.Writer, p *compiled, acc pipeline.Account) error {
	type row struct {
		hit, run, waits int
		tokens, left    int64
	}
	byKind := map[string]*row{}
	var kinds []string
	for _, s := range acc.Steps {
		r := byKind[s.Kind]
		if r == nil {
			r = &row{}
			byKind[s.Kind] = r
			kinds = append(kinds, s.Kind)
		}
		switch s.Status {
		case "hit":
			r.hit++
		case "run":
			r.run++
		default:
			r.waits++
		}
		r.tokens += s.Cost.Tokens
		if s.Status != "hit" {
			r.left += s.Cost.Tokens
		}
	}
	t := newTable(table.Row{"kind", "hit", "run", "waits", "tokens to train", "still to train"}, 1)
	var all row
	for _, k := range kinds {
		r := byKind[k]
		t.AppendRow(table.Row{k, r.hit, r.run, r.waits, tokensCell(r.tokens), tokensCell(r.left)})
		all.hit, all.run, all.waits = all.hit+r.hit, all.run+r.run, all.waits+r.waits
		all.tokens, all.left = all.tokens+r.tokens, all.left+r.left
	}
	t.AppendSeparator()
	t.AppendRow(table.Row{"all", all.hit, all.run, all.waits, tokensCell(all.tokens), tokensCell(all.left)})
	fmt.Fprintf(w, "study %s\n\n%s\n\n", acc.Study, t.Render())
	if acc.Partial != "" {
		fmt.Fprintf(w, "The plan goes as far as the split: %s.\n`ablate run` splits it and goes on; declare partitions.*.units to plan without data.\n", acc.Partial)
		return nil
	}
	if acc.Assumed != "" {
		fmt.Fprintf(w, "The corpus must be split again. This plan assumes that %s.\n\n", acc.Assumed)
	}
	sum := acc.Summary
	fmt.Fprintf(w, "%d of %s possible mixtures, %d base units\n", sum.MixturesSelected, sum.MixturesPossible, sum.BaseUnits)
	price := func(hours float64) string {
		if p.study.Cost.HoursPerBillionTokens == 0 {
			return ""
		}
		return fmt.Sprintf("  %.4g hours", hours)
	}
	trained := inPrecision(p.study, false)
	lines := []struct {
		what   string
		tokens string
		hours  float64
		in     string
	}{
		{"seed model", runner.Count(sum.Tokens.Seed, ""), sum.Hours.Seed, inPrecision(p.study, p.study.SeedModel != nil)},
		{"unit models: proxies for every mixture", runner.Count(sum.Tokens.Units, ""), sum.Hours.Units, trained},
		{"partition models, for the merged proxy", runner.Count(sum.Tokens.Partitions, ""), sum.Hours.Partitions, trained},
		{"reference models of the mixtures selected", runner.Count(sum.Tokens.ReferenceSelected, ""), sum.Hours.ReferenceSelected, trained},
		{"the naive way: a model for every mixture", bigCount(sum.Tokens.ReferenceAll.String()), sum.Hours.ReferenceAll, trained},
	}
	for _, l := range lines {
		if l.tokens == "0" {
			continue
		}
		fmt.Fprintf(w, "%8s tokens  %s%s%s\n", l.tokens, l.what, l.in, price(l.hours))
	}
	return nil
}

func tokensCell(n int64) string {
	if n == 0 {
		return ""
	}
	return runner.Count(n, "")
}

// bigCount shortens a number of any size.
func bigCount(digits string) string {
	if len(digits) <= 18 {
		var n int64
		fmt.Sscan(digits, &n)
		return runner.Count(n, "")
	}
	return fmt.Sprintf("%s.%se%d", digits[:1], digits[1:3], len(digits)-1)
}

// newTable is the one look of our tables: the first left columns are words, the others numbers.
func newTable(header table.Row, left int) table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options.DrawBorder = false
	t.Style().Options.SeparateColumns = false
	t.Style().Format.Header = text.FormatDefault
	t.AppendHeader(header)
	t.SetColumnConfigs(columns(len(header), left))
	return t
}

// columns aligns n columns, the first left of them as words.
func columns(n, left int) (configs []table.ColumnConfig) {
	for i := range n {
		align := text.AlignRight
		if i < left {
			align = text.AlignLeft
		}
		configs = append(configs, table.ColumnConfig{Number: i + 1, Align: align, AlignHeader: align})
	}
	return configs
}

type graphCommand struct {
	Study  string `arg:"" help:"A YAML file, or the name of a shipped study."`
	Format string `enum:"dot,mermaid" default:"dot" help:"dot or mermaid."`
	Steps  bool   `help:"Every step as a node of its own; otherwise steps of one kind and group are one node."`
	Why    bool   `help:"Say in each node what would run, and the first ingredient because of which: old value, new value, line of the study."`
}

func (cmd graphCommand) Run(a *app) error {
	return a.withPlan(cmd.Study, func(p *compiled, c *cache.Cache) error {
		nodes, edges := p.plan.Collapse(cmd.Steps)
		if cmd.Why {
			nodes, edges = p.state.CollapseWhy(cmd.Steps, p.because(c))
		}
		if cmd.Format == "dot" {
			fmt.Fprintf(a.stdout, "digraph %q {\n  rankdir=LR\n  node [shape=box]\n", p.plan.Study)
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
