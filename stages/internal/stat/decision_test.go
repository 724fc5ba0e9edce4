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

func TestTopKAndPlace(t *testing.T) {
	third := 1. / 3
	for _, c := range []struct {
		name       string
		proxy, ref []float64
		k          int
		want       Top
		place      int
	}{
		{"right", []float64{1, 2, 3, 4}, []float64{10, 20, 30, 40}, 1, Top{1, true, 1, 0}, 1},
		{"best is second", []float64{1, 2, 3, 4}, []float64{20, 10, 30, 40}, 1, Top{1, false, 0, 10}, 2},
		{"and in the top two", []float64{1, 2, 3, 4}, []float64{20, 10, 30, 40}, 2, Top{2, true, 1, 0}, 2},
		{"one of three", []float64{1, 2, 3, 4, 5}, []float64{50, 40, 30, 10, 20}, 3, Top{3, false, third, 20}, 4},
		{"all", []float64{2, 1}, []float64{1, 2}, 2, Top{2, true, 1, 0}, 2},
		{"two best", []float64{3, 1, 2}, []float64{5, 7, 5}, 2, Top{2, true, 0.5, 0}, 2},
		{"the proxy ties", []float64{1, 1, 1}, []float64{3, 2, 1}, 1, Top{1, false, 0, 2}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := TopK(c.proxy, c.ref, c.k)
			if got.K != c.want.K || got.Best != c.want.Best || !near(got.Share, c.want.Share, 1e-15) || !near(got.Regret, c.want.Regret, 1e-15) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if got := Place(c.proxy, c.ref); got != c.place {
				t.Errorf("place %d, want %d", got, c.place)
			}
		})
	}
	for _, k := range []int{0, -1, 4} {
		if got := TopK([]float64{1, 2, 3}, []float64{1, 2, 3}, k); got.Best || !math.IsNaN(got.Share) || !math.IsNaN(got.Regret) {
			t.Errorf("top %d of three: %+v", k, got)
		}
	}
	if got := Place(nil, nil); got != 0 {
		t.Errorf("place among none: %d", got)
	}
}

func TestBlind(t *testing.T) {
	if got := Blind([]float64{10, 14, 12}); !near(got, 2, 1e-15) {
		t.Errorf("got %g, want 2", got)
	}
	for _, v := range [][]float64{nil, {1, nan}} {
		if got := Blind(v); !math.IsNaN(got) {
			t.Errorf("of %v: %g, want NaN", v, got)
		}
	}
}
