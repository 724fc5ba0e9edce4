package stages

import (
	"fmt"
	"slices"
	"strings"

	"ablate/cache/table"
	"ablate/stages/internal/corpus"
	"ablate/stages/kind"
)

// What becomes of a document whose identity another one has: words of TokenizeParams and SplitParams.
const (
	duplicateDrop  = "drop"
	duplicateKeep  = "keep"
	duplicateError = "error"
)

const droppedDuplicate = "duplicate identity"

// duplicate leaves out a document of an evaluation set. Of a corpus that is divided, split does it, which sees all files.
func (t *tokenizing) duplicate(d corpus.Document, first corpus.Place) error {
	if t.params.Duplicate == duplicateError {
		return fmt.Errorf("document %q of %s has the identity of that of %s (the corpus's key bad: {duplicate: drop} leaves out all but the first, keep keeps them)",
			d.ID, placeInWords(t.file(int(d.Place.File)), d.Place), placeInWords(t.file(int(first.File)), first))
	}
	t.twice.n++
	t.twice.bytes += int64(len(d.Text))
	if len(t.twice.places) < maxPlaces {
		t.twice.places = append(t.twice.places, d.Place)
	}
	return nil
}

// mostDifferent is the share of a corpus's documents that may be left out for an identity that came before though their text is another one.
// More of them mean that what the study takes for identities are none: exports number the rows of each file, from 0.
const mostDifferent = 0.01

// different are the documents that are left out for their identity but have another text than the first that bears it: other tokens.
func (s *splitting) different() (list []DuplicateRow) {
	var a, b []uint32
	for _, d := range s.twice {
		a = s.shards[d.Shard].DocTokens(int(d.Row), a[:0])
		b = s.shards[d.FirstShard].DocTokens(int(d.FirstRow), b[:0])
		if !slices.Equal(a, b) {
			list = append(list, d)
		}
	}
	return list
}

// shared is an error where too many texts share identities, of documents in all, and the study does not say what is to become of them.
func (s *splitting) shared(documents int) error {
	if s.params.Duplicate != "" || len(s.twice) == 0 {
		return nil
	}
	others := s.different()
	if float64(len(others)) <= mostDifferent*float64(documents) {
		return nil
	}
	first := others[0]
	return &kind.KeyError{Key: []string{"id"}, Err: fmt.Errorf("%d of %d documents have the identity of one before them but another text, such as %q in %s and %s; at most %g%% may. "+
		"Are ids unique in the corpus, or in each file only? The corpus's key id names the field of another identity; bad: {duplicate: keep} keeps these documents, drop leaves "+
		"them out, error tells where the first of them lie",
		len(others), documents, first.ID, s.shard(first.FirstShard), s.shard(first.Shard), 100*mostDifferent)}
}

// shard is what a person calls the files whose documents are in a shard: the file itself, or the step that reads them.
func (s *splitting) shard(i int64) string {
	role := kind.Role("documents", int(i))
	in, err := s.job.Input(role)
	if err == nil && len(in.Files) == 1 {
		return in.Files[0]
	}
	return s.called(role)
}

// duplicated says which documents have an identity that came before, and where they lie, if that is an error.
func (s *splitting) duplicated() error {
	if s.params.Duplicate != duplicateError || len(s.twice) == 0 {
		return nil
	}
	where := func(shard, row int64) (string, error) {
		in, err := s.job.Input(kind.Role("places", int(shard)))
		if err != nil {
			return "", err
		}
		rows, err := table.ReadRows[PlaceRow](in.Path)
		if err != nil {
			return "", fmt.Errorf("%s: %w", in.Role, err)
		}
		if row >= int64(len(rows)) {
			return "", fmt.Errorf("%s has %d documents, want more than %d", in.Role, len(rows), row)
		}
		name := s.called(in.Role)
		if file := rows[row].File; file < int64(len(in.Files)) {
			name = in.Files[file]
		}
		return rows[row].in(name), nil
	}
	var list []string
	for _, d := range s.twice[:min(len(s.twice), maxPlaces)] {
		later, err := where(d.Shard, d.Row)
		if err != nil {
			return err
		}
		first, err := where(d.FirstShard, d.FirstRow)
		if err != nil {
			return err
		}
		list = append(list, fmt.Sprintf("%q of %s, first in %s", d.ID, later, first))
	}
	if more := len(s.twice) - len(list); more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("%d documents have an identity that came before: %s (the corpus's key bad: {duplicate: drop} leaves them out, keep keeps them)",
		len(s.twice), strings.Join(list, "; "))
}

// duplicates says in words where the first few documents lie whose identity came before.
func (s ReportSplit) duplicates() ([]string, error) {
	if s.Duplicates == "" {
		return nil, nil
	}
	rows, err := table.ReadRows[DuplicateRow](s.Duplicates)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, d := range rows[:min(len(rows), maxPlaces)] {
		if d.Shard >= int64(len(s.Places)) || d.Shard >= int64(len(s.Files)) {
			return nil, fmt.Errorf("document %q is in shard %d, the corpus has %d", d.ID, d.Shard, len(s.Places))
		}
		places, err := table.ReadRows[PlaceRow](s.Places[d.Shard])
		if err != nil {
			return nil, err
		}
		files := s.Files[d.Shard]
		if d.Row >= int64(len(places)) || places[d.Row].File >= int64(len(files)) {
			return nil, fmt.Errorf("document %q has no place", d.ID)
		}
		list = append(list, places[d.Row].in(files[places[d.Row].File]))
	}
	return list, nil
}

// in says in words where a document of a file lies.
func (r PlaceRow) in(file string) string {
	switch {
	case r.Line > 0 && r.Byte > 0:
		return fmt.Sprintf("%s:%d (byte %d)", file, r.Line, r.Byte)
	case r.Line > 0:
		return fmt.Sprintf("%s:%d", file, r.Line)
	}
	return fmt.Sprintf("%s (byte %d)", file, r.Byte)
}

func or(value, ifEmpty string) string {
	if value == "" {
		return ifEmpty
	}
	return value
}
