package tables

import (
	"ablate/cache/table"
	"ablate/specs/ident"
)

// Sizes reads a sizes.parquet.
func Sizes(path string) ([]SizeRow, error) { return table.ReadRows[SizeRow](path) }

// Timeline reads a timeline.parquet.
func Timeline(path string) ([]TimelineRow, error) { return table.ReadRows[TimelineRow](path) }

// Ledger reads a ledger.parquet.
func Ledger(path string) ([]LedgerRow, error) { return table.ReadRows[LedgerRow](path) }

// MostText is the largest text of the cache that is read whole, in bytes. A figure of ten thousand
// mixtures has 2 MB.
const MostText = 256 << 20

// A Breakdown is what a partition has, in sum.
type Breakdown struct {
	Partition                string
	Units                    int
	Documents, Tokens        int64 // in units, after decontamination
	Smallest, Largest        int64 // tokens of a unit
	First, Last              string
	Test, Validation, Unused int64 // documents
	RemovedDocuments         int64
	RemovedTokens            int64
}

// Breakdowns sums a table of sizes by the partitions that have units, in their order.
func Breakdowns(rows []SizeRow) []Breakdown {
	var out []Breakdown
	at := map[string]int{}
	for _, r := range rows {
		if r.Part != PartUnit {
			continue
		}
		i, ok := at[r.Partition]
		if !ok {
			i = len(out)
			at[r.Partition] = i
			out = append(out, Breakdown{Partition: r.Partition, First: r.First, Smallest: r.Tokens})
		}
		b := &out[i]
		b.Units, b.Documents, b.Tokens = b.Units+1, b.Documents+r.Documents, b.Tokens+r.Tokens
		b.Smallest, b.Largest, b.Last = min(b.Smallest, r.Tokens), max(b.Largest, r.Tokens), r.Last
		b.RemovedDocuments, b.RemovedTokens = b.RemovedDocuments+r.RemovedDocuments, b.RemovedTokens+r.RemovedTokens
	}
	for _, r := range rows {
		i, ok := at[r.Partition]
		if !ok {
			continue
		}
		switch r.Part {
		case PartTest:
			out[i].Test += r.Documents
		case PartValidation:
			out[i].Validation += r.Documents
		case PartUnused:
			out[i].Unused += r.Documents
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

// Units says which units a row is in, by the labels of its partition: "2005-2007", or "2005-2007 to
// 2007-2009"; empty for none.
func (r TimelineRow) Units(labels []string) string {
	switch {
	case r.FirstUnit < 0:
		return ""
	case r.FirstUnit == r.LastUnit:
		return labels[r.FirstUnit]
	}
	return labels[r.FirstUnit] + " to " + labels[r.LastUnit]
}
