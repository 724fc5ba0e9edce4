package bpe

import (
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
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

// A patternSplit splits by a rule's own pattern. The expressions of the standard library have no
// look-ahead and an ASCII \s, so the first is worked out here and the second spelled.
type patternSplit struct{ first, spaces *regexp.Regexp }

func newPatternSplit(rule *splitRule) patternSplit {
	const space = `\t-\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}`
	first, _, _ := strings.Cut(rule.pattern, `|\s+(?!\S)`)
	first = strings.NewReplacer(
		`[^\s\p{L}\p{N}]`, `[^`+space+letters+numbers+`]`,
		`[^\r\n\p{L}\p{N}]`, `[^\r\n`+letters+numbers+`]`,
		`\p{L}`, `[`+letters+`]`,
		`\p{N}`, `[`+numbers+`]`,
		`\s`, `[`+space+`]`,
	).Replace(first)
	return patternSplit{regexp.MustCompile(`^(?:` + first + `)`), regexp.MustCompile(`^[` + space + `]+`)}
}

var letters, numbers = `\p{L}` + spell(youngLetters), `\p{N}` + spell(youngNumbers)

func spell(table *unicode.RangeTable) string {
	var b strings.Builder
	for _, r := range table.R16 {
		fmt.Fprintf(&b, `\x{%x}-\x{%x}`, r.Lo, r.Hi)
	}
	for _, r := range table.R32 {
		fmt.Fprintf(&b, `\x{%x}-\x{%x}`, r.Lo, r.Hi)
	}
	return b.String()
}

func (p patternSplit) words(s string) (out []string) {
	for s != "" {
		m := p.first.FindString(s)
		if m == "" {
			m = p.spaces.FindString(s)
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
	parts := []string{"a", "B", "é", "日", "ſ", "1", "٣", "½", " ", "  ", "\n", "\r", "\t", "\u00a0", "\u2028", "\u3000", "'", "'s", "'RE", "'ll", "-", "…", "😀", "\u0301", "\ua7da", "\U00010d40", "\U000105c0", "\x00", "𝒜", "\U0001d7d8"}
	rng := rand.New(rand.NewPCG(5, 6))
	slow := map[*splitRule]patternSplit{splitGPT2: newPatternSplit(splitGPT2), splitCL100K: newPatternSplit(splitCL100K)}
	for range 5000 {
		var b strings.Builder
		for range 1 + rng.IntN(12) {
			b.WriteString(parts[rng.IntN(len(parts))])
		}
		for _, rule := range []*splitRule{splitGPT2, splitCL100K} {
			if got, want := words(rule, b.String()), slow[rule].words(b.String()); !slices.Equal(got, want) {
				t.Fatalf("%s: %q splits into %q, want %q", rule.name, b.String(), got, want)
			}
		}
	}
}

func TestClasses(t *testing.T) {
	// The sum is over the classes that the reference library (0.23.3, Unicode 16) showed when asked
	// to split each character behind a letter, a digit and a mark. Where another Go release has
	// younger tables, the younger ranges must go, and its younger letters be left out.
	const want = 0xcefab67d
	classes := make([]byte, utf8.MaxRune+1)
	for c := rune(0); c <= utf8.MaxRune; c++ {
		if !utf8.ValidRune(c) {
			continue
		}
		s := string(c)
		got, n := classAt(s, 0)
		if got != slowClass(c) || n != len(s) {
			t.Fatalf("%U: class %d, width %d, want %d, %d", c, got, n, slowClass(c), len(s))
		}
		classes[c] = got
	}
	if got := crc32.ChecksumIEEE(classes); got != want {
		t.Errorf("classes of all characters (Go has Unicode %s): CRC %#x, want %#x", unicode.Version, got, want)
	}
}
