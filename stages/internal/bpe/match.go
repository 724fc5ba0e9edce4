package bpe

// A matcher finds added tokens in text: the leftmost, and of those that begin there the longest.
type matcher struct {
	nodes []trieNode // nodes[0] is the root
}

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
	return m
}

// find returns the first match in text; start == end == len(text) where there is none. A nil matcher finds nothing.
func (m *matcher) find(text string) (start, end int, id uint32) {
	if m == nil {
		return len(text), len(text), noID
	}
	root := &m.nodes[0].child
	for i := range len(text) {
		at := root[text[i]]
		if at == 0 {
			continue
		}
		end, id = 0, noID
		for j := i + 1; ; j++ {
			n := &m.nodes[at]
			if n.id != noID {
				end, id = j, n.id
			}
			if j == len(text) {
				break
			}
			if at = n.child[text[j]]; at == 0 {
				break
			}
		}
		if id != noID {
			return i, end, id
		}
	}
	return len(text), len(text), noID
}
