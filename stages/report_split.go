package stages

import (
	"fmt"

	"ablate/cache/table"
	"ablate/specs/ident"
	"ablate/stages/internal/report"
)

// mostTimelineRows is how many rows of a timeline the page shows: years times fields, not minutes times pages.
const mostTimelineRows = 2000

// timelines reads what each set of partitions has by year, or whatever else orders it.
func (b *reportBuilder) timelines() error {
	for _, split := range b.in.Splits {
		if split.Timeline == "" {
			continue
		}
		rows, err := Timeline(split.Timeline)
		if err != nil {
			return fmt.Errorf("set %s: %w", split.Set, err)
		}
		sizes, err := Sizes(split.Sizes)
		if err != nil {
			return fmt.Errorf("set %s: %w", split.Set, err)
		}
		labels := Labels(sizes)
		t := report.Timeline{Set: split.Set, Order: split.Order, Left: max(0, len(rows)-mostTimelineRows)}
		for _, r := range rows[:len(rows)-t.Left] {
			t.Rows = append(t.Rows, report.TimelineRow{
				Partition: r.Partition, Value: r.Value, Documents: r.Documents, Tokens: r.Tokens, Units: r.Units(labels[r.Partition]),
				HeldOut: r.Test + r.Validation, RemovedDocuments: r.RemovedDocuments, RemovedTokens: r.RemovedTokens,
			})
		}
		b.d.Timelines = append(b.d.Timelines, t)
	}
	return nil
}

// removed sums the ledger of each split by what made documents go; texts that removed nothing are told, too.
func (b *reportBuilder) removed() error {
	for _, split := range b.in.Splits {
		if split.Filter == "" {
			continue
		}
		f, err := ReadFilter(split.Filter)
		if err != nil {
			return fmt.Errorf("set %s: %w", split.Set, err)
		}
		ledger, err := table.ReadRows[LedgerRow](split.Ledger)
		if err != nil {
			return fmt.Errorf("set %s: %w", split.Set, err)
		}
		losses := Losses(f, ledger)
		if len(losses) > 0 {
			b.d.Filters = append(b.d.Filters, fmt.Sprintf("Paragraphs of %s were %s.", split.Corpus, f.Words(losses)))
		}
		for _, l := range losses {
			b.d.Removed = append(b.d.Removed, report.Removed{
				Corpus: split.Corpus, Because: split.Words(l.Set), Documents: l.Documents, Paragraphs: l.Paragraphs,
				RemovedDocuments: l.RemovedDocuments, RemovedTokens: l.RemovedTokens,
			})
		}
	}
	return nil
}

// A Loss is what a split lost because of one set of evaluation text.
type Loss struct {
	FilterSet
	RemovedDocuments, RemovedTokens int64

	FalsePositives int64 // of the removed documents: a Bloom filter was wrong about them
}

// Losses sums a ledger by the sets of the filter that made it.
func Losses(f Filter, ledger []LedgerRow) []Loss {
	out := make([]Loss, len(f.Sets))
	at := map[string]int{}
	for i, s := range f.Sets {
		out[i].FilterSet, at[s.Set] = s, i
	}
	for _, r := range ledger {
		if i, ok := at[r.EvalSet]; ok {
			out[i].RemovedDocuments++
			out[i].RemovedTokens += r.Tokens
			if r.FalsePositive {
				out[i].FalsePositives++
			}
		}
	}
	return out
}

// Labels are the names of units without their partition's, "2005-2007" or "3", by partition.
func Labels(sizes []SizeRow) map[string][]string {
	labels := map[string][]string{}
	for _, r := range sizes {
		if r.Part == PartUnit {
			_, unit, ok := ident.ParseUnit(r.Name, 1)
			label := unit.Label()
			if !ok {
				label = r.Name // a table of an older version of the program
			}
			labels[r.Partition] = append(labels[r.Partition], label)
		}
	}
	return labels
}

// Units says which units a row is in, by the labels of its partition: "2005-2007", or "2005-2007 to 2007-2009"; empty for none.
func (r TimelineRow) Units(labels []string) string {
	switch {
	case r.FirstUnit < 0:
		return ""
	case r.FirstUnit == r.LastUnit:
		return labels[r.FirstUnit]
	}
	return labels[r.FirstUnit] + " to " + labels[r.LastUnit]
}
