// Package split is the kind that divides a corpus: into partitions, held-out sets and base units of
// equal token counts, from which decontamination then removes what evaluation text repeats. What
// becomes of a document depends on the document alone, but for the cut into units, which depends on
// the documents before it in its partition: units stay as they are when documents are added.
package split

import (
	"strings"

	"ablate/stages/kind"
	"ablate/stages/tables"
)

// Kind is the kind split.
var Kind = kind.Kind{
	Name: kind.Split,
	History: []string{
		"first",
		"units have names and ranges; timeline and filter; held-out text of other corpora",
		"what Bloom filters found is looked up, false positives told; the ledger has the units' names",
		"a table of the documents whose identity came before",
		"partitions and units of different things never share a name; no metadata that documents lack is taken " +
			"for a value that others have; identities that several texts share, and metadata that no document has, " +
			"are errors; ledger, sizes and timeline: unit_name, order_first, order_last; nulls for what is not there; " +
			"filter.json: eval_set",
	},
	Run:       split,
	Needs:     needs,
	Speed:     speed,
	Work:      kind.Divides,
	Unit:      "bytes",
	HoldsText: func(output string) bool { return strings.HasSuffix(output, ".arrow") },
	Differ: tables.Differ{
		kind.OutLedger:   tables.RowsDiffer[tables.LedgerRow],
		kind.OutSizes:    tables.RowsDiffer[tables.SizeRow],
		kind.OutTimeline: tables.RowsDiffer[tables.TimelineRow],
	}.Difference,
	Titles: map[string]string{
		kind.RoleUnits: "units and held-out text",
		kind.RoleWhole: "text of the seed model",
	},
	Origins: map[string]string{
		"by": "*.by", "fold": "*.fold+", "order": "*.order", "only": "*.only", "except": "*.except", "small": "*.small", "duplicate": "corpora", "declared": "*.units+",
		"unit_tokens": "*.unit.tokens", "validation": "heldout.validation", "test": "heldout.test", "seed": "heldout.seed",
		"against": "decontaminate.against", "elsewhere": "heldout+", "bloom": "decontaminate+", "bloom.false_positives": "decontaminate.false_positives",
		"overlap": "decontaminate.overlap", "common": "decontaminate.common", "eos": "tokenizer", "vocab": "tokenizer",
	},
}

// needs says what a split takes of the machine: it computes on one core and uses no device. How
// much memory it takes and how much it leaves depends on the documents of its corpus.
func needs(*kind.Job) (kind.Needs, error) { return kind.Needs{Cores: 1}, nil }
