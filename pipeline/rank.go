package pipeline

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"ablate/specs"
	"ablate/stages/kind"
)

// Query asks how one proxy scores mixtures of a study on one evaluation set. Its plans share every
// step with the study's own, by key.
type Query struct {
	Study   *specs.Study
	Sources Sources
	Units   Catalogue // as found by splitting; nil where the study declares them
	Set     string    // an out-of-domain evaluation set, InDomain, or kind.Average: all out-of-domain sets, each counting as much
	Proxy   string
}

// Scored is a mixture with what its score is made of: domain -> evaluations, as steps of a plan.
type Scored struct {
	Group, Name string
	Evals       [][]int
}

// Every asks for all the mixtures that the study's sets of mixtures allow, not only those it
// selects.
func Every(mixtures map[string]specs.Mixture) map[string]specs.Mixture {
	all := maps.Clone(mixtures)
	for group, m := range all {
		m.Sample = 0
		if m.Shares != nil && m.Shares.Dirichlet == nil { // of a distribution there is no end
			whole := *m.Shares
			whole.Sample = 0
			m.Shares = &whole
		}
		all[group] = m
	}
	return all
}

// Candidates plans what the proxy needs to score the mixtures, and nothing else: it holds
// trainings, which the caller should find in the cache.
func (q Query) Candidates(mixtures map[string]specs.Mixture) (*Plan, []Scored, error) {
	none := q.Study.Reference
	none.Seq = nil
	plan, scored, err := q.plan(mixtures, none)
	if err != nil {
		return nil, nil, err
	}
	return plan, scored[q.Proxy], nil
}

// References plans what it needs to score the mixtures that have a reference model, by the proxy
// and by the reference, in the same order.
func (q Query) References(mixtures map[string]specs.Mixture) (plan *Plan, proxy, reference []Scored, err error) {
	asked := q.Study.Reference
	asked.Seq = nil
	with := map[string]specs.Mixture{}
	for _, group := range q.Study.Reference.Seq {
		if m, ok := mixtures[group]; ok {
			asked.Seq, with[group] = append(asked.Seq, group), m
		}
	}
	if len(with) == 0 {
		return &Plan{Study: q.Study.Name, Result: -1, index: map[string]int{}}, nil, nil, nil
	}
	plan, scored, err := q.plan(with, asked)
	if err != nil {
		return nil, nil, nil, err
	}
	return plan, scored[q.Proxy], scored["seq"], nil
}

// plan compiles the study with other mixtures and cuts out what the scores on the set need.
func (q Query) plan(mixtures map[string]specs.Mixture, reference specs.Reference) (*Plan, map[string][]Scored, error) {
	study := *q.Study
	study.Mixtures, study.Reference, study.Proxies = mixtures, reference, []string{q.Proxy}
	if q.Set != kind.InDomain {
		study.Eval.InDomain = "none"
	}
	whole, err := Compile(&study, q.Sources, q.Units)
	if err != nil {
		return nil, nil, err
	}
	if whole.Partial != "" {
		return nil, nil, fmt.Errorf("the study is not split yet: %s", whole.Partial)
	}
	result := whole.Steps[whole.Result]
	var p kind.CorrelateParams
	if err := json.Unmarshal(result.Params, &p); err != nil {
		return nil, nil, fmt.Errorf("internal error: parameters of %s: %w", result.ID, err) // we made them
	}
	asked := slices.DeleteFunc(p.Scores, func(s kind.Score) bool {
		return s.Set != q.Set && (q.Set != kind.Average || s.Set == kind.InDomain)
	})
	var goals []int
	place := map[int]int{} // number of a table -> place among goals
	for _, s := range asked {
		for _, n := range slices.Concat(s.Losses...) {
			if _, ok := place[n]; !ok {
				place[n] = len(goals)
				goals = append(goals, result.Inputs[n].Step)
			}
		}
	}
	plan, at := whole.Sub(goals...)
	scored := map[string][]Scored{}
	places := map[[3]string]int{} // of a mixture by a scorer, which has a score on every set
	for _, s := range asked {
		k := [3]string{s.Group, s.Mixture, s.Scorer}
		i, ok := places[k]
		if !ok {
			i = len(scored[s.Scorer])
			places[k] = i
			scored[s.Scorer] = append(scored[s.Scorer], Scored{Group: s.Group, Name: s.Mixture})
		}
		m := &scored[s.Scorer][i]
		for _, tables := range s.Losses { // a set outside the domain is one domain
			var steps []int
			for _, n := range tables {
				steps = append(steps, at[place[n]])
			}
			m.Evals = append(m.Evals, steps)
		}
	}
	return plan, scored, nil
}

// Possible counts the mixtures that each of the sets of mixtures allows.
func (q Query) Possible(mixtures map[string]specs.Mixture) (map[string]*big.Int, error) {
	counts := map[string]*big.Int{}
	for group, m := range mixtures {
		m.Sample = min(m.Sample, 1) // what is selected does not matter
		study := *q.Study
		study.Mixtures, study.Reference.Seq, study.Proxies = map[string]specs.Mixture{group: m}, nil, []string{q.Proxy}
		plan, err := Compile(&study, q.Sources, q.Units)
		if err != nil {
			return nil, err
		}
		if plan.Partial != "" {
			return nil, fmt.Errorf("the study is not split yet: %s", plan.Partial)
		}
		counts[group] = plan.Summary.MixturesPossible
	}
	return counts, nil
}

// Pool is what the mixtures of a set are drawn from, as names that a list of mixtures takes.
type Pool struct {
	From    []string // sets of partitions
	Fixed   []string // of every mixture
	Choices []Choice
	size    int
}

// Choice is K of some components.
type Choice struct {
	K     int
	Names []string
}

// Size is the number of components of a mixture.
func (d Pool) Size() int { return d.size }

// Pool tells what a set of mixtures draws from. One that lists its mixtures draws nothing.
func (q Query) Pool(group string, m specs.Mixture) (Pool, error) {
	m.Sample = 1
	study := *q.Study
	study.Mixtures, study.Reference.Seq, study.Proxies = map[string]specs.Mixture{group: m}, nil, []string{q.Proxy}
	plan, err := Compile(&study, q.Sources, q.Units)
	if err != nil {
		return Pool{}, err
	}
	d, ok := plan.sampledFrom[group]
	if !ok {
		return Pool{}, fmt.Errorf("mixture set %s selects no mixture", group)
	}
	return d, nil
}

// Untrained lists the steps of a resolved plan, evaluations aside, that are not in the cache, and
// the evaluations that they keep from running.
func (s *State) Untrained() (steps []int, blocked map[int]bool) {
	blocked = map[int]bool{}
	for i, step := range s.Plan.Steps {
		if s.Status[i] == Hit {
			continue
		}
		if !step.Evaluates() {
			steps = append(steps, i)
			continue
		}
		if s.Status[i] == Waits {
			blocked[i] = true
		}
	}
	return steps, blocked
}

// Only is the part of a plan that some evaluations need, and those evaluations' numbers in it by
// their numbers here.
func (p *Plan) Only(goals map[int]bool) (*Plan, map[int]int) {
	list := slices.Sorted(maps.Keys(goals))
	sub, at := p.Sub(list...)
	where := make(map[int]int, len(list))
	for k, i := range list {
		where[i] = at[k]
	}
	return sub, where
}
