package words

import (
	"testing"
)

func TestEnumerate(t *testing.T) {
	many := make([]string, 20)
	for i := range many {
		many[i] = string(rune('a' + i))
	}
	if got, want := Enumerate(many), "a, b, c, d, e, f, g, h, i, j, k, l and 8 more"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Enumerate(nil); got != "none" {
		t.Errorf("got %q, want none", got)
	}
}
