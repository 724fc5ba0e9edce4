package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var nan, inf = math.NaN(), math.Inf(1)

func near(a, b, within float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= within
}

// Values of scipy 1.17.1: pearsonr, spearmanr and kendalltau (variant b) on the same lists.
func TestCorrelationsAgainstScipy(t *testing.T) {
	for _, c := range []struct {
		name                       string
		x, y                       []float64
		pearson, spearman, kendall float64
	}{
		{"plain", []float64{41.2, 39.8, 44.1, 40.3, 47.9, 42.2, 45.0}, []float64{38.9, 38.1, 41.7, 38.0, 43.9, 40.1, 40.8},
			0.9713799529963834, 0.9285714285714288, 0.8095238095238096},
		{"ties in both", []float64{1, 2, 2, 3, 3, 3, 4, 5}, []float64{1, 1, 2, 2, 3, 5, 4, 4},
			0.7509726729423102, 0.8000625073251726, 0.6940220937885673},
		{"falling", []float64{1, 2, 3, 4, 5}, []float64{10, 7, 7.5, 3, 1}, -0.9574271077563383, -0.9, -0.8},
		{"three pairs", []float64{1, 2, 4}, []float64{3, 3, 5}, 0.944911182523068, 0.8660254037844387, 0.816496580927726},
		{"curved", []float64{1, 2, 3, 4, 5, 6}, []float64{1, 8, 27, 64, 125, 216}, 0.9379313244517968, 1, 1},
		{"large offset", []float64{1e8 + 1, 1e8 + 2, 1e8 + 3, 1e8 + 4}, []float64{2, 1, 4, 3}, 0.6, 0.6, 1.0 / 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, f := range []struct {
				name string
				f    func(x, y []float64) float64
				want float64
			}{{"Pearson", Pearson, c.pearson}, {"Spearman", Spearman, c.spearman}, {"Kendall", Kendall, c.kendall}} {
				if got := f.f(c.x, c.y); !near(got, f.want, 1e-14) {
					t.Errorf("%s = %.17g, want %.17g", f.name, got, f.want)
				}
				if got := f.f(c.y, c.x); !near(got, f.want, 1e-14) {
					t.Errorf("%s with x and y exchanged = %.17g, want %.17g", f.name, got, f.want)
				}
			}
		})
	}
}

func TestCorrelationsUndefined(t *testing.T) {
	for _, c := range []struct {
		name string
		x, y []float64
	}{
		{"empty", nil, nil},
		{"one pair", []float64{1}, []float64{1}},
		{"two pairs", []float64{1, 2}, []float64{1, 2}},
		{"unequal lengths", []float64{1, 2, 3, 4}, []float64{1, 2, 3}},
		{"constant x", []float64{0.1, 0.1, 0.1, 0.1}, []float64{1, 2, 3, 4}},
		{"constant y", []float64{1, 2, 3, 4}, []float64{0.1, 0.1, 0.1, 0.1}},
		{"constant zero", []float64{0, 0, 0}, []float64{1, 2, 3}},
		{"NaN", []float64{1, 2, nan}, []float64{1, 2, 3}},
		{"infinite", []float64{1, 2, 3}, []float64{1, inf, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, f := range map[string]func(x, y []float64) float64{"Pearson": Pearson, "Spearman": Spearman, "Kendall": Kendall} {
				if got := f(c.x, c.y); !math.IsNaN(got) {
					t.Errorf("%s = %g, want NaN", name, got)
				}
			}
		})
	}
}

// Perplexities of models that diverged must neither overflow nor leave [-1, 1].
func TestPearsonOfHugeValues(t *testing.T) {
	for _, scale := range []float64{1e-300, 1, 1e30, 1e300} {
		x, y := []float64{1 * scale, 2 * scale, 3 * scale, 4 * scale}, []float64{2, 1, 4, 3}
		if got := Pearson(x, y); !near(got, 0.6, 1e-15) {
			t.Errorf("scale %g: Pearson = %.17g, want 0.6", scale, got)
		}
	}
	if got := Pearson([]float64{1, 2, 3, 1e30}, []float64{5, 4, 3, 1e30}); !near(got, 1, 1e-12) {
		t.Errorf("one score far above the others: Pearson = %.17g, want 1", got)
	}
}

// scipy.stats.rankdata of the same list.
func TestMidRanks(t *testing.T) {
	got := MidRanks([]float64{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5})
	want := []float64{4.5, 1.5, 6, 1.5, 8, 11, 3, 10, 8, 4.5, 8}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := MidRanks(nil); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

// slowPairs looks at every pair.
func slowPairs(x, y []float64) pairs {
	var p pairs
	for i := range x {
		for j := range i {
			p.all++
			cx, cy := compare(x[i], x[j]), compare(y[i], y[j])
			if cx == 0 {
				p.tiedX++
			}
			if cy == 0 {
				p.tiedY++
			}
			p.score += int64(cx * cy)
		}
	}
	return p
}

func TestCountPairsAgainstEveryPair(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 40 {
		for _, values := range []int{1, 2, 5, 1000} { // few values make many ties
			x, y := make([]float64, n), make([]float64, n)
			for i := range x {
				x[i], y[i] = float64(rng.IntN(values)), float64(rng.IntN(values))
			}
			if got, want := countPairs(x, y), slowPairs(x, y); got != want {
				t.Fatalf("x %v, y %v: %+v, want %+v", x, y, got, want)
			}
		}
	}
}

func TestInputsAreLeftAlone(t *testing.T) {
	x, y := []float64{3, 1, 2, 5, 4}, []float64{2, 1, 3, 5, 4}
	wantX, wantY := slices.Clone(x), slices.Clone(y)
	Pearson(x, y)
	Spearman(x, y)
	Kendall(x, y)
	PairwiseAccuracy(x, y)
	Regret(x, y)
	Bootstrap{Resamples: 50}.Interval(x, y, Kendall)
	if !slices.Equal(x, wantX) || !slices.Equal(y, wantY) {
		t.Errorf("x %v, y %v, want %v, %v", x, y, wantX, wantY)
	}
}
