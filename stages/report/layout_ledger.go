package report

import (
	"fmt"
	"strings"

	"ablate/cache/table"
	"ablate/stages/tables"
)

// ledger is the table of what decontamination removed, of all splits of the study.
func (l *layouts) ledger() ([]LayoutFile, error) {
	rows := []tables.StudyLedgerRow{}
	for _, in := range l.in.Ledgers {
		removed, err := table.ReadRows[tables.LedgerRow](in.Path)
		if err != nil {
			return nil, err
		}
		for _, r := range removed {
			input, part, _ := strings.Cut(r.EvalSet, " ") // "against.3", "heldout test"
			set, corpus, err := in.Text(input)
			if err != nil {
				return nil, fmt.Errorf("document %q: %w", r.Document, err)
			}
			rows = append(rows, tables.StudyLedgerRow{
				Set: in.Set, Partition: r.Partition, Unit: r.Unit, Name: r.Name, Document: r.Document, Tokens: r.Tokens,
				EvalSet: set, Corpus: corpus, HeldOut: part, EvalID: r.EvalID, Paragraph: r.Paragraph, FalsePositive: r.FalsePositive,
			})
		}
	}
	return rowForms("tables/ledger", rows)
}
