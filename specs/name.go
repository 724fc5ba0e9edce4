package specs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ablate/specs/ident"
)

// What names may look like, by the word in the names tag. Names become parts of paths, of step ids
// and of columns, on every file system, so they are plain; a name of a partition is data (a
// metadata value, such as "Computer Science"), so it may hold more.
var namePatterns = map[string]string{
	"name":      `^[A-Za-z0-9_][A-Za-z0-9_.-]*$`,
	"path":      `^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$`,
	"partition": `^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$`,
}

var nameRules = map[string]*regexp.Regexp{
	"name":      regexp.MustCompile(namePatterns["name"]),
	"path":      regexp.MustCompile(namePatterns["path"]),
	"partition": regexp.MustCompile(namePatterns["partition"]),
}

var nameWords = map[string]string{
	"name":      "letters, digits, - _ and . (the first a letter, digit or _)",
	"path":      "letters, digits, - _ and . (the first a letter, digit or _), in parts separated by /",
	"partition": "one line of text without space at its ends",
}

// maxName keeps a name usable as a file name, which most systems hold to 255 bytes, with room for
// what is added to it. The name of a partition is data, and files are named by parts of it.
var maxName = map[string]int{"name": 100, "path": 100, "partition": ident.MaxPartition}

// checkName holds a name to a rule; the rule "" allows all.
func checkName(rule, name string) error {
	if rule == "" {
		return nil
	}
	if most := maxName[rule]; len(name) > most {
		return fmt.Errorf("a name may have %d bytes, this has %d", most, len(name))
	}
	if !nameRules[rule].MatchString(name) {
		return fmt.Errorf("a name is %s", nameWords[rule])
	}
	return nil
}

// reserved are words that mean something where the name of an evaluation set stands, in tables or
// after a flag, and what they mean.
var reserved = map[string]string{
	"in-domain": "the held-out documents of a mixture's own partitions", "out-of-domain": "the average over all sets but in-domain",
	"average": "the average over all sets but in-domain", "mean": "an average over sets", "all": "every set", "none": "no set",
	"reference": "the reference models", "seq": "the reference models",
}

// meaning is what a word means that is not free as the name of an evaluation set; empty: it is
// free. Neither the case of letters nor whether dashes or underscores join its words makes it
// another.
func meaning(word string) string {
	plain := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "_", "-") }
	if what, ok := reserved[plain(word)]; ok {
		return what
	}
	if slices.ContainsFunc(Proxies(), func(proxy string) bool { return plain(proxy) == plain(word) }) {
		return "a proxy"
	}
	return ""
}

// names checks names that are well-formed and still not free.
func (c *checker) names() {
	for _, name := range sortedKeys(c.s.Eval.OutOfDomain) {
		if what := meaning(name); what != "" {
			c.fail(at("eval", "out_of_domain", name), "the name %s is taken: tables and flags mean %s by it; give the set another name, such as %s-text", name, what, name)
		}
	}
	for _, name := range sortedKeys(c.s.Mixtures) {
		for _, ending := range []string{".svg", ".png"} {
			if strings.HasSuffix(strings.ToLower(name), ending) {
				c.fail(at("mixtures", name), "the name ends in %s, as those of figures do: a folder beside them is called by it; give the set another name", ending)
			}
		}
	}
}
