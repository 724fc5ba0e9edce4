package eval

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWindows(t *testing.T) {
	for _, c := range []struct {
		name      string
		n, length int
		want      []window
	}{
		{"empty document", 0, 8, nil},
		{"one token, after EOS alone", 1, 8, []window{{0, 1, 1}}},
		{"shorter than a window", 5, 8, []window{{0, 5, 5}}},
		{"exactly a window", 8, 8, []window{{0, 8, 8}}},
		{"one more: the last window is full of context", 9, 8, []window{{0, 8, 8}, {1, 8, 1}}},
		{"two whole windows", 16, 8, []window{{0, 8, 8}, {8, 8, 8}}},
		// paper/FACTS.md: n=3000 -> 2 windows, the second scores 952 tokens with 1097 context
		// tokens. The context of its first scored token is Len-Scored+1 inputs.
		{"the paper's", 3000, 2048, []window{{0, 2048, 2048}, {952, 2048, 952}}},
		{"three windows", 5000, 2048, []window{{0, 2048, 2048}, {2048, 2048, 2048}, {2952, 2048, 904}}},
		{"windows of one token", 3, 1, []window{{0, 1, 1}, {1, 1, 1}, {2, 1, 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, windows(c.n, c.length)); diff != "" {
				t.Errorf("windows(%d, %d), - want, + got:\n%s", c.n, c.length, diff)
			}
		})
	}
	if w := windows(3000, 2048)[1]; w.Len-w.Scored+1 != 1097 {
		t.Errorf("second window of 3000 tokens has %d of context, want 1097", w.Len-w.Scored+1)
	}
}

func TestWindowsScoreEachTokenOnce(t *testing.T) {
	for length := 1; length <= 9; length++ {
		for n := 0; n <= 40; n++ {
			times := make([]int, n)
			for _, w := range windows(n, length) {
				if w.Start < 0 || w.Len > length || w.Start+w.Len > n {
					t.Fatalf("windows(%d, %d): %+v leaves the document", n, length, w)
				}
				for i := w.Start + w.Len - w.Scored; i < w.Start+w.Len; i++ {
					times[i]++ // the target of s[i] is token i
				}
			}
			for i, k := range times {
				if k != 1 {
					t.Errorf("windows(%d, %d): token %d scored %d times", n, length, i, k)
				}
			}
		}
	}
}
