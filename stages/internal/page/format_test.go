package page

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFormats(t *testing.T) {
	for _, c := range []struct{ name, got, want string }{
		{"score", score(11.027), "11.03"},
		{"score in thousands", score(1234.5), "1,234.50"},
		{"score in ten thousands", score(12345.6), "12,346"},
		{"score that overflowed", score(1e30), "1.0e30"},
		{"unknown score", score(nan), "–"},
		{"infinite score", score(math.Inf(1)), "+Inf"},
		{"coefficient", coefficient(-0.0786), "−0.079"},
		{"coefficient that rounds to zero", coefficient(-0.0001), "0.000"},
		{"count", whole(1_048_576_000), "1,048,576,000"},
		{"small count", whole(999), "999"},
		{"small share", percent(0.0067), "0.7%"},
		{"share", percent(0.667), "67%"},
		{"share just below ten", percent(0.0996), "10%"},
		{"negative share", percent(-0.03), "−3.0%"},
		{"unknown share", percent(nan), "–"},
		{"amount", amount(5_100_000), "5.1 million"},
		{"amount that rounds up a unit", amount(999_960_000), "1.0 billion"},
		{"amount without a decimal", amount(128_000_000_000), "128 billion"},
		{"amount below a million", amount(300_000), "300,000"},
		{"amount beyond names", amount(2.4e21), "2.4 × 10²¹"},
		{"level", level(0.95), "95%"},
		{"few names", some([]string{"a", "b"}), "a, b"},
		{"many names", some(strings.Split("abcdefghijklmn", "")), "a, b, c, d, e, f, g, h, i, j, k, l and 2 more"},
		{"one name more than a dozen", some(strings.Split("abcdefghijklm", "")), "a, b, c, d, e, f, g, h, i, j, k, l, m"},
		{"amount of the paper's triples", amount(1_024_128_000_000_000), "1,024 trillion"},
		{"no bytes", bytes(0), "0 B"},
		{"bytes", bytes(9_410_233), "9.4 MB"},
		{"bytes that round up a unit", bytes(999_700), "1.0 MB"},
		{"many bytes", bytes(5_000_000_000_000_000), "5,000 TB"},
		{"seconds", duration(1.84), "1.8 s"},
		{"minutes", duration(148.2), "2 min"},
		{"hours", duration(5400), "1.5 h"},
		{"GPU hours of the paper", duration(13_440 * 3600), "13,440 h"},
		{"unknown time", duration(nan), "–"},
		{"digest", eight("sha256:0123456789abcdef"), "01234567"},
		{"short digest", eight("0123"), "0123"},
		{"no digest", eight(""), "–"},
		{"1st", ordinal(1), "1st"},
		{"11th", ordinal(11), "11th"},
		{"22nd", ordinal(22), "22nd"},
		{"113th", ordinal(113), "113th"},
		{"list of none", list(nil), ""},
		{"list of two", list([]string{"a", "b"}), "a and b"},
		{"list of three", list([]string{"a", "b", "c"}), "a, b and c"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
		}
	}
	if diff := cmp.Diff([]string{"a+", "b/", "0"}, pieces("a+b/0")); diff != "" {
		t.Error(diff)
	}
}
