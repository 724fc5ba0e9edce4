package report

import (
	"fmt"

	"ablate/cache/table"
	"ablate/stages/internal/page"
	"ablate/stages/tables"
)

// mostTimelineRows is how many rows of a timeline the page shows: years times fields, not minutes
// times pages.
const mostTimelineRows = 2000

// timelines reads what each set of partitions has by year, or whatever else orders it.
func (b *builder) timelines() error {
	for _, split := range b.in.Splits {
		if split.Timeline == "" {
			continue
		}
		rows, err := tables.Timeline(split.Timeline)
		if err != nil {
			return fmt.Errorf("set %s: %w", split.Set, err)
		}
		sizes, err := tables.Sizes(split.Sizes)
		if err != nil {
			return fmt.Errorf("set %s: %w", split.Set, err)
		}
		labels := tables.Labels(sizes)
		t := page.Timeline{Set: split.Set, Order: split.Order, Left: max(0, len(rows)-mostTimelineRows)}
		for _, r := range rows[:len(rows)-t.Left] {
			t.Rows = append(t.Rows, page.TimelineRow{
				Partition: r.Partition, Value: r.Value, Documents: r.Documents, Tokens: r.Tokens, Units: r.Units(labels[r.Partition]),
				HeldOut: r.Test + r.Validation, RemovedDocuments: r.RemovedDocuments, RemovedTokens: r.RemovedTokens,
			})
		}
		b.d.Timelines = append(b.d.Timelines, t)
	}
	return nil
}

// removed sums the ledger of each split by what made documents go; texts that removed nothing are
// told, too.
func (b *builder) removed() error {
	for _, split := range b.in.Splits {
		if split.Filter == "" {
			continue
		}
		f, err := tables.ReadFilter(split.Filter)
		if err != nil {
			return fmt.Errorf("set %s: %w", split.Set, err)
		}
		ledger, err := table.ReadRows[tables.LedgerRow](split.Ledger)
		if err != nil {
			return fmt.Errorf("set %s: %w", split.Set, err)
		}
		losses := tables.Losses(f, ledger)
		if len(losses) > 0 {
			b.d.Filters = append(b.d.Filters, fmt.Sprintf("Paragraphs of %s were %s.", split.Corpus, f.Words(losses)))
		}
		for _, l := range losses {
			b.d.Removed = append(b.d.Removed, page.Removed{
				Corpus: split.Corpus, Because: split.Words(l.Set), Documents: l.Documents, Paragraphs: l.Paragraphs,
				RemovedDocuments: l.RemovedDocuments, RemovedTokens: l.RemovedTokens,
			})
		}
	}
	return nil
}

// duplicates says in words where the first few documents lie whose identity came before.
func (s Split) duplicates() ([]string, error) {
	if s.Duplicates == "" {
		return nil, nil
	}
	rows, err := table.ReadRows[tables.DuplicateRow](s.Duplicates)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, d := range rows[:min(len(rows), tables.MaxPlaces)] {
		if d.Shard >= int64(len(s.Places)) || d.Shard >= int64(len(s.Files)) {
			return nil, fmt.Errorf("document %q is in shard %d, the corpus has %d", d.ID, d.Shard, len(s.Places))
		}
		places, err := table.ReadRows[tables.PlaceRow](s.Places[d.Shard])
		if err != nil {
			return nil, err
		}
		files := s.Files[d.Shard]
		if d.Row >= int64(len(places)) || places[d.Row].File >= int64(len(files)) {
			return nil, fmt.Errorf("document %q has no place", d.ID)
		}
		list = append(list, places[d.Row].In(files[places[d.Row].File]))
	}
	return list, nil
}
