package specs

import (
	"fmt"
	"strings"

	"ablate/specs/nearest"
)

// didYouMean ends a message about an unknown word: the nearest valid one, or else all of them.
func didYouMean(word string, valid []string) string {
	if meant := truthFor(word, valid); meant != "" {
		return fmt.Sprintf("; tools of YAML 1.1, such as PyYAML, write %s like this: write %s, or %q in quotes for such tools", meant, meant, meant)
	}
	if near := nearest.Word(word, valid); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	if len(valid) == 0 {
		return ""
	}
	const most = 20 // a longer list hides the message
	if len(valid) > most {
		return fmt.Sprintf("; known: %s and %d more", strings.Join(valid[:most], ", "), len(valid)-most)
	}
	return "; known: " + strings.Join(valid, ", ")
}
