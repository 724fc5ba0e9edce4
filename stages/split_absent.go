package stages

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// value is a value of a metadata name that divides the corpus.
type value struct{ name, text string }

// having counts the documents that have a value, and those that lack the name where the corpus's word for that is the value.
type having struct{ have, lack int }

func (s *splitting) note(v value, has bool) {
	h := s.values[v]
	if h == nil {
		h = &having{}
		s.values[v] = h
	}
	if has {
		h.have++
	} else {
		h.lack++
	}
}

// mistaken refuses to put documents that lack a name into one partition with those that have the word for that as its value: NA is Namibia, too.
func (s *splitting) mistaken() error {
	var errs []error
	for _, v := range slices.SortedFunc(maps.Keys(s.values), func(a, b value) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.text, b.text)) }) {
		if h := s.values[v]; h.have > 0 && h.lack > 0 {
			errs = append(errs, fmt.Errorf("metadata %s: %d documents have the value %q and %d have none, which the corpus calls %q, too; give the corpus another word with absent, such as absent: none given"+
				" (to join the two, fold that word into %q)", v.name, h.have, v.text, h.lack, v.text, v.text))
		}
	}
	return errors.Join(errs...)
}
