package correlate

import (
	"testing"

	"ablate/stages/kind"
)

// Of a metric of which more is better a proxy chooses the mixture of the highest score, and
// correlations are those of the scores as they are.
func TestDecisionsFollowTheMetric(t *testing.T) {
	pairs := []ProxyPairs{{Proxy: "macro", Mixtures: []string{"a", "b", "c", "d"}, Proxies: []float64{0.2, 0.9, 0.7, 0.1}, References: []float64{0.3, 0.6, 0.8, 0.2}}}
	p := kind.CorrelateParams{Resamples: 20, Level: 0.95, Seed: 1}
	of := func(higher bool) comparison {
		return comparison{Group: "g", Set: "s", Pairs: pairs, Metric: kind.Metric{Name: "accuracy", HigherIsBetter: higher}}
	}
	up, down := of(true).rows(p)[0], of(false).rows(p)[0]
	if up.Chosen != "b" || up.Best != "c" || up.Rank != 2 || up.Place != 2 || up.Regret < 0.199 || up.Regret > 0.201 || up.RegretBlind <= 0 {
		t.Errorf("more is better: chose %s, best %s, rank %d, place %d, regret %g of %g", up.Chosen, up.Best, up.Rank, up.Place, up.Regret, up.RegretBlind)
	}
	if down.Chosen != "d" || down.Best != "d" || down.Rank != 1 || down.Regret != 0 {
		t.Errorf("less is better: chose %s, best %s, rank %d, regret %g", down.Chosen, down.Best, down.Rank, down.Regret)
	}
	if up.Pearson != down.Pearson || up.PairwiseAccuracy != down.PairwiseAccuracy || up.Pearson <= 0 {
		t.Errorf("correlations %g and %g", up.Pearson, down.Pearson)
	}
}
