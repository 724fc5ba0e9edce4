package show

import (
	"strings"
	"testing"

	"ablate/cache"
)

// TestTellConflicts: a step that gave other bytes is told with both digests, and with who made which.
func TestTellConflicts(t *testing.T) {
	entry := func(text, host string) *cache.Entry {
		return &cache.Entry{Kind: "train", Outputs: []cache.Output{{Name: "model", Digest: cache.DigestOf([]byte(text)), Size: 1}},
			Provenance: cache.Provenance{Host: host, Started: "2026-01-02T03:04:05Z", CPU: "a \x1b[31mcpu"}}
	}
	var said strings.Builder
	conflicts(&said, nil)
	if said.Len() > 0 {
		t.Errorf("said %q of nothing", said.String())
	}
	conflicts(&said, []*cache.Conflict{{First: entry("a", "one"), Second: entry("b", "two")}})
	for _, want := range []string{"NOT DETERMINISTIC", cache.DigestOf([]byte("a")).String(), cache.DigestOf([]byte("b")).String(), "on one", "on two", "ablate cache verify"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("%q does not say %q", said.String(), want)
		}
	}
	if strings.Contains(strings.SplitN(said.String(), "now:", 2)[0], "\x1b") {
		t.Error("an escape of another's entry reaches the terminal")
	}
}
