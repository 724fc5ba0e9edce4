// Package text turns files into tokens: the kind tokenizer trains a byte-level BPE, the kind
// tokenize reads documents, encodes them and hashes their paragraphs. What a study's patterns
// match, what a file is by its content, and encoding as a command (Files, ContentFormat,
// TokenStream) are here too, so that a command and a step agree about them.
//
// Not promised: that a shard's metadata, documents and paragraphs may be larger than memory. Tokens
// may: they are mapped.
package text

import (
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// Tokenizer is the kind tokenizer.
var Tokenizer = kind.Kind{
	Name: kind.Tokenizer,
	History: []string{
		"first",
		"letters and numbers are those of Unicode 16",
		"a list is no text of a Parquet file; normal form of what is read: see tokenize 7",
	},
	Run:    trainTokenizer,
	Needs:  tokenizerNeeds,
	Probes: true,
	Speed:  tokenizerSpeed,
	Alike:  alikeTokenizer,
	Work:   kind.ReadsFiles,
	Unit:   "bytes",
	Differ: tables.Differ{}.Difference,
	Origins: map[string]string{
		"vocab": "tokenizer.train.vocab", "min_frequency": "tokenizer.train.min_frequency", "bytes": "tokenizer.train.bytes",
		"read": "*+", "read.names": "*.files",
	},
}

// Tokenize is the kind tokenize.
var Tokenize = kind.Kind{
	Name: kind.Tokenize,
	History: []string{
		"first",
		"letters and numbers are those of Unicode 16",
		"half a surrogate pair is a reason of its own; counts.json says where the first few dropped documents lie",
		"combining marks younger than the reference's tables are not ordered",
		"counts.json says which byte of a line, row of a table or token of an array a dropped document is at",
		"a table of the places of documents",
		"byte order marks are no text; every piece of a cut document has an identity of its own; paragraphs are " +
			"compared in one form whatever their line ends and blanks; counts.json says what metadata are absent; " +
			"missing.json; documents say which metadata they lack; values of Parquet's logical types in words, " +
			"unsigned numbers, decimals and half floats too; a list is no text; added tokens have the ids that the " +
			"reference library gives them, not those that the file says; places: null where there is no line",
	},
	Run:    tokenize,
	Needs:  tokenizeNeeds,
	Probes: true,
	Speed:  tokenizeSpeed,
	Alike:  alikeTokenize,
	Work:   kind.ReadsFiles,
	Unit:   "bytes",
	// Counts and places have none, and the report is made from them.
	HoldsText: func(output string) bool { return output != kind.OutCounts && output != kind.OutPlaces },
	Differ: tables.Differ{
		kind.OutDocuments:  tables.RowsDiffer[tables.DocumentRow],
		kind.OutParagraphs: tables.RowsDiffer[tables.ParagraphRow],
	}.Difference,
	Titles: map[string]string{
		kind.RoleCorpus:  "corpora",
		kind.RoleEvalSet: "evaluation text",
	},
	Origins: map[string]string{
		"read": "*+", "read.names": "*.files", "paragraph": "decontaminate.paragraph", "min_tokens": "decontaminate.min_tokens", "non_empty": "*",
		"duplicate": "*.bad.duplicate",
	},
}

// tokenizerNeeds says what the training of a tokenizer takes of the machine: it computes on one
// core and uses no device. How much memory it takes depends on how many different words the text
// has.
func tokenizerNeeds(*kind.Job) (kind.Needs, error) { return kind.Needs{Cores: 1}, nil }

// tokenizeNeeds says what tokenizing takes of the machine: documents are encoded on all cores, and
// no device is used. How much memory it takes and how much it leaves depends on its files, which
// are no parameters.
func tokenizeNeeds(*kind.Job) (kind.Needs, error) { return kind.Needs{}, nil }
