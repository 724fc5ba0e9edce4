package correlate

import (
	"math"
	"slices"

	"ablate/stages/internal/stat"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// rows computes the statistics of a comparison, a row a proxy. All intervals resample with one
// seed, so that proxies are judged on the same resamples of mixtures; so do all permutations.
func (c comparison) rows(p kind.CorrelateParams) []tables.CorrelationRow {
	boot := stat.Bootstrap{Resamples: p.Resamples, Level: p.Level, Seed: uint64(p.Seed)}
	chance := stat.Permutation{Rounds: p.Resamples, Seed: uint64(p.Seed)}
	noise := c.noise()
	var rows []tables.CorrelationRow
	for _, pairs := range c.Pairs {
		x, y := pairs.Proxies, pairs.References
		cost, refCost := c.Metric.Costs(x), c.Metric.Costs(y) // for decisions, which take the lowest
		row := tables.CorrelationRow{
			Group: c.Group, Set: c.Set, Proxy: pairs.Proxy, Metric: c.named, N: int64(len(x)),
			PairwiseAccuracy: stat.PairwiseAccuracy(x, y), RegretBlind: stat.Blind(refCost), Place: int64(stat.Place(cost, refCost)),
			PearsonP: chance.PValue(x, y, stat.Pearson), SpearmanP: chance.PValue(x, y, stat.Spearman), KendallP: chance.PValue(x, y, stat.Kendall),
		}
		row.Noise, row.NoiseLeast, row.Ceiling = noise.SD, noise.Least(p.Level), noise.Ceiling(y)
		pearson, pearsonBCa := boot.Intervals(x, y, stat.Pearson)
		row.Pearson, row.PearsonLow, row.PearsonHigh = pearson.Value, pearson.Low, pearson.High
		row.PearsonBCaLow, row.PearsonBCaHigh = pearsonBCa.Low, pearsonBCa.High
		spearman, spearmanBCa := boot.Intervals(x, y, stat.Spearman)
		row.Spearman, row.SpearmanLow, row.SpearmanHigh = spearman.Value, spearman.Low, spearman.High
		row.SpearmanBCaLow, row.SpearmanBCaHigh = spearmanBCa.Low, spearmanBCa.High
		kendall, kendallBCa := boot.Intervals(x, y, stat.Kendall)
		row.Kendall, row.KendallLow, row.KendallHigh = kendall.Value, kendall.Low, kendall.High
		row.KendallBCaLow, row.KendallBCaHigh = kendallBCa.Low, kendallBCa.High

		without := stat.LeaveOneOut(x, y, stat.Pearson)
		row.WithoutLow, row.WithoutHigh = without.Low, without.High
		if without.Lowest >= 0 {
			row.WithoutLowest = pairs.Mixtures[without.Lowest]
		}
		top := stat.TopK(cost, refCost, 3)
		row.Top3Share, row.Top3Regret = top.Share, top.Regret
		choice := stat.Regret(cost, refCost)
		row.Rank, row.Regret = int64(choice.Rank), choice.Regret
		if choice.Chosen >= 0 {
			row.Chosen, row.Best = pairs.Mixtures[choice.Chosen], pairs.Mixtures[choice.Best]
		}
		rows = append(rows, row)
	}
	return rows
}

// noise is how far reference scores move when only the seed differs: that of a mean over seeds
// where the reference is one.
func (c comparison) noise() stat.Noise {
	fewest := 1
	for i, r := range c.replicates {
		if i == 0 || len(r) < fewest {
			fewest = len(r)
		}
	}
	return stat.NoiseFloor(c.replicates).Of(fewest)
}

// decisions sums the correlations up over out-of-domain sets, a row for each proxy of each set of
// mixtures and each metric, in the order they appear in.
func decisions(correlations []tables.CorrelationRow) []tables.DecisionRow {
	var rows []tables.DecisionRow
	ranks := map[int][]float64{}  // by row
	shares := map[int][]float64{} // of regret, likewise
	for _, c := range correlations {
		if c.Set == kind.InDomain || c.Set == kind.Average || c.Rank == 0 {
			continue
		}
		i := slices.IndexFunc(rows, func(r tables.DecisionRow) bool {
			return r.Group == c.Group && r.Proxy == c.Proxy && r.Metric == c.Metric
		})
		if i < 0 {
			i = len(rows)
			rows = append(rows, tables.DecisionRow{Group: c.Group, Proxy: c.Proxy, Metric: c.Metric})
		}
		r := &rows[i]
		r.Sets++
		r.Mixtures = max(r.Mixtures, c.N)
		if c.Rank == 1 {
			r.Right++
		}
		if c.Place <= 3 {
			r.Top3++
		}
		r.WorstRank = max(r.WorstRank, c.Rank)
		r.PairwiseAccuracy += c.PairwiseAccuracy
		ranks[i] = append(ranks[i], float64(c.Rank))
		if c.RegretBlind > 0 {
			shares[i] = append(shares[i], c.Regret/c.RegretBlind)
		}
	}
	for i := range rows {
		rows[i].PairwiseAccuracy /= float64(rows[i].Sets)
		rows[i].MedianRank = median(ranks[i])
		rows[i].RegretShare = mean(shares[i])
	}
	return rows
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

// mean of nothing is NaN.
func mean(v []float64) float64 {
	var sum float64
	for _, x := range v {
		sum += x
	}
	if len(v) == 0 {
		return math.NaN()
	}
	return sum / float64(len(v))
}
