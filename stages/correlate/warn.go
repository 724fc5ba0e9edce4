package correlate

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"ablate/specs/words"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

const (
	// fewMixtures is how many mixtures an interval wants at least: with fewer the percentile
	// bootstrap of a correlation is too narrow.
	fewMixtures = 10
	// alikeShare is by how large a share the reference scores of a set must differ at least.
	// Trainings that differ in nothing but their seed differ by about as much.
	alikeShare = 0.01
)

// warnings says what the sample of mixtures cannot support, in the order of the comparisons: first
// of all the sets of a set of mixtures together, then set by set, then proxy by proxy.
func warnings(all []comparison, scores []tables.ScoreRow, correlations []tables.CorrelationRow, level float64) []tables.WarningRow {
	var out []tables.WarningRow
	metric := "" // of what is warned of
	add := func(group, set, proxy, code, format string, args ...any) {
		out = append(out, tables.WarningRow{Group: group, Set: set, Proxy: proxy, Code: code, Message: fmt.Sprintf(format, args...), Metric: metric})
	}
	sizes := map[string]int64{}
	for _, r := range correlations {
		sizes[r.Group] = max(sizes[r.Group], r.N)
	}
	out = append(out, overflows(scores)...)
	group := ""
	for i, c := range all {
		if i == 0 || c.Group != group {
			group = c.Group
			metric = ""
			if n := sizes[group]; n > 0 && n < fewMixtures {
				add(group, "", "", tables.WarnFew, "only %s a reference; with fewer than %d, intervals are too narrow", words.Counted(n, "mixture has", "mixtures have"), fewMixtures)
			}
		}
		metric = c.named
		low, high := c.spread()
		least := c.noise().Least(level)
		switch {
		case high-low < least:
			add(group, c.Set, "", tables.WarnAlike, "reference %s differ by at most %.3g, which is within seed noise (%.3g): there is no ranking to predict", c.Metric.Plural, high-low, least)
		case math.IsNaN(least) && high > low && apart(low, high) < alikeShare:
			add(group, c.Set, "", tables.WarnAlike, "reference %s differ by at most %s: another seed could rank the mixtures differently", c.Metric.Plural, percentage(apart(low, high)))
		}
		for _, r := range correlations {
			if r.Group == c.Group && r.Set == c.Set && r.Metric == c.named {
				tell := func(code, format string, args ...any) { add(r.Group, r.Set, r.Proxy, code, format, args...) }
				if !c.overflows(r.Proxy) { // for which the set has a warning
					warn(r, level, tell)
				}
				warnNoise(c.Metric, r, tell)
			}
		}
	}
	return out
}

// apart is by how large a share of the smaller one two scores differ; of scores on both sides of
// zero, or below, of the larger.
func apart(low, high float64) float64 {
	if low > 0 {
		return high/low - 1
	}
	return (high - low) / max(math.Abs(low), math.Abs(high))
}

// overflows says of each set of mixtures and evaluation set how many scores are infinite.
// Comparisons without references have none of their own, so that the scores are asked.
func overflows(scores []tables.ScoreRow) []tables.WarningRow {
	type at struct{ group, set, metric string }
	var order []at
	all, infinite, loss := map[at]int64{}, map[at]int64{}, map[at]float64{}
	for _, s := range scores {
		k := at{s.Group, s.Set, s.Metric}
		if all[k]++; all[k] == 1 {
			order = append(order, k)
		}
		if math.IsInf(s.Score(), 0) {
			infinite[k]++
			loss[k] = max(loss[k], s.Loss)
		}
	}
	var out []tables.WarningRow
	for _, k := range order {
		if infinite[k] == 0 {
			continue
		}
		message := fmt.Sprintf("%d of %d scores by %s are infinite: a proxy with an infinite score is not compared", infinite[k], all[k], k.metric)
		if k.metric == "" {
			message = fmt.Sprintf("the perplexity of %d of %d scores overflows (losses of up to %.4g nats per token): a proxy with such a score is not compared; compare the models by the losses in scores.csv",
				infinite[k], all[k], loss[k])
		}
		out = append(out, tables.WarningRow{Group: k.group, Set: k.set, Code: tables.WarnOverflow, Message: message, Metric: k.metric})
	}
	return out
}

// overflows reports whether a score that a proxy is compared by is infinite.
func (c comparison) overflows(proxy string) bool {
	infinite := func(v float64) bool { return math.IsInf(v, 0) }
	return slices.ContainsFunc(c.Pairs, func(p ProxyPairs) bool {
		return p.Proxy == proxy && (slices.ContainsFunc(p.Proxies, infinite) || slices.ContainsFunc(p.References, infinite))
	})
}

// spread is the lowest and highest reference score.
func (c comparison) spread() (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, p := range c.Pairs {
		low, high = min(low, slices.Min(p.References)), max(high, slices.Max(p.References))
	}
	return low, high
}

// warn tells what is wrong with one correlation, Pearson's, which the paper reports.
func warn(r tables.CorrelationRow, level float64, add func(code, format string, args ...any)) {
	if math.IsNaN(r.Pearson) {
		if r.N < 3 {
			add(tables.WarnNone, "%s: a correlation needs at least 3", words.Counted(r.N, "mixture", "mixtures"))
		} else {
			add(tables.WarnNone, "the correlation is not defined: all scores are equal")
		}
		return
	}
	low, high := r.PearsonLow, r.PearsonHigh
	switch {
	case math.IsNaN(low):
		add(tables.WarnBounds, "the correlation has no interval: most bootstrap resamples of %s have equal scores", words.Counted(r.N, "mixture", "mixtures"))
	case low <= 0 && high >= 0:
		add(tables.WarnZero, "the %s interval of the correlation, %.2f to %.2f, includes zero", percentage(level), low, high)
	case r.PearsonBCaLow <= 0 && r.PearsonBCaHigh >= 0:
		add(tables.WarnZero, "the %s BCa interval of the correlation, %.2f to %.2f, includes zero", percentage(level), r.PearsonBCaLow, r.PearsonBCaHigh)
	}
	if r.PearsonP > 1-level {
		add(tables.WarnChance, "randomly permuted scores correlate at least as well in %s of permutations", percentage(r.PearsonP))
	}
	// What is left without the mixture that matters most is less than half, or of the other sign.
	if left := r.WithoutLow; r.Pearson > 0 && left < r.Pearson/2 {
		add(tables.WarnOne, "without mixture %s the correlation is %.2f instead of %.2f", r.WithoutLowest, left, r.Pearson)
	}
}

// warnNoise tells where the regret is less than two seeds of one mixture may differ by.
func warnNoise(metric kind.Metric, r tables.CorrelationRow, add func(code, format string, args ...any)) {
	if r.Regret > 0 && r.Regret < r.NoiseLeast {
		add(tables.WarnNoise, "the chosen mixture is worse than the best by %.3g %s, which is within seed noise (%.3g)", r.Regret, metric.Name, r.NoiseLeast)
	}
}

// percentage has two significant digits and no trailing zeros.
func percentage(share float64) string {
	short, err := strconv.ParseFloat(strconv.FormatFloat(share*100, 'g', 2, 64), 64)
	if err != nil {
		return "-" // cannot be: it was written one line above
	}
	return strconv.FormatFloat(short, 'f', -1, 64) + "%"
}
