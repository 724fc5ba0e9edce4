package stat

import (
	"math"
	"testing"
)

var (
	proxyScores     = []float64{41.2, 39.8, 44.1, 40.3, 47.9, 42.2, 45.0, 43.3, 46.1, 40.9, 42.8, 44.7}
	referenceScores = []float64{38.9, 38.1, 41.7, 38.0, 43.9, 40.1, 40.8, 41.9, 42.2, 39.9, 38.8, 42.5}
)

// scipy 1.17.1: stats.bootstrap((x, y), pearsonr, paired, method "percentile", 60,000 resamples,
// numpy's default_rng(1)) gives 0.73423 .. 0.97284. The resamples differ, so the bounds agree
// within their own resampling error only: the standard error of the 2.5 % point of 10,000 resamples
// is about 0.004 here.
func TestIntervalAgainstScipy(t *testing.T) {
	got := Bootstrap{Seed: 1}.Interval(proxyScores, referenceScores, Pearson)
	if !near(got.Value, 0.9029564859424069, 1e-14) || !near(got.Low, 0.73423, 0.012) || !near(got.High, 0.97284, 0.003) {
		t.Errorf("got %+v, want about {0.90296 0.73423 0.97284}", got)
	}
}

// These bits are ours: they hold the draws, the redrawing and the quantile in place on every
// machine and Go version.
func TestIntervalIsPinned(t *testing.T) {
	b := Bootstrap{Resamples: 1000, Level: 0.9, Seed: 7}
	got := b.Interval(proxyScores, referenceScores, Kendall)
	want := Interval{Value: 0.696969696969697, Low: 0.5, High: 0.8709677419354839}
	if !near(got.Value, want.Value, 1e-12) || !near(got.Low, want.Low, 1e-12) || !near(got.High, want.High, 1e-12) {
		t.Errorf("got %.17g %.17g %.17g, want %+v", got.Value, got.Low, got.High, want)
	}
	if again := b.Interval(proxyScores, referenceScores, Kendall); again != got {
		t.Errorf("again %+v, at first %+v", again, got)
	}
	b.Seed = 8
	if other := b.Interval(proxyScores, referenceScores, Kendall); other == got {
		t.Errorf("another seed gives the same interval %+v", other)
	}
}

func TestIntervalUndefined(t *testing.T) {
	four := []float64{1, 2, 3, 4}
	for _, c := range []struct {
		name  string
		b     Bootstrap
		x, y  []float64
		value float64
	}{
		{"three pairs", Bootstrap{}, []float64{1, 2, 4}, []float64{1, 2, 3}, 0.98198050606196574},
		{"two pairs", Bootstrap{}, []float64{1, 2}, []float64{1, 2}, nan},
		{"constant", Bootstrap{}, four, []float64{1, 1, 1, 1}, nan},
		{"unequal lengths", Bootstrap{}, four, []float64{1, 2, 3}, nan},
		{"NaN", Bootstrap{}, four, []float64{1, 2, 3, nan}, nan},
		{"level of one", Bootstrap{Level: 1}, four, four, 1},
		{"negative level", Bootstrap{Level: -0.5}, four, four, 1},
		{"negative resamples", Bootstrap{Resamples: -1}, four, four, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.b.Interval(c.x, c.y, Pearson)
			if !near(got.Value, c.value, 1e-15) || !math.IsNaN(got.Low) || !math.IsNaN(got.High) {
				t.Errorf("got %+v, want value %g without bounds", got, c.value)
			}
		})
	}
}

// Three of four reference scores are equal: a third of the resamples is constant ((3/4)^4 = 0.32)
// and is drawn again.
func TestIntervalRedrawsDegenerateResamples(t *testing.T) {
	calls, undefined := 0, 0
	got := Bootstrap{Resamples: 500}.Interval([]float64{1, 2, 3, 4}, []float64{1, 1, 1, 2}, func(x, y []float64) float64 {
		r := Pearson(x, y)
		calls++
		if math.IsNaN(r) {
			undefined++
		}
		return r
	})
	if math.IsNaN(got.Low) || math.IsNaN(got.High) || got.Low > got.Value || got.High < got.Value {
		t.Errorf("got %+v, want bounds about the value", got)
	}
	if undefined == 0 || calls != 1+500+undefined {
		t.Errorf("%d calls, %d undefined, want 501 defined ones and some undefined", calls, undefined)
	}
}

// A statistic that is undefined on two thirds of the resamples: drawing ends at twice the resamples
// asked for.
func TestIntervalGivesUp(t *testing.T) {
	calls := 0
	got := Bootstrap{Resamples: 100}.Interval(proxyScores, referenceScores, func(x, y []float64) float64 {
		calls++
		if calls > 1 && calls%3 != 0 {
			return math.NaN()
		}
		return 1
	})
	if got.Value != 1 || !math.IsNaN(got.Low) || !math.IsNaN(got.High) || calls != 201 {
		t.Errorf("got %+v after %d calls, want {1 NaN NaN} after 201", got, calls)
	}
}

// numpy 2.4.6: quantile(v, p), default method "linear".
func TestQuantile(t *testing.T) {
	v := []float64{0.1, 0.35, 0.48, 0.5, 0.62, 0.77, 0.9}
	for _, c := range []struct{ p, want float64 }{{0, 0.1}, {0.025, 0.1375}, {0.5, 0.5}, {0.9, 0.822}, {0.975, 0.8805}, {1, 0.9}} {
		if got := quantile(v, c.p); !near(got, c.want, 1e-15) {
			t.Errorf("quantile %g = %.17g, want %g", c.p, got, c.want)
		}
	}
	if got := quantile([]float64{3}, 0.3); got != 3 {
		t.Errorf("of one value: %g, want 3", got)
	}
}

func BenchmarkIntervalKendall50(b *testing.B) {
	x, y := make([]float64, 50), make([]float64, 50)
	for i := range x {
		x[i], y[i] = float64(i*7%50), float64(i*11%50)
	}
	for b.Loop() {
		Bootstrap{}.Interval(x, y, Kendall)
	}
}
