package pipeline

import (
	"strings"
)

func firstSegment(id string) string {
	head, _, _ := strings.Cut(id, "/")
	return head
}

// hasSuffixPath reports whether id ends in the whole path segments of suffix.
func hasSuffixPath(id, suffix string) bool {
	return id == suffix || strings.HasSuffix(id, "/"+suffix)
}

// nearest is the ID with the smallest edit distance.
func nearest(word string, steps []*Step) string {
	best, at := "", 1<<30
	for _, s := range steps {
		if d := distance(word, s.ID); d < at {
			best, at = s.ID, d
		}
	}
	return best
}

// distance is Levenshtein's (Soviet Physics Doklady 10, 1966).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			prev, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, prev+cost)
		}
	}
	return row[len(b)]
}

// listSome joins the first n words and says how many were left out.
func listSome(words []string, n int) string {
	if len(words) <= n {
		return strings.Join(words, ", ")
	}
	return strings.Join(words[:n], ", ") + " and more"
}
