package correlate

import (
	"cmp"
	"math"
	"slices"

	"ablate/stages/tables"
)

// proxyOrder is which proxy answers where no references judge the proxies: averages of parameters
// before averages of scores, macro before micro as the better one where partitions are of uneven
// size (paper, section 5.2).
var proxyOrder = []string{
	"macro", "micro", "merged", "weighted", "small_seq", "mixmin", "mean_merged", "mean_seq", "mean_ind", "merged_id", "seq_id", "ind_id",
}

// Answering is the proxy that answers for an evaluation set, and what supports it.
type Answering struct {
	Proxy string // empty: there was none to choose from

	// Supported: of all proxies judged, the lower bound of this one's correlation with the
	// references is the highest, and lies above zero. Else it is the first in an order that is
	// fixed beforehand.
	Supported  bool
	R, Low     float64 // Pearson's r and the lower bound of its percentile interval; NaN: not supported
	References int     // mixtures with a reference that proxies were judged by; 0: too few
	Judged     int     // proxies judged; those whose correlation and bound are the same count once
}

// BestProxy chooses the best supported of some proxies for one evaluation set and metric, by their
// correlations over one set of mixtures: the proxy whose Pearson's r with the references has the
// highest lower bound of its percentile bootstrap interval; of equal bounds the higher r; of equal
// proxies the first in a fixed order, macro before all others. It takes four references to judge a
// proxy. Where none can be judged, or no bound lies above zero, the answer is the first in that
// order.
//
// The bound of the chosen is optimistic. The same references chose the proxy and measured it, and
// the best of several looks better than it is; the more so, the more proxies were judged and the
// fewer the references.
func BestProxy(correlations []tables.CorrelationRow, proxies []string) Answering {
	a := Answering{R: math.NaN(), Low: math.NaN()}
	order := func(proxy string) int {
		if i := slices.Index(proxyOrder, proxy); i >= 0 {
			return i
		}
		return len(proxyOrder)
	}
	if len(proxies) > 0 {
		a.Proxy = slices.MinFunc(proxies, func(x, y string) int { return cmp.Or(cmp.Compare(order(x), order(y)), cmp.Compare(x, y)) })
	}
	var judged []tables.CorrelationRow
	for _, c := range correlations {
		if !slices.Contains(proxies, c.Proxy) || c.N < fewestReferences || math.IsNaN(c.Pearson) || math.IsNaN(c.PearsonLow) {
			continue
		}
		a.References = max(a.References, int(c.N))
		if !slices.ContainsFunc(judged, func(j tables.CorrelationRow) bool { return j.Pearson == c.Pearson && j.PearsonLow == c.PearsonLow }) {
			a.Judged++
		}
		judged = append(judged, c)
	}
	if len(judged) == 0 {
		return a
	}
	best := slices.MinFunc(judged, func(x, y tables.CorrelationRow) int {
		return cmp.Or(-cmp.Compare(x.PearsonLow, y.PearsonLow), -cmp.Compare(x.Pearson, y.Pearson), cmp.Compare(order(x.Proxy), order(y.Proxy)), cmp.Compare(x.Proxy, y.Proxy))
	})
	if best.PearsonLow > 0 {
		a.Proxy, a.Supported, a.R, a.Low = best.Proxy, true, best.Pearson, best.PearsonLow
	}
	return a
}
