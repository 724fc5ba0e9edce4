package specs

import "strings"

// checker finds what is wrong between values that are each well-formed. A check is left out where a value it needs could not be read.
type checker struct {
	s *Study
	d *decoder
}

// readable reports whether the value at path, and what it lies in, could be read.
func (d *decoder) readable(path []string) bool {
	for i := range len(path) + 1 {
		if d.bad[join(path[:i])] {
			return false
		}
	}
	return true
}

// ok is readable for several paths, given as keys joined by a space (no key of the language or name holds one).
func (c *checker) ok(paths ...[]string) bool {
	for _, p := range paths {
		if !c.d.readable(p) {
			return false
		}
	}
	return true
}

func (c *checker) given(path ...string) bool { return c.d.given[join(path)] }

func (c *checker) fail(path []string, format string, args ...any) {
	c.d.errs = append(c.d.errs, c.s.Errorf(path, format, args...))
}

// at is a path.
func at(path ...string) []string { return path }

func (c *checker) study() { _ = strings.Join }
