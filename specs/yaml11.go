package specs

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// YAML 1.1 has six words for each truth value, YAML 1.2 and this program one. A study that a
// library of YAML 1.1 reads and writes again, such as PyYAML, has true where a person wrote on, and
// false where a partition was called NO.
var yaml11 = map[string][]string{"true": {"on", "yes", "y"}, "false": {"off", "no", "n"}}

// isTruth reports whether a node is an unquoted truth value, which a person may have written as
// another word.
func isTruth(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0 && n.ShortTag() == "!!bool"
}

// truthFor is the word among valid that a library of YAML 1.1 would have written as word; "" where
// there is none.
func truthFor(word string, valid []string) string {
	words := yaml11[strings.ToLower(word)]
	for _, v := range valid {
		if slices.Contains(words, strings.ToLower(v)) {
			return v
		}
	}
	return ""
}

// truthHint ends a message about an unquoted truth value.
func truthHint(word string) string {
	words := yaml11[strings.ToLower(word)]
	if len(words) == 0 {
		return ""
	}
	return fmt.Sprintf("; if a tool of YAML 1.1, such as PyYAML, made it of %s, write that word, in quotes", strings.Join(words[:2], ", ")+" or "+words[2])
}
