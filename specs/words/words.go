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
