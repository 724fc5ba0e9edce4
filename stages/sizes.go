package stages

import (
	"encoding/json"

	"ablate/cache"
	"ablate/cache/table"
)

// Sizes reads a sizes.parquet.
func Sizes(path string) ([]SizeRow, error) { return table.ReadRows[SizeRow](path) }

// Timeline reads a timeline.parquet.
func Timeline(path string) ([]TimelineRow, error) { return table.ReadRows[TimelineRow](path) }

// Ledger reads a ledger.parquet.
func Ledger(path string) ([]LedgerRow, error) { return table.ReadRows[LedgerRow](path) }

// mostText is the largest text of the cache that is read whole, in bytes. A figure of ten thousand mixtures has 2 MB.
const mostText = 256 << 20

// ReadFilter reads a filter.json.
func ReadFilter(path string) (f Filter, err error) {
	data, err := cache.ReadFile(path, mostText)
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(data, &f)
}

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
