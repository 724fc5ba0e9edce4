package specs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Position is a place in a study's file; lines and columns count from 1, columns in characters.
type Position struct {
	File         string
	Line, Column int
}

// String is file:line:column, the form editors and terminals can jump to; without a line it is the
// file alone.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Error is one mistake in a study.
type Error struct {
	Position
	Message string
}

func (e Error) Error() string { return e.Position.String() + ": " + e.Message }

// Errors is every mistake found in one file, in the order of their positions.
type Errors []Error

// shownErrors is how many lines a person can do something about at once; the mistakes after that
// mostly repeat the first.
const shownErrors = 100

// Error is one line per mistake.
func (e Errors) Error() string {
	lines := make([]string, 0, min(len(e), shownErrors+1))
	for i, x := range e {
		if i == shownErrors && len(e) > i+1 {
			lines = append(lines, fmt.Sprintf("%s: and %d more mistakes", x.File, len(e)-i))
			break
		}
		lines = append(lines, x.Error())
	}
	return strings.Join(lines, "\n")
}

// sorted orders by position and drops repetitions: text under a YAML anchor is read once for each
// alias, but is wrong only once.
func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b Error) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), strings.Compare(a.Message, b.Message))
	})
	return slices.Compact(e)
}
