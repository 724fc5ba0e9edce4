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

// Measured sums up steps of one sort as the cache remembers them.
type Measured struct {
	Steps   int     // of the plan
	Done    int     // of them in the cache
	Tokens  int64   // trained on by those done
	Seconds float64 // they took by the clock; steps that ran beside others shared the machine
}

func (m *Measured) add(step *Step, s *State, i int) {
	m.Steps++
	if s.Status[i] == Hit {
		m.Done++
		m.Tokens += step.Cost.Tokens
		m.Seconds += s.Entries[i].Provenance.WallSeconds
	}
}

// Each is the mean time of a step done, 0 where none is.
func (m Measured) Each() float64 {
	if m.Done == 0 {
		return 0
	}
	return m.Seconds / float64(m.Done)
}

// Efficiency is the paper's account of what its method saves (section 5.5), from what was measured
// when the steps ran.
type Efficiency struct {
	Models      map[string]*Measured // by role: seed, unit, partition, small, reference
	Evaluations Measured
	Averages    Measured // of them, those of an average of several models
	PerMixture  float64  // evaluations that one average of a mixture takes, over all sets, on average
}

// Efficiency measures a resolved, complete plan.
func (s *State) Efficiency() (Efficiency, error) {
	p := s.Plan
	e := Efficiency{Models: map[string]*Measured{}}
	for _, m := range p.Models {
		if e.Models[m.Role] == nil {
			e.Models[m.Role] = &Measured{}
		}
		e.Models[m.Role].add(p.Steps[m.Step], s, m.Step)
	}
	for i, step := range p.Steps {
		if step.Kind != kind.Eval {
			continue
		}
		e.Evaluations.add(step, s, i)
		if recipe, _ := averaged(step); len(recipe.Weights) > 1 {
			e.Averages.add(step, s, i)
		}
	}
	if p.Result < 0 {
		return e, nil
	}
	var params kind.CorrelateParams
	if err := json.Unmarshal(p.Steps[p.Result].Params, &params); err != nil {
		return e, fmt.Errorf("internal error: parameters of %s: %w", p.Steps[p.Result].ID, err) // we made them
	}
	// Of the study's proxies the one with fewest tables is one model a mixture, if any is.
	tables, mixtures := map[string]int{}, map[[2]string]bool{}
	for _, sc := range params.Scores {
		mixtures[[2]string{sc.Group, sc.Mixture}] = true
		for _, domain := range sc.Losses {
			tables[sc.Scorer] += len(domain)
		}
	}
	for scorer, n := range tables {
		onAll := slices.ContainsFunc(params.Scores, func(sc kind.Score) bool { return sc.Scorer == scorer && sc.Set == params.Sets[len(params.Sets)-1] })
		if each := float64(n) / float64(len(mixtures)); onAll && slices.Contains(params.Proxies, scorer) && (e.PerMixture == 0 || each < e.PerMixture) {
			e.PerMixture = each
		}
	}
	return e, nil
}

// Next is what one more partition brings.
type Next struct {
	Set      string   // of partitions
	Units    int      // of the new partition: as many as the median partition of the set has
	Tokens   int64    // to train its unit models
	Mixtures *big.Int // that it is in, of those that the study's sets of mixtures allow
	Naive    *big.Int // tokens to train a model of each of them
}

// newcomer is the name of a partition that is not there; no text has it.
const newcomer = "\x00next"

// NextPartition plans the study once more for each set of partitions, with one partition more in
// it.
func NextPartition(study *specs.Study, src Sources, found Catalogue) ([]Next, error) {
	now, err := Compile(study, src, found)
	if err != nil || now.Partial != "" {
		return nil, err
	}
	var out []Next
	for _, set := range sortedKeys(study.Partitions) {
		counts := found[set]
		if counts == nil {
			counts = study.Partitions[set].Units
		}
		units := slices.Sorted(maps.Values(counts))
		if len(units) == 0 {
			continue
		}
		n := Next{Set: set, Units: units[(len(units)-1)/2]}
		wider := maps.Clone(counts)
		wider[newcomer] = n.Units
		with := maps.Clone(found)
		if with == nil {
			with = Catalogue{}
		}
		with[set] = wider
		copied := *study
		copied.Partitions = maps.Clone(study.Partitions)
		spec := copied.Partitions[set]
		if len(spec.Only) > 0 {
			spec.Only = append(slices.Clone(spec.Only), newcomer)
			copied.Partitions[set] = spec
		}
		then, err := Compile(&copied, src, with)
		if err != nil {
			return nil, err
		}
		n.Tokens = then.unitTokens() - now.unitTokens()
		n.Mixtures = new(big.Int).Sub(then.Summary.MixturesPossible, now.Summary.MixturesPossible)
		n.Naive = new(big.Int).Sub(then.Summary.TokensReferenceOf, now.Summary.TokensReferenceOf)
		out = append(out, n)
	}
	return out, nil
}

// Covered counts the possible mixtures that need no training any more: those of partitions whose
// unit models are all in the cache. (Of mixtures of single units it counts no partition of which
// some are missing.) Nil where the study lists mixtures of others by name.
func (s *State) Covered(study *specs.Study, src Sources) *big.Int {
	trained := Catalogue{}
	for _, split := range s.Plan.Splits {
		if !split.Seed {
			trained[split.PartitionSet] = map[string]int{}
		}
	}
	lacks := map[[2]string]bool{}
	for _, m := range s.Plan.Models {
		if m.Role != kind.RoleUnit {
			continue
		}
		a := s.Plan.Steps[m.Step].About
		if trained[a.PartitionSet][a.Partition]++; s.Status[m.Step] != Hit {
			lacks[[2]string{a.PartitionSet, a.Partition}] = true
		}
	}
	for at := range lacks {
		delete(trained[at[0]], at[1])
	}
	sum := new(big.Int)
	for group, m := range study.Mixtures {
		m.Sample = 0
		if len(m.List) == 0 {
			m.Sample = 1 // only counted
		}
		copied := *study
		copied.Mixtures, copied.Reference.Seq = map[string]specs.Mixture{group: m}, nil
		plan, err := Compile(&copied, src, trained)
		switch {
		case err != nil && len(m.List) > 0:
			return nil
		case err != nil || plan.Partial != "":
			continue // too few partitions to draw from
		}
		sum.Add(sum, plan.Summary.MixturesPossible)
	}
	return sum
}

// unitTokens is what all unit models train on.
func (p *Plan) unitTokens() int64 {
	var n int64
	for _, m := range p.Models {
		if m.Role == kind.RoleUnit {
			n += p.Steps[m.Step].Cost.Tokens
		}
	}
	return n
}
