package bpe

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func words(rule *splitRule, s string) (out []string) {
	for i := 0; i < len(s); {
		end := rule.next(s, i)
		out = append(out, s[i:end])
		i = end
	}
	return out
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		name         string
		text         string
		gpt2, cl100k []string
	}{
		{"words", "Hello new world", []string{"Hello", " new", " world"}, []string{"Hello", " new", " world"}},
		{"runs of spaces", "a   b", []string{"a", "  ", " b"}, []string{"a", "  ", " b"}},
		{"space at the end", "a  ", []string{"a", "  "}, []string{"a", "  "}},
		{"contractions", "it's they'll I'd", []string{"it", "'s", " they", "'ll", " I", "'d"}, []string{"it", "'s", " they", "'ll", " I", "'d"}},
		{"capitals", "IT'S", []string{"IT", "'", "S"}, []string{"IT", "'S"}},
		{"long s", "it'\u017f", []string{"it", "'", "\u017f"}, []string{"it", "'\u017f"}},
		{"numbers", "x 12345", []string{"x", " 12345"}, []string{"x", " ", "123", "45"}},
		{"line ends", "a;\n\n  b", []string{"a", ";", "\n\n ", " b"}, []string{"a", ";\n\n", " ", " b"}},
		{"spaces about a line end", "a \r\n b", []string{"a", " \r\n", " b"}, []string{"a", " \r\n", " b"}},
		{"tab before a letter", "\tx", []string{"\t", "x"}, []string{"\tx"}},
		{"wide space", "a\u3000\u3000b", []string{"a", "\u3000", "\u3000", "b"}, []string{"a", "\u3000", "\u3000b"}},
		{"other letters", "naïve 日本語!", []string{"naïve", " 日本語", "!"}, []string{"naïve", " 日本語", "!"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := words(splitGPT2, c.text); !slices.Equal(got, c.gpt2) {
				t.Errorf("GPT-2: %q, want %q", got, c.gpt2)
			}
			if got := words(splitCL100K, c.text); !slices.Equal(got, c.cl100k) {
				t.Errorf("cl100k: %q, want %q", got, c.cl100k)
			}
		})
	}
}

// patternWords splits by the rule's own pattern. The expressions of the standard library have no look-ahead and an ASCII \s, so the first is
// worked out here and the second spelled.
func patternWords(rule *splitRule, s string) (out []string) {
	const space = `\t-\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}`
	before, _, _ := strings.Cut(rule.pattern, `|\s+(?!\S)`)
	before = strings.ReplaceAll(before, `[^\s`, `[^`+space)
	before = strings.ReplaceAll(before, `\s`, `[`+space+`]`)
	first := regexp.MustCompile(`^(?:` + before + `)`)
	spaces := regexp.MustCompile(`^[` + space + `]+`)
	for s != "" {
		m := first.FindString(s)
		if m == "" {
			m = spaces.FindString(s)
			_, last := utf8.DecodeLastRuneInString(m)
			if len(m) < len(s) && len(m) > last {
				m = m[:len(m)-last]
			}
		}
		out = append(out, m)
		s = s[len(m):]
	}
	return out
}

func TestSplitAgainstPattern(t *testing.T) {
	parts := []string{"a", "B", "é", "日", "ſ", "1", "٣", "½", " ", "  ", "\n", "\r", "\t", "\u00a0", "\u2028", "\u3000", "'", "'s", "'RE", "'ll", "-", "…", "😀", "\u0301", "\x00", "𝒜", "\U0001d7d8"}
	rng := rand.New(rand.NewPCG(5, 6))
	for range 5000 {
		var b strings.Builder
		for range 1 + rng.IntN(12) {
			b.WriteString(parts[rng.IntN(len(parts))])
		}
		for _, rule := range []*splitRule{splitGPT2, splitCL100K} {
			if got, want := words(rule, b.String()), patternWords(rule, b.String()); !slices.Equal(got, want) {
				t.Fatalf("%s: %q splits into %q, want %q", rule.name, b.String(), got, want)
			}
		}
	}
}

func TestClasses(t *testing.T) {
	for c := rune(0); c <= utf8.MaxRune; c++ {
		if !utf8.ValidRune(c) {
			continue
		}
		s := string(c)
		if got, n := classAt(s, 0); got != slowClass(c) || n != len(s) {
			t.Fatalf("%U: class %d, width %d, want %d, %d", c, got, n, slowClass(c), len(s))
		}
	}
}
