package pipeline

import (
	"slices"
	"strconv"
	"strings"

	"ablate/specs/ident"
	"ablate/specs/nearest"
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

// reordered is the one of the names that is the same model: a mixture is a set, in whatever order
// its components are written. Names are WORD/GROUP/MIXTURE, and @N behind the mixture of a
// replicate. ok: there is just one.
func reordered(name string, among []string) (found string, ok bool) {
	sorted := func(name string) string {
		parts := strings.SplitN(name, "/", 3)
		if len(parts) < 3 {
			return name
		}
		mixture, replicate, _ := strings.Cut(parts[2], "@")
		components := strings.Split(mixture, "+")
		slices.Sort(components)
		return strings.Join([]string{parts[0], parts[1], strings.Join(components, "+"), replicate}, "/")
	}
	n, want := 0, sorted(name)
	for _, other := range among {
		if sorted(other) == want {
			found = other
			n++
		}
	}
	return found, n == 1
}

// alike are the names that a person may have meant by one that is not there: those that are the
// same without their escapes, or else the nearest.
func alike(name string, among []string) string {
	var same []string
	for _, other := range among {
		if ident.Unescape(other) == ident.Unescape(name) {
			same = append(same, strconv.Quote(other))
		}
	}
	if len(same) == 0 {
		return strconv.Quote(nearest.Sorted(name, among)[0])
	}
	return strings.Join(same[:min(len(same), 4)], " or ")
}

// quoted is a name between quotes, cut short: names of partitions may be long.
func quoted(name string) string {
	if r := []rune(name); len(r) > 60 {
		name = string(r[:57]) + "..."
	}
	return strconv.Quote(name)
}
