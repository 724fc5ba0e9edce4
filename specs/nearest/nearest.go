// Package nearest finds, for a word that is none of the valid ones, the one that was meant. Every
// room that answers a mistyped name uses it.
package nearest

import (
	"cmp"
	"slices"
	"strings"
)

// Word is the valid word closest to what was written; "" where none is close enough to be what was
// meant: a third of the word's letters may be wrong, and at least two of a word of four or more.
func Word(word string, valid []string) string {
	if len(word) > 64 {
		return ""
	}
	best, bestDistance := "", len(word)/3+1
	if len(word) > 3 {
		bestDistance = max(bestDistance, 2)
	}
	bestDistance++ // strictly smaller wins, so that of two equally near words the first one stands
	for _, v := range valid {
		if d := distance(plain(word), plain(v)); d < bestDistance {
			best, bestDistance = v, d
		}
	}
	return best
}

// Sorted is the words with those most like word first, for a list that will be cut.
func Sorted(word string, words []string) []string {
	words = slices.Clone(words)
	slices.SortFunc(words, func(a, b string) int {
		return cmp.Or(cmp.Compare(distance(plain(word), plain(a)), distance(plain(word), plain(b))), cmp.Compare(a, b))
	})
	return words
}

// plain takes away the differences that people do not see: case, and - for _.
func plain(word string) string { return strings.ReplaceAll(strings.ToLower(word), "-", "_") }

// distance counts insertions, deletions, substitutions and swaps of neighbours (optimal string
// alignment).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
