package split

import "testing"

func TestWhole(t *testing.T) {
	for n, want := range map[int]string{1: "its only document", 7: "all its 7 documents"} {
		if got := whole(n); got != want {
			t.Errorf("%d documents are %q, want %q", n, got, want)
		}
	}
}
