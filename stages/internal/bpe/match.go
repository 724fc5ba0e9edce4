package bpe

import (
	"maps"
	"slices"
	"strings"
)

// A matcher finds added tokens in text: the leftmost, and of those that begin there the longest.
type matcher struct {
	nodes []trieNode // nodes[0] is the root
	// heads are strings of which each pattern begins with one: two bytes long where possible, so
	// that "a pair of spaces" is searched for and not every space. nil: there would be too many,
	// and each byte is looked at.
	heads []string
}

// maxHeads is how many searches, each at nearly the speed of memory, are faster than one loop over
// the bytes.
const maxHeads = 4

type trieNode struct {
	child [256]uint32 // 0: none (the root is nobody's child)
	id    uint32      // noID: no pattern ends here
}

// newMatcher returns nil where there is nothing to match.
func newMatcher(patterns map[string]uint32) *matcher {
	if len(patterns) == 0 {
		return nil
	}
	m := &matcher{nodes: []trieNode{{id: noID}}}
	for p, id := range patterns {
		at := uint32(0)
		for i := range len(p) {
			next := m.nodes[at].child[p[i]]
			if next == 0 {
				next = uint32(len(m.nodes))
				m.nodes = append(m.nodes, trieNode{id: noID})
				m.nodes[at].child[p[i]] = next
			}
			at = next
		}
		m.nodes[at].id = id
	}
	m.heads = heads(patterns)
	return m
}

func heads(patterns map[string]uint32) []string {
	byFirst := map[byte]string{}
	for p := range patterns {
		h, ok := byFirst[p[0]]
		if !ok {
			h = p[:min(2, len(p))]
		}
		if len(p) == 1 || h[:min(2, len(h))] != p[:len(h)] {
			h = p[:1]
		}
		byFirst[p[0]] = h
	}
	if len(byFirst) > maxHeads {
		return nil
	}
	return slices.Sorted(maps.Values(byFirst))
}

// A scanner walks through one text from match to match.
type scanner struct {
	m    *matcher
	text string
	// ahead[k] is the first place at or behind the last start where heads[k] occurs, kept from call
	// to call: searching anew for each match would be quadratic in a text that is full of one token
	// and has none of another.
	ahead [maxHeads]int
}

func (m *matcher) scan(text string) scanner {
	s := scanner{m: m, text: text}
	for k := range s.ahead {
		s.ahead[k] = -1
	}
	return s
}

// next returns the first match at or behind from; start == end == len(text) where there is none. A
// nil matcher matches nothing.
func (s *scanner) next(from int) (start, end int, id uint32) {
	if s.m == nil {
		return len(s.text), len(s.text), noID
	}
	for at := from; ; at++ {
		if at = s.candidate(at); at == len(s.text) {
			return at, at, noID
		}
		if end, id := s.m.longest(s.text[at:]); id != noID {
			return at, at + end, id
		}
	}
}

// candidate returns the first place at or behind from where a pattern may begin.
func (s *scanner) candidate(from int) int {
	best := len(s.text)
	if s.m.heads == nil {
		root := &s.m.nodes[0].child
		for i := from; i < len(s.text); i++ {
			if root[s.text[i]] != 0 {
				return i
			}
		}
		return best
	}
	for k, head := range s.m.heads {
		if s.ahead[k] < from {
			s.ahead[k] = len(s.text)
			if n := strings.Index(s.text[from:], head); n >= 0 {
				s.ahead[k] = from + n
			}
		}
		best = min(best, s.ahead[k])
	}
	return best
}

// longest returns the longest pattern that text begins with.
func (m *matcher) longest(text string) (end int, id uint32) {
	at := uint32(0)
	id = noID
	for i := range len(text) {
		if at = m.nodes[at].child[text[i]]; at == 0 {
			break
		}
		if n := m.nodes[at].id; n != noID {
			end, id = i+1, n
		}
	}
	return end, id
}
