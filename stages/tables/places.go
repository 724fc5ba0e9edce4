package tables

import (
	"fmt"

	"ablate/stages/internal/corpus"
)

// In says in words where a document of a file lies.
func (r PlaceRow) In(file string) string {
	switch {
	case r.Line > 0 && r.Byte > 0:
		return fmt.Sprintf("%s:%d (byte %d)", file, r.Line, r.Byte)
	case r.Line > 0:
		return fmt.Sprintf("%s:%d", file, r.Line)
	}
	return fmt.Sprintf("%s (byte %d)", file, r.Byte)
}

// MaxPlaces bounds how many places a report names of the documents of a corpus that were dropped
// for one reason.
const MaxPlaces = 5

// PlaceInWords says where in a file a document lies that was dropped.
func PlaceInWords(file string, p corpus.Place) string {
	switch {
	case p.Token != nil:
		return fmt.Sprintf("%s: token %d (byte %d)", file, *p.Token, p.Byte)
	case p.Row > 0:
		return fmt.Sprintf("%s: row %d", file, p.Row)
	case p.Column > 0:
		return fmt.Sprintf("%s:%d:%d (byte %d)", file, p.Line, p.Column, p.Byte+p.Column-1)
	case p.Line > 0:
		return fmt.Sprintf("%s:%d (byte %d)", file, p.Line, p.Byte)
	}
	return file
}
