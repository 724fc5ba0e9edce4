package split

import (
	"fmt"
	"slices"
	"strings"

	"ablate/cache/table"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// mostDifferent is the share of a corpus's documents that may be left out for an identity that came
// before though their text is another one. More of them mean that what the study takes for
// identities are none: exports number the rows of each file, from 0.
const mostDifferent = 0.01

// different are the documents that are left out for their identity but have another text than the
// first that bears it: other tokens.
func (s *splitting) different() (list []tables.DuplicateRow) {
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

// shared is an error where too many texts share identities, of documents in all, and the study does
// not say what is to become of them.
func (s *splitting) shared(documents int) error {
	if s.params.Duplicate != "" || len(s.twice) == 0 {
		return nil
	}
	others := s.different()
	if float64(len(others)) <= mostDifferent*float64(documents) {
		return nil
	}
	first := others[0]
	return &kind.KeyError{Key: []string{"id"}, Err: fmt.Errorf("%d of %d documents have the identity of an earlier document but another text, such as %q in %s and %s; at most %g%% are allowed. "+
		"Are ids unique in the corpus, or in each file only? The corpus's key id names the field of another identity; bad: {duplicate: keep} keeps these documents, drop leaves "+
		"them out, error reports where the first of them are",
		len(others), documents, first.ID, s.shard(first.FirstShard), s.shard(first.Shard), 100*mostDifferent)}
}

// shard is what a person calls the files whose documents are in a shard: the file itself, or the
// step that reads them.
func (s *splitting) shard(i int64) string {
	role := kind.Role("documents", int(i))
	in, err := s.job.Input(role)
	if err == nil && len(in.Files) == 1 {
		return in.Files[0]
	}
	return s.called(role)
}

// duplicated says which documents have an identity that came before, and where they lie, if that is
// an error.
func (s *splitting) duplicated() error {
	if s.params.Duplicate != kind.DuplicateError || len(s.twice) == 0 {
		return nil
	}
	where := func(shard, row int64) (string, error) {
		in, err := s.job.Input(kind.Role("places", int(shard)))
		if err != nil {
			return "", err
		}
		rows, err := table.ReadRows[tables.PlaceRow](in.Path)
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
		return rows[row].In(name), nil
	}
	var list []string
	for _, d := range s.twice[:min(len(s.twice), tables.MaxPlaces)] {
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
