package stages

import (
	"fmt"
	"strings"
)

// listed is how many names an error shows.
const listed = 12

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
