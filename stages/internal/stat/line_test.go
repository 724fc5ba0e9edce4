package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestLine(t *testing.T) {
	l := FitLine([]float64{1, 2, 3, 4}, []float64{3, 5, 7, 9})
	if !near(l.Slope, 2, 1e-15) || !near(l.Intercept, 1, 1e-14) || !near(l.SD, 0, 1e-14) || !near(l.Left, 0, 1e-14) {
		t.Errorf("got %+v, want y = 1 + 2x without error", l)
	}
	if l.Beyond(1) || l.Beyond(4) || !l.Beyond(0.99) || !l.Beyond(4.01) {
		t.Error("the line was fitted from 1 to 4")
	}
	for name, c := range map[string][2][]float64{
		"two pairs": {{1, 2}, {1, 2}}, "constant": {{1, 1, 1}, {1, 2, 3}}, "NaN": {{1, 2, nan}, {1, 2, 3}}, "unequal": {{1, 2, 3}, {1, 2}},
	} {
		l := FitLine(c[0], c[1])
		p := l.Predict(2, 0.95)
		if !math.IsNaN(l.Slope) || !math.IsNaN(p.Value) || !math.IsNaN(p.Low) || l.Beyond(2) {
			t.Errorf("%s: %+v predicts %+v, want nothing", name, l, p)
		}
	}
	if p := l.Predict(2, 1); !near(p.Value, 5, 1e-14) || !math.IsNaN(p.Low) {
		t.Errorf("at an impossible level: %+v", p)
	}
}

// Of lines through noise, the 90 % interval holds a new value nine times in ten.
func TestPredictionCovers(t *testing.T) {
	const lines = 300
	held, rng := 0, rand.New(rand.NewPCG(3, 4))
	x, y := make([]float64, 8), make([]float64, 8)
	for range lines {
		for i := range x {
			x[i], y[i] = float64(i), 2*float64(i)+rng.NormFloat64()
		}
		next := 9 + rng.NormFloat64()
		if p := FitLine(x, y).Predict(4.5, 0.9); p.Low <= next && next <= p.High {
			held++
		}
	}
	if held < 253 || held > 287 { // 270 and 3.3 standard deviations
		t.Errorf("the interval held %d of %d new values, want about 270", held, lines)
	}
}

func TestNoiseUndefined(t *testing.T) {
	for name, groups := range map[string][][]float64{"none": nil, "single scores": {{1}, {2}}, "NaN": {{1, nan}}, "infinite": {{1, inf}}} {
		n := NoiseFloor(groups)
		if !math.IsNaN(n.SD) || !math.IsNaN(n.Least(0.95)) {
			t.Errorf("%s: %+v, least difference %g, want NaN", name, n, n.Least(0.95))
		}
	}
	n := NoiseFloor([][]float64{{1, 3}, {5, 7}})
	if !near(n.SD, math.Sqrt2, 1e-15) || n.DF != 2 || n.Groups != 2 {
		t.Errorf("got %+v", n)
	}
	if got := n.Of(2); !near(got.SD, 1, 1e-15) || got.DF != 2 {
		t.Errorf("of a mean of two: %+v", got)
	}
	if got := n.Ceiling([]float64{1, 2, 1}); got != 0 {
		t.Errorf("scores that differ less than noise: ceiling %g, want 0", got)
	}
	if got := (Noise{SD: nan}).Ceiling([]float64{1, 2}); !math.IsNaN(got) {
		t.Errorf("without replicates: ceiling %g, want NaN", got)
	}
}

// What is measured in scores is the same number of times as large where the scores are, up to the
// largest that a float64 holds.
func TestNoiseAndRegretOfHugeValues(t *testing.T) {
	groups, scores := [][]float64{{1, 3}, {5, 7}}, []float64{1, 5, 7, 3}
	noise := NoiseFloor(groups)
	for _, e := range []int{-1000, 0, 100, 600, 1020} {
		var large [][]float64
		for _, g := range groups {
			large = append(large, shifted(g, e))
		}
		n := NoiseFloor(large)
		if want := math.Ldexp(noise.SD, e); n.SD != want {
			t.Errorf("2^%d: SD %g, want %g", e, n.SD, want)
		}
		if got, want := n.Ceiling(shifted(scores, e)), noise.Ceiling(scores); got != want {
			t.Errorf("2^%d: ceiling %g, want %g", e, got, want)
		}
		if got, want := Blind(shifted(scores, e)), math.Ldexp(Blind(scores), e); got != want {
			t.Errorf("2^%d: blind %g, want %g", e, got, want)
		}
	}
}
