package planning

import (
	"encoding/json"
	"fmt"
	"math/big"

	"ablate/cmd/internal/study"
	"ablate/pipeline"
	"ablate/stages/kind"
)

// Measured is one row of what was measured.
type Measured struct {
	What    string  `json:"what"`
	Steps   int     `json:"steps"`  // of the plan
	Done    int     `json:"done"`   // of them in the cache
	Tokens  int64   `json:"tokens"` // trained on by those done
	Seconds float64 `json:"seconds"`
}

// Way is a way to score every mixture that is possible, and what it takes.
type Way struct {
	Models  json.Number `json:"models"`
	Tokens  json.Number `json:"tokens"`
	Train   *float64    `json:"train_seconds"` // null: nothing of the sort was trained, so nothing was measured
	Eval    *float64    `json:"evaluate_seconds"`
	Seconds *float64    `json:"seconds"`
}

// Next is what one more partition takes, either way.
type Next struct {
	Set      string      `json:"partition_set"`
	Units    int         `json:"units"`
	Mixtures json.Number `json:"mixtures"`
	Modular  Way         `json:"modular"`
	Naive    Way         `json:"naive"`
}

// Efficiency is the account of a study as section 5.5 of the paper makes it, from what its steps
// took when they ran. Seconds are those that steps took by the clock; steps that ran beside others
// shared the machine. The seed model, which both ways start from, is in neither.
type Efficiency struct {
	Study     string      `json:"study"`
	Measured  []Measured  `json:"measured"`
	Possible  json.Number `json:"mixtures_possible"`
	Covered   json.Number `json:"mixtures_covered,omitempty"` // of them, those that need no training any more
	Modular   Way         `json:"modular"`
	Naive     Way         `json:"naive"`
	Saving    *float64    `json:"saving"`     // naive seconds to modular seconds
	BreakEven *float64    `json:"break_even"` // mixtures from which on the units cost less than models of the mixtures
	Mixture   struct {
		Evaluations float64  `json:"evaluations"`
		Proxy       *float64 `json:"proxy_seconds"` // one more mixture by an average of models
		Reference   *float64 `json:"reference_seconds"`
	} `json:"one_more_mixture"`
	Next []Next `json:"next_partition"`
	Left struct {
		Units  int   `json:"units"` // not in the cache
		Tokens int64 `json:"tokens"`
	} `json:"still_to_train"`
}

// EfficiencyOf accounts for a study, whose name is the one that a person called it by. Its corpora
// must be split.
func EfficiencyOf(p *study.Compiled, name string) (*Efficiency, error) {
	if p.Plan.Partial != "" {
		return nil, fmt.Errorf("there is nothing to measure yet: %s; `ablate run %s` splits the corpus", p.Plan.Partial, name)
	}
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
	e := &Efficiency{Study: p.Study.Name, Measured: measured(m), Next: []Next{}}
	t := timesOf(m)
	units, tokens := e.units(p)
	possible, naive := p.Plan.Summary.MixturesPossible, p.Plan.Summary.TokensReferenceOf
	e.Possible = number(possible)
	if covered := p.State.Covered(p.Study, p.Sources); covered != nil {
		e.Covered = number(covered)
	}
	e.Modular = way(big.NewInt(int64(units)), big.NewInt(tokens), t.unit, t.evaluate(possible))
	e.Naive = way(possible, naive, t.reference, t.evaluate(possible))
	e.compare(possible)
	e.Mixture.Evaluations, e.Mixture.Proxy = m.PerMixture, t.evaluate(big.NewInt(1))
	for _, n := range next {
		e.Next = append(e.Next, Next{
			Set: n.Set, Units: n.Units, Mixtures: number(n.Mixtures),
			Modular: way(big.NewInt(int64(n.Units)), big.NewInt(n.Tokens), t.unit, t.evaluate(n.Mixtures)),
			Naive:   way(n.Mixtures, n.Naive, t.reference, t.evaluate(n.Mixtures)),
		})
	}
	return e, nil
}

// measured lists what was measured, models by their role and then evaluations.
func measured(m pipeline.Efficiency) []Measured {
	list := []Measured{}
	for _, role := range []string{kind.RoleSeed, kind.RoleUnit, kind.RolePartition, kind.RoleSmall, kind.RoleReference} {
		if r := m.Models[role]; r != nil {
			list = append(list, Measured{role + " models", r.Steps, r.Done, r.Tokens, r.Seconds})
		}
	}
	return append(list, Measured{"evaluations", m.Evaluations.Steps, m.Evaluations.Done, 0, m.Evaluations.Seconds})
}

// units counts the unit models of a plan and the tokens that they are trained on, and notes which
// of them are still to train.
func (e *Efficiency) units(p *study.Compiled) (units int, tokens int64) {
	for _, model := range p.Plan.Models {
		if model.Role != kind.RoleUnit {
			continue
		}
		cost := p.Plan.Steps[model.Step].Cost.Tokens
		units, tokens = units+1, tokens+cost
		if p.State.Status[model.Step] != pipeline.Hit {
			e.Left.Units++
			e.Left.Tokens += cost
		}
	}
	return units, tokens
}

// compare holds the two ways against each other, where both were measured.
func (e *Efficiency) compare(possible *big.Int) {
	if possible.Sign() > 0 && e.Naive.Seconds != nil {
		v := *e.Naive.Seconds / float(possible)
		e.Mixture.Reference = &v
	}
	if e.Modular.Seconds != nil && e.Naive.Seconds != nil && *e.Modular.Seconds > 0 && *e.Naive.Train > 0 {
		saving, even := *e.Naive.Seconds / *e.Modular.Seconds, *e.Modular.Train/(*e.Naive.Train/float(possible))
		e.Saving, e.BreakEven = &saving, &even
	}
}

// times are what was measured of the two ways, in seconds; nil: nothing of the sort ran.
type times struct {
	unit, reference *float64 // of a token trained on
	mixture         *float64 // to evaluate one average, or one reference
}

func timesOf(m pipeline.Efficiency) times {
	t := times{unit: perToken(m.Models[kind.RoleUnit]), reference: perToken(m.Models[kind.RoleReference])}
	if t.reference == nil {
		t.reference = t.unit // as many tokens take as long, whatever they are
	}
	average := m.Averages
	if average.Done == 0 {
		average = m.Evaluations
	}
	if average.Done > 0 {
		v := average.Each() * m.PerMixture
		t.mixture = &v
	}
	return t
}

// evaluate is the time that evaluations of mixtures take.
func (t times) evaluate(mixtures *big.Int) *float64 { return product(t.mixture, mixtures) }

// way is what it takes to train models on tokens and to evaluate them.
func way(models, tokens *big.Int, each, evaluating *float64) Way {
	w := Way{Models: number(models), Tokens: number(tokens), Train: product(each, tokens), Eval: evaluating}
	if w.Train != nil && w.Eval != nil {
		v := *w.Train + *w.Eval
		w.Seconds = &v
	}
	return w
}

// product is n times as much as each, nil where that is not known.
func product(each *float64, n *big.Int) *float64 {
	if each == nil {
		return nil
	}
	v := *each * float(n)
	return &v
}

func number(n *big.Int) json.Number { return json.Number(n.String()) }

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
