package report

import (
	"slices"

	"ablate/stages/correlate"
	"ablate/stages/internal/page"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// judged reads what each proxy decides over all out-of-domain sets, and what the sample of mixtures
// cannot support.
func (b *builder) judged() error {
	several := slices.ContainsFunc(b.in.Mixtures, func(m Mixture) bool { return m.Group != b.in.Mixtures[0].Group })
	if b.in.Decisions != "" {
		rows, err := tables.Decisions.Read(b.in.Decisions)
		if err != nil {
			return err
		}
		for _, r := range rows {
			metric, err := kind.FindMetric(r.Metric)
			if err != nil {
				return err
			}
			b.d.Decisions = append(b.d.Decisions, page.Decision{
				Proxy: correlate.Titled(r.Group, metric.On(r.Proxy), several), Sets: int(r.Sets), Mixtures: int(r.Mixtures), Right: int(r.Right), Top3: int(r.Top3),
				MedianRank: r.MedianRank, WorstRank: int(r.WorstRank), PairwiseAccuracy: r.PairwiseAccuracy, RegretShare: r.RegretShare,
			})
		}
	}
	if b.in.Limits == "" {
		return nil
	}
	rows, err := tables.Warnings.Read(b.in.Limits)
	if err != nil {
		return err
	}
	for _, r := range rows {
		set := r.Set
		if set == "" {
			set = "every eval set"
		}
		metric, err := kind.FindMetric(r.Metric)
		if err != nil {
			return err
		}
		b.d.Limits = append(b.d.Limits, page.Limit{Set: correlate.Titled(r.Group, metric.On(set), several), Proxy: r.Proxy, Code: r.Code, Message: r.Message})
	}
	return nil
}
