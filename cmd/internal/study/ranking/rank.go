// Package ranking ranks mixtures by a proxy on an evaluation set, with the loss to expect. It
// evaluates averages of models that are in the cache, and trains nothing.
package ranking

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"ablate/cache"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/pipeline"
	"ablate/specs"
	"ablate/stages/correlate"
	"ablate/stages/kind"
)

// Options of a ranking.
type Options struct {
	Study    string
	On       string // evaluation set, or kind.Average; "": the study's only one
	Proxy    string
	Sampled  bool   // only the mixtures that the study selects; else every mixture that its sets allow
	Mixtures string // only this set of mixtures; "": all
	Most     int    // of a set that allows more mixtures than this, only those are scored that a greedy search comes to
}

// Ranking is the mixtures of a study in the order of a proxy, and what the order rests on.
type Ranking struct {
	Study string
	Named string // the study as it was asked for
	On    string // evaluation set
	Proxy string
	Level float64 // of the intervals

	Possible  map[string]*big.Int  // mixtures by set of mixtures
	Searched  []string             // sets of mixtures of which not every mixture was scored
	Untrained int                  // mixtures whose reference models are not trained yet
	Ranked    []correlate.Ranked   // the best first
	Lines     []correlate.RankLine // from proxy to reference, one a set of mixtures that has references

	Evaluations int // that were needed
	Ran         int // of them, made now
	Took        time.Duration
}

// AllPossible is how many mixtures there are in all sets.
func (r *Ranking) AllPossible() *big.Int {
	sum := new(big.Int)
	for _, n := range r.Possible {
		sum.Add(sum, n)
	}
	return sum
}

// Alike counts the mixtures whose expected losses lie in the interval of the first.
func (r *Ranking) Alike() int {
	if len(r.Ranked) == 0 || math.IsNaN(r.Ranked[0].High) {
		return 0
	}
	n := 0
	for _, m := range r.Ranked {
		if m.Expected <= r.Ranked[0].High {
			n++
		}
	}
	return n
}

// Rank ranks the mixtures of a study. What is told meanwhile are the session's warnings,
// study.Progress and study.StepsEnded.
func Rank(ctx context.Context, s *study.Session, opt Options) (*Ranking, error) {
	began := time.Now()
	var r *Ranking
	err := s.WithPlan(ctx, opt.Study, study.Planning{Local: true}, func(p *study.Compiled) error {
		on, err := check(p.Study, opt)
		if err != nil {
			return fault.Usage(err)
		}
		if p.Plan.Partial != "" {
			return fmt.Errorf("there is nothing to rank yet: %s; `ablate run %s` splits the corpus and trains the unit models", p.Plan.Partial, opt.Study)
		}
		found, err := p.Catalogue()
		if err != nil {
			return err
		}
		k := &ranker{
			Options: opt, s: s, p: p, query: pipeline.Query{Study: p.Study, Sources: p.Sources, Units: found, Set: on, Proxy: opt.Proxy}, evaluations: map[cache.Key]bool{},
			out: &Ranking{Study: p.Study.Name, Named: opt.Study, On: on, Proxy: opt.Proxy, Level: float64(p.Study.Correlate.Level)},
		}
		if err := k.run(ctx); err != nil {
			return err
		}
		r = k.out
		r.Evaluations, r.Took = len(k.evaluations), time.Since(began)
		return nil
	})
	return r, err
}

// check settles the evaluation set to rank on and refuses names that the study does not have.
func check(s *specs.Study, opt Options) (on string, err error) {
	sets := slices.Sorted(maps.Keys(s.Eval.OutOfDomain))
	if s.Eval.InDomain == "mixture" {
		sets = append(sets, kind.InDomain)
	}
	if _, taken := s.Eval.OutOfDomain[kind.Average]; len(s.Eval.OutOfDomain) > 1 && !taken {
		sets = append(sets, kind.Average)
	}
	if on = opt.On; on == "" && len(s.Eval.OutOfDomain) == 1 {
		on = sets[0]
	}
	switch {
	case on == "":
		return "", fmt.Errorf("--on: name the evaluation set to rank on: %s", strings.Join(sets, ", "))
	case !slices.Contains(sets, on):
		return "", fmt.Errorf("--on %s: study %s evaluates on %s", on, s.Name, strings.Join(sets, ", "))
	case !slices.Contains(specs.Proxies(), opt.Proxy):
		return "", fmt.Errorf("--proxy %s: want one of %s", opt.Proxy, strings.Join(specs.Proxies(), ", "))
	case (opt.Proxy == "weighted" || opt.Proxy == "small_seq") && !slices.Contains(s.Proxies, opt.Proxy):
		return "", fmt.Errorf("--proxy %s: study %s does not list this proxy, so its models are not planned: add the proxy to proxies, or rank by another proxy", opt.Proxy, s.Name)
	case strings.HasSuffix(opt.Proxy, "_id") && on != kind.InDomain:
		return "", fmt.Errorf("--proxy %s scores each model on the text of its own partition: rank on %s, or by another proxy", opt.Proxy, kind.InDomain)
	}
	if _, ok := s.Mixtures[opt.Mixtures]; opt.Mixtures != "" && !ok {
		return "", fmt.Errorf("--mixtures %s: study %s has %s", opt.Mixtures, s.Name, strings.Join(slices.Sorted(maps.Keys(s.Mixtures)), ", "))
	}
	return on, nil
}

// ranker is a ranking under way.
type ranker struct {
	Options
	s           *study.Session
	p           *study.Compiled
	query       pipeline.Query
	evaluations map[cache.Key]bool // all that were needed
	out         *Ranking
}

func (k *ranker) run(ctx context.Context) error {
	chosen := maps.Clone(k.p.Study.Mixtures)
	if k.Mixtures != "" {
		chosen = map[string]specs.Mixture{k.Mixtures: chosen[k.Mixtures]}
	}
	var err error
	if k.out.Possible, err = k.query.Possible(chosen); err != nil {
		return err
	}
	listed := chosen
	var in correlate.RankInput
	if !k.Sampled {
		listed = pipeline.Every(chosen)
		for _, group := range slices.Sorted(maps.Keys(listed)) {
			if k.out.Possible[group].Cmp(big.NewInt(int64(k.Most))) <= 0 {
				continue
			}
			found, err := k.search(ctx, group, listed[group])
			if err != nil {
				return err
			}
			in.Candidates = append(in.Candidates, found...)
			k.out.Searched = append(k.out.Searched, group)
			delete(listed, group)
		}
	}
	if len(listed) > 0 {
		scored, err := k.score(ctx, listed)
		if err != nil {
			return err
		}
		in.Candidates = append(in.Candidates, scored...)
	}
	if in.References, err = k.references(ctx, chosen); err != nil {
		return err
	}
	in.Level = k.out.Level
	k.out.Ranked, k.out.Lines, err = correlate.Rank(in)
	return err
}
