package correlate

import (
	"slices"

	"ablate/stages/kind"
	"ablate/stages/tables"
)

// SetsAveraged are the sets that the average of a metric's scores is over: all that have such
// scores but the in-domain one, which is another text for each mixture. None where there is one
// set, or a set that has the average's name.
func SetsAveraged(p kind.CorrelateParams, metric string) []string {
	scored, measured := map[string]bool{}, map[string]bool{} // with any score; with one of the metric
	for _, s := range p.Scores {
		scored[s.Set] = true
		measured[s.Set] = measured[s.Set] || s.Metric == metric
	}
	over := slices.DeleteFunc(slices.Clone(p.Sets), func(set string) bool {
		return set == kind.InDomain || scored[set] && !measured[set] || metric != "" && !measured[set]
	})
	if len(over) < 2 || slices.Contains(over, kind.Average) {
		return nil
	}
	return over
}

// Averages are the scores by one metric on all sets together, as the paper averages perplexities
// over the sets of Paloma: the mean of the sets' scores, each set counting as much. A scorer that
// has no score on one of the sets has no average.
func Averages(scores []tables.ScoreRow, over []string, metric string) []tables.ScoreRow {
	type scorer struct{ group, mixture, name string }
	at, sets := map[scorer]int{}, map[scorer]int{}
	var out []tables.ScoreRow
	for _, s := range scores {
		if s.Metric != metric || !slices.Contains(over, s.Set) {
			continue
		}
		k := scorer{s.Group, s.Mixture, s.Scorer}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, tables.ScoreRow{Group: s.Group, Mixture: s.Mixture, Scorer: s.Scorer, Set: kind.Average, Metric: metric})
		}
		sets[k]++
		a, share := &out[i], 1/float64(len(over))
		a.Perplexity += float64(share * s.Perplexity)
		a.Loss += float64(share * s.Loss)
		a.BitsPerByte += float64(share * s.BitsPerByte)
		a.Value += float64(share * s.Value)
		a.Documents += s.Documents
		a.Tokens += s.Tokens
	}
	return slices.DeleteFunc(out, func(a tables.ScoreRow) bool { return sets[scorer{a.Group, a.Mixture, a.Scorer}] < len(over) })
}

// metricsOf are the names of the metrics of a study's scores, in the order of the scores.
func metricsOf(p kind.CorrelateParams) []string {
	var names []string
	for _, s := range p.Scores {
		if !slices.Contains(names, s.Metric) {
			names = append(names, s.Metric)
		}
	}
	if names == nil {
		return []string{""}
	}
	return names
}

// SetsCompared are the evaluation sets that proxies are compared on, in display order: those of the
// study, and the average of a metric's scores where there is one.
func SetsCompared(p kind.CorrelateParams) []string {
	if slices.ContainsFunc(metricsOf(p), func(metric string) bool { return SetsAveraged(p, metric) != nil }) {
		return append(slices.Clone(p.Sets), kind.Average)
	}
	return p.Sets
}
