package ranking

import (
	"context"
	"fmt"
	"slices"

	"ablate/cmd/internal/study/fault"
	"ablate/specs"
	"ablate/stages/correlate"
)

// search builds a mixture of a large set up: to what every mixture has it adds, out of all that may
// still be drawn, the component that lowers the proxy's loss most, until there are enough (forward
// selection; Caruana et al. 2004, "Ensemble selection from libraries of models", chooses models for
// an ensemble so). It returns the whole mixtures that it came to, those of the last round.
func (k *ranker) search(ctx context.Context, group string, spec specs.Mixture) ([]correlate.RankMixture, error) {
	if len(spec.List) > 0 {
		return nil, fault.Usagef("mixture set %s lists %s mixtures, and a listed set cannot be searched: raise --most %d, or use --sampled",
			group, k.out.Possible[group], k.Most)
	}
	if spec.Shares != nil {
		return nil, fault.Usagef("mixture set %s has %s mixtures by shares and is not one to search through: raise --most %d, or take --sampled",
			group, k.out.Possible[group], k.Most)
	}
	pool, err := k.query.Pool(group, spec)
	if err != nil {
		return nil, err
	}
	chosen := pool.Fixed
	for {
		next := specs.Mixture{From: pool.From, Of: spec.Of, Repeat: spec.Repeat}
		var by []int // draw of each mixture listed
		for i, d := range pool.Choices {
			for _, name := range d.Names {
				if d.K > 0 && (spec.Repeat || !slices.Contains(chosen, name)) {
					next.List, by = append(next.List, specs.Listed{Names: append(slices.Clone(chosen), name)}), append(by, i)
				}
			}
		}
		scored, err := k.score(ctx, map[string]specs.Mixture{group: next})
		if err != nil {
			return nil, err
		}
		if len(scored) != len(next.List) {
			return nil, fmt.Errorf("internal error: %d mixtures listed, %d scored", len(next.List), len(scored))
		}
		if len(next.List[0].Names) == pool.Size() {
			return scored, nil
		}
		best, err := lowest(scored)
		if err != nil {
			return nil, err
		}
		chosen = next.List[best].Names
		pool.Choices[by[best]].K--
	}
}

// lowest is the position of the mixture that the proxy likes best.
func lowest(scored []correlate.RankMixture) (int, error) {
	ranked, _, err := correlate.Rank(correlate.RankInput{Candidates: scored})
	if err != nil {
		return 0, err
	}
	return slices.IndexFunc(scored, func(m correlate.RankMixture) bool { return m.Name == ranked[0].Mixture }), nil
}
