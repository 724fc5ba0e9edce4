package specs

import (
	"maps"
	"slices"
)

// checker finds what is wrong between values that are each well-formed. A check is left out where a
// value it needs could not be read, so that one slip gives one message.
type checker struct {
	s *Study
	d *decoder
}

// at is a path.
func at(path ...string) []string { return path }

// readable reports whether the value at path, and what it lies in, could be read.
func (d *decoder) readable(path []string) bool {
	for i := range len(path) + 1 {
		if d.bad[join(path[:i])] {
			return false
		}
	}
	return true
}

// ok is readable for all of several paths.
func (c *checker) ok(paths ...[]string) bool {
	for _, p := range paths {
		if !c.d.readable(p) {
			return false
		}
	}
	return true
}

// whole reports whether everything at and below a path could be read.
func (c *checker) whole(path ...string) bool { return c.d.readable(path) && !c.d.badBelow(path) }

// given reports whether the file holds the path.
func (c *checker) given(path ...string) bool { return c.d.given[join(path)] }

// fail notes a mistake, unless the value at path has one already.
func (c *checker) fail(path []string, format string, args ...any) {
	if c.ok(path) {
		c.d.errs = append(c.d.errs, c.s.Errorf(path, format, args...))
	}
}

// study runs all checks. Their order does not matter: messages are sorted by position.
func (c *checker) study() {
	c.names()
	c.corpora()
	c.tokenizer()
	c.partitions()
	c.heldout()
	c.models()
	c.training()
	c.mixtures()
	c.evaluation()
}

// known checks that a word names an entry of a map of the study.
func known[V any](c *checker, path []string, what, name string, among map[string]V, section string) bool {
	if !c.whole(path...) || !c.ok(at(section)) {
		return false
	}
	if _, ok := among[name]; ok {
		return true
	}
	if !c.ok(at(section, name)) || c.given(section, name) {
		return false // the entry is there, and its own mistake is reported
	}
	c.fail(path, "unknown %s %q%s", what, clip(name), didYouMean(name, sortedKeys(among)))
	return false
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// once checks that no word stands twice in a list.
func (c *checker) once(path []string, words []string) {
	seen := map[string]bool{}
	for i, w := range words {
		if seen[w] {
			c.fail(under(path, itoa(i)), "%q is named twice", clip(w))
		}
		seen[w] = true
	}
}
