// Package words puts numbers and lists into sentences, for messages of every room.
package words

import (
	"fmt"
	"strings"
)

// listed is how many names an error shows.
const listed = 12

// Enumerate lists names, the first so many of them.
func Enumerate(names []string) string {
	switch {
	case len(names) == 0:
		return "none"
	case len(names) > listed:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:listed], ", "), len(names)-listed)
	}
	return strings.Join(names, ", ")
}

// Counted is a number with the word for one thing or for several: "1 unit", "2 units".
func Counted[N ~int | ~int64](n N, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, several)
}

// OrAbsent is a value, or "absent" where there is none.
func OrAbsent(value string) string {
	if strings.TrimSpace(value) == "" {
		return "absent"
	}
	return value
}

// Count writes a number of things to three figures: "950 tokens", "12.3k tokens", "1.05G tokens".
func Count(n int64, unit string) string {
	f, suffix := float64(n), ""
	for _, s := range []string{"k", "M", "G", "T"} {
		if f < 1000 {
			break
		}
		f, suffix = f/1000, s
	}
	text := fmt.Sprintf("%.3g", f)
	if f >= 100 || suffix == "" {
		text = fmt.Sprintf("%.0f", f)
	}
	if unit == "B" {
		return text + " " + suffix + unit // 159 kB
	}
	return strings.TrimSpace(text + suffix + " " + unit)
}

// Bytes writes a size to three figures: "159 kB".
func Bytes(n int64) string { return Count(n, "B") }
