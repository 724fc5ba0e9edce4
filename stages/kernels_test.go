package stages

import (
	"strings"
	"testing"
)

// An instruction set that there is not must be refused by name, and leave the choice as it was.
func TestKernels(t *testing.T) {
	best, err := Kernels("")
	if err != nil || best == "" {
		t.Fatalf("%q, %v", best, err)
	}
	t.Cleanup(func() {
		if _, err := Kernels(""); err != nil {
			t.Error(err)
		}
	})
	if got, err := Kernels("portable"); err != nil || got != "portable" {
		t.Errorf("%q, %v, want portable", got, err)
	}
	if got, err := Kernels("abacus"); err == nil || got != "" || !strings.Contains(err.Error(), "abacus") {
		t.Errorf("%q, %v, want an error that names abacus", got, err)
	}
	if got, err := Kernels("portable"); err != nil || got != "portable" {
		t.Errorf("%q, %v, want portable", got, err)
	}
}
