package tables

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"ablate/specs/nearest"
	"ablate/specs/words"
	"ablate/stages/kind"
)

// Missing is missing.json: what was looked for in some files and not found. It is a function of the
// documents that are kept, so that a split which reads it depends on nothing else, unless none is
// kept.
type Missing struct {
	Documents int64            `json:"documents"`        // kept
	Absent    map[string]int64 `json:"absent,omitempty"` // by name of metadata: those of the documents that have none
	// Of files of which no document has some metadata: where the study looks for them, and the
	// fields of the first document, or the name of the first file where the study looks in names.
	Metadata map[string]string `json:"metadata,omitempty"`
	Paths    []string          `json:"paths,omitempty"`
	File     string            `json:"file,omitempty"`

	// Of files of which no document is kept:
	Between map[string]string     `json:"between,omitempty"` // as the study has it
	Read    int64                 `json:"read,omitempty"`
	Dropped map[string]int64      `json:"dropped,omitempty"` // by reason
	Values  map[string]ValueRange `json:"values,omitempty"`  // of the metadata that the study bounds
}

// ValueRange is which values of metadata there are where whole numbers are wanted.
type ValueRange struct {
	Least *int64 `json:"least,omitempty"`
	Most  *int64 `json:"most,omitempty"`
	Other string `json:"other,omitempty"` // the first value that is no whole number
}

// Add adds what other files of the same corpus lack.
func (m *Missing) Add(o Missing) {
	m.Documents += o.Documents
	m.Read += o.Read
	for name, n := range o.Absent {
		put(&m.Absent, name, m.Absent[name]+n)
	}
	for reason, n := range o.Dropped {
		put(&m.Dropped, reason, m.Dropped[reason]+n)
	}
	for name, r := range o.Values {
		sum := m.Values[name]
		sum.Other = cmp.Or(sum.Other, r.Other)
		if r.Least != nil && (sum.Least == nil || *r.Least < *sum.Least) {
			sum.Least = r.Least
		}
		if r.Most != nil && (sum.Most == nil || *r.Most > *sum.Most) {
			sum.Most = r.Most
		}
		put(&m.Values, name, sum)
	}
	if m.Paths == nil {
		m.Paths = o.Paths
	}
	if m.Metadata == nil {
		m.Metadata = o.Metadata
	}
	m.File = cmp.Or(m.File, o.File)
	if m.Between == nil {
		m.Between = o.Between
	}
}

func put[V any](m *map[string]V, key string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = v
}

// Check returns why a corpus cannot be what the study says: none of its documents has some
// metadata, or between leaves none of them. That there are none for other reasons is for the caller
// to judge.
func (m Missing) Check() error {
	if m.Documents == 0 {
		return m.nothing()
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(m.Absent)) {
		if m.Absent[name] < m.Documents {
			continue
		}
		at, path := "", m.Metadata[name]
		if path != "" && path != name {
			at = fmt.Sprintf(" (%s)", path)
		}
		errs = append(errs, &kind.KeyError{Key: []string{"metadata", name}, Err: fmt.Errorf("none of the %d documents has metadata %s%s%s", m.Documents, name, at, m.instead(path))})
	}
	return errors.Join(errs...)
}

// instead says what a path that leads to nothing may have meant.
func (m Missing) instead(path string) string {
	switch {
	case m.File != "":
		return fmt.Sprintf("; the first file is %s", m.File)
	case len(m.Paths) == 0:
		return ""
	}
	list := nearest.Sorted(path, m.Paths)
	if word := nearest.Word(path, m.Paths); word != "" {
		return fmt.Sprintf("; did you mean %s? The first document has %s", word, words.Enumerate(list))
	}
	return fmt.Sprintf("; the first document has %s", words.Enumerate(list))
}

// nothing says what became of documents of which none is left, and which values there are where
// between bounds them.
func (m Missing) nothing() error {
	words := InWords(m.Read, 0, m.Dropped)
	for _, name := range slices.Sorted(maps.Keys(m.Between)) {
		if m.Dropped[name+" outside "+m.Between[name]] == 0 {
			continue
		}
		r, values := m.Values[name], fmt.Sprintf("no document has one (%s)", m.Metadata[name])
		switch {
		case r.Least != nil && r.Other != "":
			values = fmt.Sprintf("there are values from %d to %d, and others such as %q", *r.Least, *r.Most, r.Other)
		case r.Least != nil:
			values = fmt.Sprintf("there are values from %d to %d", *r.Least, *r.Most)
		case r.Other != "":
			values = fmt.Sprintf("no value is a whole number; the first is %q", r.Other)
		default:
			values += m.instead(m.Metadata[name])
		}
		return &kind.KeyError{Key: []string{"between", name}, Err: fmt.Errorf("between leaves no document: %s; of %s %s", words, name, values)}
	}
	return nil
}

// InWords says what became of the documents that were read.
func InWords(read, kept int64, dropped map[string]int64) string {
	text := fmt.Sprintf("%d documents read, %d kept", read, kept)
	for _, reason := range slices.Sorted(maps.Keys(dropped)) {
		text += fmt.Sprintf(", %d dropped (%s)", dropped[reason], reason)
	}
	return text
}
