package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"

	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/pipeline"
	"ablate/specs/words"
	"ablate/stages/kind"
)

type efficiencyCommand struct {
	Study string `arg:"" help:"A YAML file, or the name of a shipped study."`
	JSON  bool   `help:"Print the account as JSON."`
}

// Run accounts for a study as section 5.5 of the paper does, from what its steps took when they ran.
func (cmd efficiencyCommand) Run(a *app) error {
	return a.WithPlan(a.ctx, cmd.Study, study.Planning{Local: true}, func(p *study.Compiled) error { return cmd.print(a, p) })
}

func (cmd efficiencyCommand) print(a *app, p *study.Compiled) error {
	if p.Plan.Partial != "" {
		return fmt.Errorf("nothing to account for yet: %s; `ablate run %s` splits it", p.Plan.Partial, cmd.Study)
	}
	e, err := account(p)
	if err != nil {
		return err
	}
	if cmd.JSON {
		enc := json.NewEncoder(a.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(e)
	}
	return e.print(a.stdout, cmd.Study)
}

// sortJSON is one row of what was measured.
type sortJSON struct {
	What    string  `json:"what"`
	Steps   int     `json:"steps"`  // of the plan
	Done    int     `json:"done"`   // of them in the cache
	Tokens  int64   `json:"tokens"` // trained on by those done
	Seconds float64 `json:"seconds"`
}

// wayJSON is a way to score every mixture that is possible, and what it takes.
type wayJSON struct {
	Models  json.Number `json:"models"`
	Tokens  json.Number `json:"tokens"`
	Train   *float64    `json:"train_seconds"` // null: nothing of the sort was trained, so nothing was measured
	Eval    *float64    `json:"evaluate_seconds"`
	Seconds *float64    `json:"seconds"`
}

// nextJSON is what one more partition takes, either way.
type nextJSON struct {
	Set      string      `json:"partition_set"`
	Units    int         `json:"units"`
	Mixtures json.Number `json:"mixtures"`
	Modular  wayJSON     `json:"modular"`
	Naive    wayJSON     `json:"naive"`
}

// efficiency is what `ablate efficiency --json` prints. Seconds are those that steps took by the clock; steps that ran beside others shared
// the machine. The seed model, which both ways start from, is in neither.
type efficiency struct {
	Study     string      `json:"study"`
	Measured  []sortJSON  `json:"measured"`
	Possible  json.Number `json:"mixtures_possible"`
	Covered   json.Number `json:"mixtures_covered,omitempty"` // of them, those that need no training any more
	Modular   wayJSON     `json:"modular"`
	Naive     wayJSON     `json:"naive"`
	Saving    *float64    `json:"saving"`     // naive seconds to modular seconds
	BreakEven *float64    `json:"break_even"` // mixtures from which on the units cost less than models of the mixtures
	Mixture   struct {
		Evaluations float64  `json:"evaluations"`
		Proxy       *float64 `json:"proxy_seconds"` // one more mixture by an average of models
		Reference   *float64 `json:"reference_seconds"`
	} `json:"one_more_mixture"`
	Next []nextJSON `json:"next_partition"`
	Left struct {
		Units  int   `json:"units"` // not in the cache
		Tokens int64 `json:"tokens"`
	} `json:"still_to_train"`
}

func account(p *study.Compiled) (*efficiency, error) {
	m, err := p.State.Efficiency()
	if err != nil {
		return nil, err
	}
	found, err := p.Catalogue()
	if err != nil {
		return nil, err
	}
	next, err := pipeline.NextPartition(p.Study, p.Sources, found)
	if err != nil {
		return nil, err
	}
	e := &efficiency{Study: p.Study.Name, Measured: []sortJSON{}, Next: []nextJSON{}}
	for _, role := range []string{"seed", "unit", "partition", "small", "reference"} {
		if r := m.Models[role]; r != nil {
			e.Measured = append(e.Measured, sortJSON{role + " models", r.Steps, r.Done, r.Tokens, r.Seconds})
		}
	}
	e.Measured = append(e.Measured, sortJSON{"evaluations", m.Evaluations.Steps, m.Evaluations.Done, 0, m.Evaluations.Seconds})

	unit, reference := perToken(m.Models[kind.RoleUnit]), perToken(m.Models[kind.RoleReference])
	if reference == nil {
		reference = unit // as many tokens take as long, whatever they are
	}
	average := m.Averages
	if average.Done == 0 {
		average = m.Evaluations
	}
	evaluate := func(mixtures *big.Int) *float64 { // by one average, or one reference
		if average.Done == 0 {
			return nil
		}
		v := average.Each() * m.PerMixture * float(mixtures)
		return &v
	}
	possible, all := p.Plan.Summary.MixturesPossible, p.Plan.Summary.TokensReferenceOf
	units, tokens := 0, int64(0)
	for _, model := range p.Plan.Models {
		if model.Role != kind.RoleUnit {
			continue
		}
		step := p.Plan.Steps[model.Step]
		units, tokens = units+1, tokens+step.Cost.Tokens
		if p.State.Status[model.Step] != pipeline.Hit {
			e.Left.Units++
			e.Left.Tokens += step.Cost.Tokens
		}
	}
	way := func(models, tokens *big.Int, each, evaluating *float64) wayJSON {
		w := wayJSON{Models: json.Number(models.String()), Tokens: json.Number(tokens.String()), Eval: evaluating}
		if each != nil {
			v := *each * float(tokens)
			w.Train = &v
		}
		if w.Train != nil && w.Eval != nil {
			v := *w.Train + *w.Eval
			w.Seconds = &v
		}
		return w
	}
	e.Possible = json.Number(possible.String())
	if covered := p.State.Covered(p.Study, p.Sources); covered != nil {
		e.Covered = json.Number(covered.String())
	}
	e.Modular = way(big.NewInt(int64(units)), big.NewInt(tokens), unit, evaluate(possible))
	e.Naive = way(possible, all, reference, evaluate(possible))
	e.Mixture.Evaluations, e.Mixture.Proxy = m.PerMixture, evaluate(big.NewInt(1))
	if possible.Sign() > 0 && e.Naive.Seconds != nil {
		v := *e.Naive.Seconds / float(possible)
		e.Mixture.Reference = &v
	}
	if e.Modular.Seconds != nil && e.Naive.Seconds != nil && *e.Modular.Seconds > 0 && *e.Naive.Train > 0 {
		saving, even := *e.Naive.Seconds / *e.Modular.Seconds, *e.Modular.Train/(*e.Naive.Train/float(possible))
		e.Saving, e.BreakEven = &saving, &even
	}
	for _, n := range next {
		e.Next = append(e.Next, nextJSON{
			Set: n.Set, Units: n.Units, Mixtures: json.Number(n.Mixtures.String()),
			Modular: way(big.NewInt(int64(n.Units)), big.NewInt(n.Tokens), unit, evaluate(n.Mixtures)),
			Naive:   way(n.Mixtures, n.Naive, reference, evaluate(n.Mixtures)),
		})
	}
	return e, nil
}

// perToken is the time that training took for each token, nil where nothing was trained.
func perToken(m *pipeline.Measured) *float64 {
	if m == nil || m.Tokens == 0 {
		return nil
	}
	v := m.Seconds / float64(m.Tokens)
	return &v
}

func float(n *big.Int) float64 {
	f, _ := new(big.Float).SetInt(n).Float64()
	return f
}

func (e *efficiency) print(w io.Writer, study string) error {
	show.Printf(w, "study %s: what its steps took by the clock when they ran; those that ran beside others shared the machine\n\n", e.Study)
	t := show.NewTable(show.Row{"", "in the cache", "tokens", "time", "tokens/s"}, 1)
	for _, r := range e.Measured {
		rate := ""
		if r.Tokens > 0 && r.Seconds > 0 {
			rate = words.Count(int64(float64(r.Tokens)/r.Seconds), "")
		}
		t.AppendRow(show.Row{r.What, fmt.Sprintf("%d of %d", r.Done, r.Steps), show.Tokens(r.Tokens), show.Span(&r.Seconds), rate})
	}
	fmt.Fprintf(w, "%s\n\n", t.Render(w))
	ways := show.NewTable(show.Row{"every one of " + e.Possible.String() + " possible mixtures", "models", "tokens", "training", "evaluating", "together"}, 1)
	add := func(what string, v wayJSON) {
		ways.AppendRow(show.Row{what, v.Models, bigTokens(v.Tokens), show.Span(v.Train), show.Span(v.Eval), show.Span(v.Seconds)})
	}
	add("modular: a model for every unit, averages of them", e.Modular)
	add("naive: a model for every mixture", e.Naive)
	for _, n := range e.Next {
		ways.AppendSeparator()
		what := fmt.Sprintf("one more partition of %s (%s, %s)", n.Set, words.Counted(n.Units, "unit", "units"), n.Mixtures.String()+" more mixtures")
		add(what+", modular", n.Modular)
		add("  naive", n.Naive)
	}
	fmt.Fprintf(w, "%s\n\n", ways.Render(w))
	if e.Mixture.Proxy != nil {
		show.Printf(w, "one more mixture: %s by an average of models that are there (%s evaluations), %s by a model of its own\n",
			show.Span(e.Mixture.Proxy), strconv.FormatFloat(e.Mixture.Evaluations, 'g', 3, 64), show.Span(e.Mixture.Reference))
	}
	if e.Saving != nil {
		show.Printf(w, "the naive way takes %.3g times as long; the units cost less than models of the mixtures from %.0f on\n", *e.Saving, math.Ceil(*e.BreakEven))
	} else {
		show.Printf(w, "nothing is measured yet; `ablate run %s`, then this again. `ablate plan %s` says what it will cost\n", study, study)
	}
	if e.Covered != "" {
		show.Printf(w, "%s of %s possible mixtures need no training any more\n", e.Covered, e.Possible)
	}
	if e.Left.Units > 0 {
		show.Printf(w, "%s still to train: %s tokens\n", words.Counted(e.Left.Units, "unit model is", "unit models are"), words.Count(e.Left.Tokens, ""))
	}
	return show.Printf(w, "the seed model, which both ways start from, is in neither sum\n")
}
