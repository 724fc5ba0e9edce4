package split

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"ablate/cache"
	"ablate/stages/tables"
)

// value is a value of a metadata name that divides the corpus.
type value struct{ name, text string }

// having counts the documents that have a value, and those that lack the name where the corpus's
// word for that is the value.
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

// mistaken refuses to put documents that lack a name into one partition with those that have the
// word for that as its value: NA is Namibia, too.
func (s *splitting) mistaken() error {
	var errs []error
	for _, v := range slices.SortedFunc(maps.Keys(s.values), func(a, b value) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.text, b.text)) }) {
		if h := s.values[v]; h.have > 0 && h.lack > 0 {
			errs = append(errs, fmt.Errorf("metadata %s: %d documents have the value %q, and %d documents have none, for which the corpus writes %q, too; give the corpus another word with absent, such as absent: none given"+
				" (to join the two, fold that word into %q)", v.name, h.have, v.text, h.lack, v.text, v.text))
		}
	}
	return errors.Join(errs...)
}

// missing checks what the shards of the corpus lack, all together.
func (s *splitting) missing() (tables.Missing, error) {
	var all tables.Missing
	for _, in := range s.job.Numbered("missing") {
		data, err := cache.ReadFile(in.Path, tables.MostText)
		if err != nil {
			return all, fmt.Errorf("%s: %w", in.Role, err)
		}
		var m tables.Missing
		if err := json.Unmarshal(data, &m); err != nil {
			return all, fmt.Errorf("%s: %w", in.Role, err)
		}
		all.Add(m)
	}
	return all, all.Check()
}
