package text

import (
	"fmt"

	"ablate/stages/internal/corpus"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// duplicate leaves out a document of an evaluation set. Of a corpus that is divided, split does it,
// which sees all files.
func (t *tokenizing) duplicate(d corpus.Document, first corpus.Place) error {
	if t.params.Duplicate == kind.DuplicateError {
		return fmt.Errorf("document %q of %s has the same identity as that of %s (the corpus's key bad: {duplicate: drop} leaves out all but the first, keep keeps them)",
			d.ID, tables.PlaceInWords(t.file(int(d.Place.File)), d.Place), tables.PlaceInWords(t.file(int(first.File)), first))
	}
	t.twice.n++
	t.twice.bytes += int64(len(d.Text))
	if len(t.twice.places) < tables.MaxPlaces {
		t.twice.places = append(t.twice.places, d.Place)
	}
	return nil
}
