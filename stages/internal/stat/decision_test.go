package stat

import (
	"math"
	"testing"
)

func TestRegret(t *testing.T) {
	for _, c := range []struct {
		name       string
		proxy, ref []float64
		want       Choice
	}{
		{"right", []float64{3, 1, 2}, []float64{30, 10, 20}, Choice{N: 3, Chosen: 1, Best: 1, Rank: 1, Regret: 0}},
		{"second best", []float64{3, 1, 2}, []float64{30, 20, 12}, Choice{N: 3, Chosen: 1, Best: 2, Rank: 2, Regret: 8}},
		{"worst", []float64{1, 2, 3}, []float64{3, 2, 1}, Choice{N: 3, Chosen: 0, Best: 2, Rank: 3, Regret: 2}},
		{"tie in the proxy: the first", []float64{2, 1, 1}, []float64{1, 3, 2}, Choice{N: 3, Chosen: 1, Best: 0, Rank: 3, Regret: 2}},
		{"tie in the reference: the better place", []float64{2, 3, 1}, []float64{5, 5, 5}, Choice{N: 3, Chosen: 2, Best: 0, Rank: 1, Regret: 0}},
		{"one mixture", []float64{2}, []float64{5}, Choice{N: 1, Rank: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Regret(c.proxy, c.ref); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
	for name, in := range map[string][2][]float64{
		"empty": {}, "unequal": {{1, 2}, {1}}, "NaN": {{1, nan}, {1, 2}}, "infinite": {{1, 2}, {inf, 2}},
	} {
		if got := Regret(in[0], in[1]); got.Chosen != -1 || got.Best != -1 || got.Rank != 0 || !math.IsNaN(got.Regret) {
			t.Errorf("%s: got %+v, want nothing chosen", name, got)
		}
	}
}

func TestPairwiseAccuracy(t *testing.T) {
	for _, c := range []struct {
		name       string
		proxy, ref []float64
		want       float64
	}{
		{"all alike", []float64{1, 2, 3}, []float64{10, 20, 30}, 1},
		{"all opposed", []float64{1, 2, 3}, []float64{3, 2, 1}, 0},
		{"two of three", []float64{1, 2, 3}, []float64{1, 3, 2}, 2. / 3},
		{"a tie counts half", []float64{1, 1, 3}, []float64{1, 2, 3}, 2.5 / 3},
		{"a tie in both counts half", []float64{1, 1, 3}, []float64{2, 2, 3}, 2.5 / 3},
		{"constant proxy is a coin", []float64{1, 1, 1}, []float64{1, 2, 3}, 0.5},
		{"two mixtures", []float64{1, 2}, []float64{5, 6}, 1},
		{"one mixture", []float64{1}, []float64{5}, nan},
		{"unequal lengths", []float64{1, 2}, []float64{5}, nan},
		{"NaN", []float64{1, 2, nan}, []float64{1, 2, 3}, nan},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := PairwiseAccuracy(c.proxy, c.ref); !near(got, c.want, 1e-15) {
				t.Errorf("got %g, want %g", got, c.want)
			}
		})
	}
}
