package text

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"ablate/stages/internal/corpus"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// What no document of several files has is an error of the key that asks for it; what some have is
// none.
func TestMissing(t *testing.T) {
	lines := kind.Read{Format: "jsonl", Metadata: map[string]string{"year": "metadata.yaer", "part": "metadata.part"}, Between: map[string]string{"year": "2990-3010"}}
	text := kind.Read{Format: "text", Metadata: map[string]string{"year": "([0-9]{4})"}}
	counts := func(kept int64, values map[string]corpus.Values, dropped map[string]int64, paths ...string) corpus.Counts {
		c := corpus.Counts{Read: kept, Kept: kept, Values: values, Dropped: dropped, Paths: paths}
		for _, n := range dropped {
			c.Read += n
		}
		return c
	}
	outside := map[string]int64{"year outside 2990-3010": 2}
	for _, c := range []struct {
		name  string
		read  kind.Read
		files []corpus.Counts
		key   []string
		want  string // of the error; empty: there is none
	}{
		{"all there", lines, []corpus.Counts{counts(3, map[string]corpus.Values{"year": {Found: 3}}, nil)}, nil, ""},
		{"absent in one file of two", lines, []corpus.Counts{counts(3, map[string]corpus.Values{"year": {Absent: 3}}, nil, "id"), counts(1, map[string]corpus.Values{"year": {Found: 1}}, nil)}, nil, ""},
		{"absent in both", lines, []corpus.Counts{counts(3, map[string]corpus.Values{"year": {Absent: 3}}, nil, "id", "metadata.year"), counts(1, map[string]corpus.Values{"year": {Absent: 1}}, nil)},
			[]string{"metadata", "year"}, "none of the 4 documents has metadata year (metadata.yaer); did you mean metadata.year? The first document has metadata.year, id"},
		{"in no name of a file", text, []corpus.Counts{counts(2, map[string]corpus.Values{"year": {Absent: 2}}, nil, "a/b.go")},
			[]string{"metadata", "year"}, "none of the 2 documents has metadata year (([0-9]{4})); the first file is a/b.go"},
		{"bounds leave nothing", lines, []corpus.Counts{
			counts(0, map[string]corpus.Values{"year": {Found: 2, Numbers: true, Least: 1990, Most: 1999}}, outside), counts(0, map[string]corpus.Values{"year": {Found: 2, Numbers: true, Least: 1980, Most: 1991}}, outside)},
			[]string{"between", "year"}, "between leaves no document: 4 documents read, 0 kept, 4 dropped (year outside 2990-3010); of year there are values from 1980 to 1999"},
		{"bounds of dates", lines, []corpus.Counts{counts(0, map[string]corpus.Values{"year": {Found: 2, Other: "1995-03-01"}}, outside)},
			[]string{"between", "year"}, `of year no value is a whole number; the first is "1995-03-01"`},
		{"bounds of both", lines, []corpus.Counts{counts(0, map[string]corpus.Values{"year": {Found: 2, Numbers: true, Least: 1990, Most: 1990, Other: "MCM"}}, outside)},
			[]string{"between", "year"}, `there are values from 1990 to 1990, and others such as "MCM"`},
		{"bounds of what is not there", lines, []corpus.Counts{counts(0, map[string]corpus.Values{"year": {}}, outside, "metadata.year")},
			[]string{"between", "year"}, "of year no document has one (metadata.yaer); did you mean metadata.year?"},
		{"bounds leave something in one file", lines, []corpus.Counts{counts(0, map[string]corpus.Values{"year": {Found: 2}}, outside), counts(1, map[string]corpus.Values{"year": {Found: 1}}, nil)}, nil, ""},
		{"nothing for another reason", lines, []corpus.Counts{counts(0, nil, map[string]int64{"empty": 2})}, nil, ""},
		{"no file has any", lines, []corpus.Counts{counts(0, nil, nil)}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var all tables.Missing
			for _, f := range c.files {
				all.Add(missingOf(f, c.read))
			}
			err := all.Check()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			var key *kind.KeyError
			if errors.As(err, &key) != (c.key != nil) || key != nil && !slices.Equal(key.Key, c.key) {
				t.Errorf("key %v, want %v", key, c.key)
			}
		})
	}
}

func TestReadingWords(t *testing.T) {
	r := tables.Reading{Files: 2, Read: 10, Kept: 7, Dropped: map[string]int64{"empty": 1, "bad line": 2}, Absent: map[string]int64{"year": 1, "area": 3}, Twice: 2}
	const want = "2 files, 10 documents read, 7 kept, 2 dropped (bad line), 1 dropped (empty), absent: area in 3, year in 1, 2 with the identity of one before"
	if got := r.Words(); got != want || !r.Notable() {
		t.Errorf("%q", got)
	}
	if r := (tables.Reading{Files: 1, Read: 2, Kept: 2}); r.Words() != "1 file, 2 documents read, 2 kept" || r.Notable() {
		t.Errorf("%q", r.Words())
	}
}
