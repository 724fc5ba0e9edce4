package specs

import (
	"fmt"
	"regexp"
)

// What names may look like, by the word in the names tag. Names become parts of paths, of step ids and of columns, on every file system,
// so they are plain; a name of a partition is data (a metadata value, such as "Computer Science"), so it may hold more.
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

// maxName keeps a name usable as a file name, which most systems hold to 255 bytes, with room for what is added to it.
const maxName = 100

// checkName holds a name to a rule; the rule "" allows all.
func checkName(rule, name string) error {
	if rule == "" {
		return nil
	}
	if len(name) > maxName {
		return fmt.Errorf("a name may have %d bytes, this has %d", maxName, len(name))
	}
	if !nameRules[rule].MatchString(name) {
		return fmt.Errorf("a name is %s", nameWords[rule])
	}
	return nil
}
