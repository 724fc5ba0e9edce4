package proposal

import (
	"math"
	"strings"
	"testing"

	"ablate/specs"
)

// TestQuote: whatever the data hold, a study that names it is read as the same text.
func TestQuote(t *testing.T) {
	for _, name := range []string{
		"plain", "no", "No", "y", "on", "null", "~", "1.0", "1e3", "0x1f", "2001-01-01", "a: b", "#x", "- x", "? x", "[x]", "{x}", "&a", "*a", "!t", "|", ">", "%", "@x", "`x`",
		`"quoted"`, "it's", `back\slash`, "x\u00a0y", "é ü", "日本", "\U0001F600", "a,b", "a/b", "a+b", "<<", "=", ".", "...", "---", strings.Repeat("x", 200),
	} {
		if !nameable(name) {
			t.Errorf("%q is refused as a name", name)
			continue
		}
		study := "ablate: 1\nstudy: x\ncorpora: {c: {files: a.jsonl, metadata: {m: m}}}\ntokenizer: {train: {vocab: 300, on: c}}\n" +
			"partitions: {p: {corpus: c, by: m, unit: {tokens: 1k}, units:\n  {" + quote(name) + ": 1, other: 1}}}\n" +
			"model: {preset: tiny}\ntrain: {tokens_per_unit: 1Ki, batch: 1Ki}\nmixtures: {all: {choose: 2}}\n"
		s, err := specs.Parse("x.yaml", []byte(study), ".")
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if s.Partitions["p"].Units[name] != 1 {
			t.Errorf("%q is read as %v", name, s.Partitions["p"].Units)
		}
	}
}

// TestNameable: a value that no study can name is no partition.
func TestNameable(t *testing.T) {
	for _, name := range []string{"", " x", "x ", "a\nb", "a\tb", "\x7f", "\u2028", "\u0085x", "\ufeffx", "\xff", strings.Repeat("x", 1001)} {
		if nameable(name) {
			t.Errorf("%q is taken as a name", name)
		}
	}
}

func TestRound(t *testing.T) {
	for _, c := range []struct{ x, down, up float64 }{{1, 1, 1}, {999, 800, 1000}, {1000, 1000, 1000}, {1234, 1200, 1500}, {2999, 2500, 3000}, {7.9e6, 6e6, 8e6}, {0.3, 1, 1}} {
		if got := roundDown(c.x); got != c.down {
			t.Errorf("roundDown(%g) = %g, want %g", c.x, got, c.down)
		}
		if got := roundUp(c.x); math.Abs(got-c.up) > 1e-6*c.up {
			t.Errorf("roundUp(%g) = %g, want %g", c.x, got, c.up)
		}
	}
}

// TestCount: studies read the numbers that are written.
func TestCount(t *testing.T) {
	for x, want := range map[float64]string{1: "1", 800: "800", 1200: "1.2k", 20_000: "20k", 2_500_000: "2.5M", 1e9: "1B"} {
		if got := count(x); got != want {
			t.Errorf("count(%g) = %s, want %s", x, got, want)
		}
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %s, want %s", n, got, want)
		}
	}
	for x, want := range map[float64]string{1: "100%", 0.9999: "more than 99.9%", 0.0001: "less than 0.1%", 0.05: "5.0%", 0.5: "50%", 0: "0.0%"} {
		if got := percent(x); got != want {
			t.Errorf("percent(%g) = %s, want %s", x, got, want)
		}
	}
}

// TestEscape: a path as a pattern matches itself.
func TestEscape(t *testing.T) {
	for path, want := range map[string]string{"a b/c.txt": "a b/c.txt", "a[1]*.txt": `a\[1]\*.txt`, "${X}.txt": "[$]{X}.txt", "$x": "$x", "é?": `é\?`} {
		if got := escape(path); got != want {
			t.Errorf("escape(%q) = %q, want %q", path, got, want)
		}
	}
}
