package bpe

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

type found struct {
	start, end int
	id         uint32
}

func matchAll(m *matcher, text string) (out []found) {
	s := m.scan(text)
	for at := 0; at < len(text); {
		start, end, id := s.next(at)
		if id == noID {
			return out
		}
		out = append(out, found{start, end, id})
		at = end
	}
	return out
}

func naiveMatches(patterns map[string]uint32, text string) (out []found) {
	for at := 0; at < len(text); {
		best := ""
		for p := range patterns {
			if strings.HasPrefix(text[at:], p) && len(p) > len(best) {
				best = p
			}
		}
		if best == "" {
			at++
			continue
		}
		out = append(out, found{at, at + len(best), patterns[best]})
		at += len(best)
	}
	return out
}

func TestMatcherAgainstNaive(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	for _, c := range []struct {
		name     string
		patterns []string
		heads    []string
	}{
		{"none", nil, nil},
		{"runs and markers", []string{"  ", "   ", "     ", "||a||", "||ab||"}, []string{"  ", "||"}},
		{"one byte", []string{"a", "ab", "abba"}, []string{"a"}},
		{"different second bytes", []string{"ab", "aa|", "b|"}, []string{"a", "b|"}},
		{"one byte among longer", []string{"abb", "a", "ab"}, []string{"a"}},
		{"too many first bytes", []string{"a|", "b|", "| ", " a", "cc"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			patterns := map[string]uint32{}
			for i, p := range c.patterns {
				patterns[p] = uint32(i)
			}
			m := newMatcher(patterns)
			if m != nil && !slices.Equal(m.heads, c.heads) {
				t.Errorf("heads %q, want %q", m.heads, c.heads)
			}
			for range 500 {
				b := make([]byte, rng.IntN(60))
				for i := range b {
					b[i] = "ab |c"[rng.IntN(5)]
				}
				if got, want := matchAll(m, string(b)), naiveMatches(patterns, string(b)); !slices.Equal(got, want) {
					t.Fatalf("in %q: %v, want %v", b, got, want)
				}
			}
		})
	}
}

// A head that the text does not hold is searched for once, not once per match of another.
func TestScannerSearchesOnce(t *testing.T) {
	m := newMatcher(map[string]uint32{"  ": 0, "||": 1})
	text := strings.Repeat("a  ", 1000)
	s := m.scan(text)
	for at := 0; at < len(text); {
		_, end, _ := s.next(at)
		if s.ahead[1] != len(text) { // heads are sorted: two spaces, two bars
			t.Fatalf("at %d: ahead of %q is %d, want %d for the rest of the text", at, m.heads[1], s.ahead[1], len(text))
		}
		at = end
	}
}
