package show

import (
	"bytes"
	"testing"

	"ablate/cmd/internal/study/corpora"
)

// Nothing is said of a split whose units are as they were.
func TestChanges(t *testing.T) {
	list := []corpora.Change{
		{Set: "same", Since: "2026-01-02", Same: 4},
		{Set: "parts", Since: "2026-01-02", Same: 3, Changed: []string{"alpha"}, Added: []string{"beta", "gamma"}},
	}
	want(t, `Since parts was split on 2026-01-02, 3 units stayed the same, 1 changed, 2 are new, 0 no longer exist.
  changed: alpha
  new: beta; gamma

`, printed(t, func(w *bytes.Buffer) error { Changes(w, list); return nil }))
}
