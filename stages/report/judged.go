package report

import (
	"slices"

	"ablate/cache/table"
	"ablate/stages/correlate"
	"ablate/stages/internal/page"
	"ablate/stages/tables"
)

// judged reads what each proxy decides over all out-of-domain sets, and what the sample of mixtures cannot support.
func (b *builder) judged() error {
	several := slices.ContainsFunc(b.in.Mixtures, func(m Mixture) bool { return m.Group != b.in.Mixtures[0].Group })
	if b.in.Decisions != "" {
		rows, err := table.ReadRows[tables.DecisionRow](b.in.Decisions)
		if err != nil {
			return err
		}
		for _, r := range rows {
			b.d.Decisions = append(b.d.Decisions, page.Decision{
				Proxy: correlate.Titled(r.Group, r.Proxy, several), Sets: int(r.Sets), Mixtures: int(r.Mixtures), Right: int(r.Right), Top3: int(r.Top3),
				MedianRank: r.MedianRank, WorstRank: int(r.WorstRank), PairwiseAccuracy: r.PairwiseAccuracy, RegretShare: r.RegretShare,
			})
		}
	}
	if b.in.Limits == "" {
		return nil
	}
	rows, err := table.ReadRows[tables.WarningRow](b.in.Limits)
	if err != nil {
		return err
	}
	for _, r := range rows {
		set := r.Set
		if set == "" {
			set = "every eval set"
		}
		b.d.Limits = append(b.d.Limits, page.Limit{Set: correlate.Titled(r.Group, set, several), Proxy: r.Proxy, Code: r.Code, Message: r.Message})
	}
	return nil
}
