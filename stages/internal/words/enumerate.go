// Package words puts lists into sentences.
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
