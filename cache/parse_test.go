package cache

import (
	"encoding/json"
	"testing"
)

// FuzzProvenance holds the reader of plain provenance against the general one: what it takes, both
// read alike.
func FuzzProvenance(f *testing.F) {
	for _, p := range []Provenance{{}, {
		Host: "box", OS: "linux", Arch: "amd64", CPU: "a \"b\" \u2028", GPU: "H100", Go: "go1.26", Ablate: "v1", Threads: 3, Started: "2026-01-02T03:04:05Z",
		WallSeconds: 1.5e-7, Step: "unit/a/0", Study: "s",
	}} {
		text, err := json.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		if got, ok := plainProvenance(string(text)); !ok || got != p {
			f.Errorf("%s is read as %+v, %v", text, got, ok)
		}
		f.Add(string(text))
	}
	f.Add(`{"host":"","os":"","arch":"","cpu":"","go":"","ablate":"","threads":0,"started":"","wall_seconds":0x1p-2,"step":"","study":""}`)
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := plainProvenance(text)
		if !ok {
			return
		}
		var want Provenance
		if err := json.Unmarshal([]byte(text), &want); err != nil || got != want {
			t.Errorf("%q is read as %+v, by the general reader as %+v, %v", text, got, want, err)
		}
	})
}
