package kind

import (
	"math"
	"slices"
	"testing"
)

func TestMetricHasADirection(t *testing.T) {
	accuracy := Metric{Name: "accuracy", HigherIsBetter: true}
	for _, c := range []struct {
		name   string
		metric Metric
		a, b   float64
		want   bool
	}{
		{"less perplexity", Perplexity, 8, 9, true},
		{"as much", Perplexity, 8, 8, false},
		{"more", Perplexity, 9, 8, false},
		{"than the worst", Perplexity, math.MaxFloat64, Perplexity.Worst(), true},
		{"more accuracy", accuracy, 0.9, 0.8, true},
		{"less accuracy", accuracy, 0.8, 0.9, false},
		{"none at all than the worst", accuracy, 0, accuracy.Worst(), true},
		{"NaN", Perplexity, math.NaN(), 8, false},
		{"than NaN", accuracy, 0.8, math.NaN(), false},
	} {
		if got := c.metric.Better(c.a, c.b); got != c.want {
			t.Errorf("%s: %s %g better than %g is %t, want %t", c.name, c.metric.Name, c.a, c.b, got, c.want)
		}
	}
	scores := []float64{0.25, 0.5}
	if got := accuracy.Costs(scores); !slices.Equal(got, []float64{-0.25, -0.5}) || !slices.Equal(scores, []float64{0.25, 0.5}) {
		t.Errorf("costs %v of scores %v", got, scores)
	}
}
