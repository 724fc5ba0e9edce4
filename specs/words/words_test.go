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

func TestCounted(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Counted(0, "unit is", "units are"), "0 units are"},
		{Counted(1, "unit is", "units are"), "1 unit is"},
		{Counted(int64(12), "unit", "units"), "12 units"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestOrAbsent(t *testing.T) {
	for _, c := range [][2]string{{"", "absent"}, {" ", "absent"}, {"3", "3"}} {
		if got := OrAbsent(c[0]); got != c[1] {
			t.Errorf("OrAbsent(%q) is %q, want %q", c[0], got, c[1])
		}
	}
}

func TestCount(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Count(0, "tokens"), "0 tokens"}, {Count(999, ""), "999"}, {Count(1000, ""), "1k"}, {Count(12345, "tokens"), "12.3k tokens"},
		{Count(999999, ""), "1000k"}, {Count(5120640, ""), "5.12M"}, {Count(1048576000, "tokens"), "1.05G tokens"},
		{Bytes(159000), "159 kB"}, {Bytes(12), "12 B"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
