package pipeline

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"ablate/specs"
)

// What the growth of a set of mixtures comes to in the end is what the plan counts, for all that a
// set of mixtures can draw.
func TestGrowthEndsWithThePlan(t *testing.T) {
	for _, study := range []string{
		"5.1-s2orc-pairs", "5.1-wiki-pairs", "5.1-s2orc-triples", "5.2-uneven", "5.3-mixed-sources", "5.3.1-fixed-source", "5.4-larger-models",
		"A.4-whole-fields", "A.6-larger-small-fields", "A.6.1-cross-scale", "A.6.2-replica",
	} {
		p, _ := paperPlan(t, study)
		if len(p.Growth) != 1 {
			t.Fatalf("%s: %d sets of mixtures draw, want 1", study, len(p.Growth))
		}
		g := p.Growth[0]
		last := g.Points[len(g.Points)-1]
		naive, _ := new(big.Float).SetInt(p.Summary.TokensReferenceOf).Float64()
		if study == "A.6.2-replica" {
			naive -= 6 * 2e9 // its list, which draws nothing
		}
		if !near(last.Naive, naive) || !near(last.Modular, float64(p.Summary.Units.Tokens)) {
			t.Errorf("%s ends at %d with %g and %g, the plan counts %g and %d", study, last.N, last.Naive, last.Modular, naive, p.Summary.Units.Tokens)
		}
	}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(b) }

// On the way there it is the plan of fewer components, counted one mixture at a time.
func TestGrowth(t *testing.T) {
	const token = 100
	for _, tt := range []struct {
		name         string
		space        candidates
		budget       specs.Count
		n            int // of the draw that grows
		naive, units float64
	}{
		{"pairs", spaceOf(nil, []int{2, 2, 2, 2}, choice{n: 4, k: 2}), 0, 3, 3 * 4, 6},
		{"with one fixed", spaceOf([]int{5}, []int{2, 2, 2}, choice{n: 3, k: 1}), 0, 2, 2 * 7, 5 + 4},
		{"with repetition", spaceOf(nil, []int{1, 1, 1}, choice{n: 3, k: 2, repeat: true}), 0, 2, 3 * 2, 2},
		{"crossed", spaceOf(nil, []int{3, 3, 1, 1, 1}, choice{n: 2, k: 1}, choice{first: 2, n: 3, k: 1}), 0, 2, 4 * 4, 6 + 2},
		{"of a budget", spaceOf(nil, []int{2, 2, 2, 2}, choice{n: 4, k: 2}), 7 * token, 3, 3 * 7, 6},
	} {
		d := sampler{c: &compiler{own: &scale{}, reference: &scale{}}}
		d.spec.Tokens, d.c.own.train.TokensPerUnit, d.c.reference.train.TokensPerUnit = tt.budget, token, token
		points := d.growth(tt.space).Points
		i := slices.IndexFunc(points, func(p GrowthPoint) bool { return p.N == tt.n })
		if i < 0 {
			t.Errorf("%s: no point of %d components", tt.name, tt.n)
			continue
		}
		if p := points[i]; p.Naive != tt.naive*token || p.Modular != tt.units*token {
			t.Errorf("%s: of %d components %g and %g, want %g and %g", tt.name, p.N, p.Naive, p.Modular, tt.naive*token, tt.units*token)
		}
	}
}
