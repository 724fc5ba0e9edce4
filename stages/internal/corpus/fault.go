package corpus

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Faults: why a document cannot be used as it is.
const (
	BadLine      = "line"      // JSONL: no JSON object, or metadata that is no value
	BadText      = "text"      // JSONL: no string where the text should be; tokens: an id that the tokenizer does not have
	BadUTF8      = "utf8"      // in the text, the id or the metadata
	BadSurrogate = "surrogate" // there as well, half of a surrogate pair written as \uD800
	BadEmpty     = "empty"     // a text of no bytes
	BadFormat    = "format"    // a whole file: its content is of another format than the corpus
	BadIndex     = "index"     // tokens: an entry of the index that cannot be, or ids that no entry names
)

// What becomes of a document with a fault.
const (
	Drop = "drop"  // it is left out, counted and located
	Fail = "error" // reading ends with an error
)

// usual is what becomes of faults of which Options.Bad does not speak: a file that is not what the
// study says it is is an error, a single document that is no text is not.
var usual = map[string]string{BadLine: Fail, BadText: Fail, BadUTF8: Drop, BadSurrogate: Drop, BadEmpty: Drop, BadIndex: Fail, BadFormat: Fail}

// Reasons for which documents are dropped, by fault, in Counts.
var reasons = map[string]string{
	BadLine: "bad line", BadText: "no text field", BadUTF8: DroppedUTF8, BadSurrogate: DroppedSurrogate, BadEmpty: DroppedEmpty,
	BadIndex: "bad index", BadFormat: "another format",
}

// Reasons of Counts.Dropped that tests and other rooms name.
const (
	DroppedEmpty     = "empty"
	DroppedUTF8      = "invalid utf-8"
	DroppedSurrogate = "lone surrogate"
)

// A fault is one document's.
type fault struct {
	word string
	err  error
	at   int // byte of the line, from 0; -1: it is no byte's
}

func faultf(word, format string, args ...any) *fault {
	return &fault{word, fmt.Errorf(format, args...), -1}
}

// by says at which byte of the line the fault is.
func (f *fault) by(at int) *fault {
	f.at = at
	return f
}

// A FaultError ends reading: a document, or a file, has a fault that may not be dropped.
type FaultError struct {
	Fault string // BadText, ...
	err   error
}

func (e *FaultError) Error() string { return e.err.Error() }

// Unwrap gives the cause.
func (e *FaultError) Unwrap() error { return e.err }

// A Place is where a document that was dropped lies.
type Place struct {
	File   int64  `json:"file"` // number of the file, from 0
	Line   int64  `json:"line"` // JSONL, index of tokens: from 1; else 0
	Byte   int64  `json:"byte"` // where the line begins, in the decompressed file; tokens: where the id lies
	Reason string `json:"reason"`
	Column int64  `json:"column,omitempty"` // JSONL: byte of the line that is at fault, from 1, where it is one byte
	Row    int64  `json:"row,omitempty"`    // of a table, from 1
	Token  *int64 `json:"token,omitempty"`  // tokens: number of the id, from 0
}

// maxPlaces bounds how many places of one reason are kept: the first ones.
const maxPlaces = 5

// place keeps p if there are few of its reason yet.
func (c *Counts) place(p Place) {
	n := 0
	for _, have := range c.Places {
		if have.Reason == p.Reason {
			n++
		}
	}
	if n < maxPlaces {
		c.Places = append(c.Places, p)
	}
}

// policies is usual with what the options say otherwise.
func policies(bad map[string]string) (map[string]string, error) {
	all := maps.Clone(usual)
	for _, word := range slices.Sorted(maps.Keys(bad)) {
		if _, ok := usual[word]; !ok {
			return nil, fmt.Errorf("fault %q: want one of %s", word, strings.Join(slices.Sorted(maps.Keys(usual)), ", "))
		}
		if what := bad[word]; what != Drop && what != Fail {
			return nil, fmt.Errorf("fault %s is met with %q: want %s or %s", word, what, Drop, Fail)
		}
		all[word] = bad[word]
	}
	return all, nil
}

// fault drops the document at p, or returns why reading must end. where says in words what p is,
// and a byte of it.
func (rd *reader) fault(f *fault, p Place, where func(at int) string) error {
	if rd.bad[f.word] == Fail {
		left := "documents"
		if f.word == BadFormat {
			left = "files"
		}
		return &FaultError{f.word, fmt.Errorf("%s: %w (the corpus's key bad: {%s: drop} leaves such %s out and counts them)", where(f.at), f.err, f.word, left)}
	}
	p.Column = int64(f.at + 1)
	p.Reason = reasons[f.word]
	rd.counts.Read++
	rd.counts.drop(p.Reason, 1)
	rd.counts.place(p)
	return nil
}
