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

// listSome joins the first n words and says how many were left out.
func listSome(words []string, n int) string {
	if len(words) <= n {
		return strings.Join(words, ", ")
	}
	return strings.Join(words[:n], ", ") + " and more"
}
