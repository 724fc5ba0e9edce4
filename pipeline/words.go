package pipeline

import (
	"strconv"
	"strings"
)

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

// quoted is a name between quotes, cut short: names of partitions may be long.
func quoted(name string) string {
	if r := []rune(name); len(r) > 60 {
		name = string(r[:57]) + "..."
	}
	return strconv.Quote(name)
}
