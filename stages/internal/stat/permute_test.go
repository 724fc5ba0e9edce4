package stat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func TestEveryOrderOnce(t *testing.T) {
	for n, want := range []int{1, 1, 2, 6, 24, 120} {
		v := make([]float64, n)
		for i := range v {
			v[i] = float64(i)
		}
		seen := map[string]bool{}
		everyOrder(v, func() { seen[fmt.Sprint(v)] = true })
		if len(seen) != want {
			t.Errorf("of %d: %d orders, want %d", n, len(seen), want)
		}
	}
}

func TestPValue(t *testing.T) {
	rising, falling := []float64{1, 2, 3, 4, 5}, []float64{5, 4, 3, 2, 1}
	long := make([]float64, 12)
	for i := range long {
		long[i] = float64(i)
	}
	for _, c := range []struct {
		name string
		t    Permutation
		x, y []float64
		want float64
	}{
		{"one order of 120 is as good", Permutation{}, rising, rising, 1. / 120},
		{"every order is as good as the worst", Permutation{}, rising, falling, 1},
		{"two tied: two orders in 24", Permutation{}, []float64{1, 2, 3, 3}, []float64{1, 2, 3, 3}, 2. / 24},
		{"no draw as good, and never zero", Permutation{Rounds: 99, Seed: 1}, long, long, 1. / 100},
		{"constant", Permutation{}, []float64{1, 1, 1, 1}, []float64{1, 2, 3, 4}, nan},
		{"negative rounds", Permutation{Rounds: -1}, rising, rising, nan},
		{"unequal lengths", Permutation{}, rising, long, nan},
		{"empty", Permutation{}, nil, nil, nan},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.t.PValue(c.x, c.y, Pearson); !near(got, c.want, 1e-15) {
				t.Errorf("p = %g, want %g", got, c.want)
			}
		})
	}
}

// Of lists that have nothing to do with each other, one in ten has a p of 0.1 or less.
func TestPValuesAreUniformByChance(t *testing.T) {
	const lists = 400
	low, rng := 0, rand.New(rand.NewPCG(1, 2))
	x, y := make([]float64, 9), make([]float64, 9)
	for seed := range uint64(lists) {
		for i := range x {
			x[i], y[i] = rng.NormFloat64(), rng.NormFloat64()
		}
		if (Permutation{Rounds: 199, Seed: seed}).PValue(x, y, Pearson) <= 0.1 {
			low++
		}
	}
	// 40 and 3.3 standard deviations
	if low < 20 || low > 60 {
		t.Errorf("%d of %d at 0.1 or below, want about 40", low, lists)
	}
}

func TestLeaveOneOut(t *testing.T) {
	// The last pair alone makes the correlation.
	x, y := []float64{1, 2, 3, 4, 40}, []float64{3, 1, 4, 2, 30}
	in := LeaveOneOut(x, y, Pearson)
	if in.Lowest != 4 || !near(in.Low, 0, 1e-12) || in.High < 0.9 {
		t.Errorf("got %+v, want the last pair to take it to 0", in)
	}
	for name, c := range map[string][2][]float64{
		"three pairs": {{1, 2, 3}, {1, 3, 2}}, "one pair": {{1}, {1}}, "empty": {}, "NaN": {{1, 2, 3, nan}, {1, 2, 3, 4}},
	} {
		if in := LeaveOneOut(c[0], c[1], Pearson); in.Lowest != -1 || !math.IsNaN(in.Low) || !math.IsNaN(in.High) {
			t.Errorf("%s: %+v, want nothing", name, in)
		}
	}
	// Without the last pair the reference is constant: that one has no value, the others have.
	if in := LeaveOneOut([]float64{1, 2, 3, 4, 5}, []float64{1, 1, 1, 1, 2}, Pearson); in.Lowest == 4 || in.Lowest == -1 || math.IsNaN(in.Low) {
		t.Errorf("got %+v", in)
	}
}

func TestBCaDegenerate(t *testing.T) {
	four := []float64{1, 2, 3, 4}
	if p, bca := (Bootstrap{Resamples: 100}).Intervals(four, four, Pearson); !near(bca.Low, 1, 1e-12) || !near(bca.High, 1, 1e-12) || p.Value != 1 {
		t.Errorf("of a straight line: %+v, want 1", bca)
	}
	// Four pairs, three of them alike in y: without the fourth the correlation is undefined, and so
	// is the acceleration.
	if p, bca := (Bootstrap{Resamples: 100}).Intervals(four, []float64{1, 1, 1, 2}, Pearson); !math.IsNaN(bca.Low) || math.IsNaN(p.Low) {
		t.Errorf("percentile %+v, BCa %+v, want the first only", p, bca)
	}
	// A statistic that is largest on the data: the value lies outside all of its resamples.
	calls := 0
	top := func(x, y []float64) float64 {
		if calls++; calls == 1 {
			return 1
		}
		return 0.5
	}
	if _, bca := (Bootstrap{Resamples: 100}).Intervals(four, four, top); !math.IsNaN(bca.Low) || !math.IsNaN(bca.High) {
		t.Errorf("outside all resamples: %+v, want no bounds", bca)
	}
}
