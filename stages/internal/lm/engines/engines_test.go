package engines

import (
	"testing"

	"ablate/specs/arch"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/lm/enginetest"
	"ablate/stages/kind"
)

// Every engine of the list is of a known arithmetic, one each, and passes the suite. The tolerances
// here are those of exact arithmetic; an engine of another kind brings its own to a test beside it.
func TestList(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range List {
		a, err := kind.FindArithmetic(e.Arithmetic)
		if err != nil || a.Name != e.Arithmetic || seen[a.Name] {
			t.Errorf("engine of arithmetic %q: %v, or a second one", e.Arithmetic, err)
		}
		seen[a.Name] = true
		if a.Equality == kind.SameBytes {
			enginetest.Test(t, func(m arch.Model) (lm.Engine, error) { return e.Open(m, lm.Options{Threads: 2}) }, enginetest.Tolerance{Training: 1e-4})
		}
	}
	if !seen[kind.Exact] {
		t.Error("the exact arithmetic has no engine")
	}
}

// Parameters leave the exact arithmetic out.
func TestFind(t *testing.T) {
	for _, name := range []string{"", kind.Exact} {
		if e, err := Find(name); err != nil || e.Arithmetic != kind.Exact {
			t.Errorf("arithmetic %q: engine of %q, %v", name, e.Arithmetic, err)
		}
	}
	if e, err := Open("bogus", arch.Model{}, lm.Options{}); err == nil || e != nil {
		t.Errorf("an engine %v of no arithmetic, %v", e, err)
	}
}
