package stages

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// listed is how many names an error shows.
const listed = 12

// nearest lists the names most like word first, for an error about a word that is none of them.
func nearest(word string, names []string) string {
	names = slices.Clone(names)
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(distance(word, a), distance(word, b)), cmp.Compare(a, b))
	})
	return enumerate(names)
}

// enumerate lists names, the first so many of them.
func enumerate(names []string) string {
	switch {
	case len(names) == 0:
		return "none"
	case len(names) > listed:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:listed], ", "), len(names)-listed)
	}
	return strings.Join(names, ", ")
}

// distance is the number of bytes to insert, delete or replace between two words, capitals aside (Levenshtein 1966).
func distance(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal, row[j+1] = row[j+1], min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
