package tables

import (
	"encoding/json"
	"fmt"

	"ablate/cache"
)

// Kinds of Filter.
const (
	FilterNone  = "none"
	FilterExact = "exact"
	FilterBloom = "bloom"
)

// Filter is filter.json: what decontamination looked for.
type Filter struct {
	Kind           string      `json:"filter"`            // none, exact or bloom
	Library        string      `json:"library,omitempty"` // of the Bloom filter: bits depend on its hash
	FalsePositives float64     `json:"false_positives,omitempty"`
	Seed           int64       `json:"seed,omitempty"`
	Sets           []FilterSet `json:"sets"`
}

// FilterSet is one source of evaluation text.
type FilterSet struct {
	Set        string `json:"eval_set"` // as in the ledger
	Documents  int64  `json:"documents"`
	Paragraphs int64  `json:"paragraphs"` // of min_tokens or more; those of each document count
	Bits       uint   `json:"m,omitempty"`
	Hashes     uint   `json:"k,omitempty"`
}

// Words says how evaluation text was looked for, and how often that was wrong.
func (f Filter) Words(losses []Loss) string {
	if f.Kind != FilterBloom {
		return "looked up in an exact set of those of evaluation text"
	}
	var bits, hashes uint
	for _, s := range f.Sets {
		bits, hashes = bits+s.Bits, max(hashes, s.Hashes)
	}
	var removed, wrong int64
	for _, l := range losses {
		removed, wrong = removed+l.RemovedDocuments, wrong+l.FalsePositives
	}
	return fmt.Sprintf("looked up in Bloom filters of %.3g MB in all, %d hashes at most, seed %d, which take at most %g of clean ones for evaluation text; "+
		"looked up once more in the text itself, %d of the %d removed documents are false positives", float64(bits)/8e6, hashes, f.Seed, f.FalsePositives, wrong, removed)
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

// ReadFilter reads a filter.json.
func ReadFilter(path string) (f Filter, err error) {
	data, err := cache.ReadFile(path, MostText)
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(data, &f)
}
