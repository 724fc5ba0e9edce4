package bpe

import "math/bits"

// A pairTable maps a pair of neighbouring tokens to the merge that joins them: open addressing with
// linear probing, 16 bytes a slot, at most half full, because most look-ups are of pairs that no
// merge joins.
type pairTable struct {
	slots []pairSlot
	shift uint
}

type pairSlot struct {
	left, right uint32
	rank, id    uint32 // id == noID: empty slot
}

func newPairTable(n int) pairTable {
	log := max(4, bits.Len(uint(2*n)))
	t := pairTable{slots: make([]pairSlot, 1<<log), shift: uint(64 - log)}
	for i := range t.slots {
		t.slots[i].id = noID
	}
	return t
}

func (t *pairTable) home(left, right uint32) int {
	// 2^64 divided by the golden ratio: Fibonacci hashing (Knuth, TAOCP volume 3, section 6.4).
	return int((uint64(left)<<32 | uint64(right)) * 0x9E3779B97F4A7C15 >> t.shift)
}

// add reports false where the pair is there already.
func (t *pairTable) add(m merge, rank uint32) bool {
	for i := t.home(m.left, m.right); ; i = (i + 1) & (len(t.slots) - 1) {
		s := &t.slots[i]
		if s.id == noID {
			*s = pairSlot{m.left, m.right, rank, m.id}
			return true
		}
		if s.left == m.left && s.right == m.right {
			return false
		}
	}
}

// find returns the rank and the joined token; rank == noRank where no merge joins the pair.
func (t *pairTable) find(left, right uint32) (rank, id uint32) {
	for i := t.home(left, right); ; i = (i + 1) & (len(t.slots) - 1) {
		s := &t.slots[i]
		if s.left == left && s.right == right && s.id != noID {
			return s.rank, s.id
		}
		if s.id == noID {
			return noRank, noID
		}
	}
}

// noRank is worse than every rank.
const noRank = ^uint32(0)

// shortWord is the length in bytes below which scanning all ranks for the best merge beats keeping
// a heap.
const shortWord = 64

// mergeShort appends the tokens of a word of fewer than shortWord bytes.
func (e *Encoder) mergeShort(dst []uint32, word string) []uint32 {
	ids, ranks := &e.ids, &e.ranks // ranks[i] is of the pair (i, i+1)
	t := e.t
	n := len(word)
	for i := range n {
		ids[i] = t.byteID[word[i]]
	}
	for i := range n - 1 {
		ranks[i] = t.byteRank[int(word[i])<<8|int(word[i+1])]
	}
	for n > 1 {
		best, at := noRank, 0
		for i, r := range ranks[:n-1] {
			if r < best {
				best, at = r, i
			}
		}
		if best == noRank {
			break
		}
		ids[at] = t.merges[best].id
		n--
		copy(ids[at+1:n], ids[at+2:n+1])
		copy(ranks[at:n-1], ranks[at+1:n])
		if at > 0 {
			ranks[at-1], _ = t.pairs.find(ids[at-1], ids[at])
		}
		if at < n-1 {
			ranks[at], _ = t.pairs.find(ids[at], ids[at+1])
		}
	}
	return append(dst, ids[:n]...)
}

// longWord is the state of mergeLong: the tokens of a word as a doubly linked list over byte
// positions, and the merges that may be applied as a heap.
type longWord struct {
	id         []uint32 // noID: swallowed by the token to its left
	next, prev []int32  // positions; -1 ends the list
	heap       []uint64 // rank<<32 | position of the left token; smallest first, so lowest rank, then leftmost
	ops        int64    // heap moves and look-ups, for the test of the running time
}

// mergeLong appends the tokens of a word in O(n log n): each merge takes one entry out of the heap
// and puts at most two in. An entry whose pair has changed since is recognised by its rank and
// dropped.
func (e *Encoder) mergeLong(dst []uint32, word string) []uint32 {
	w := &e.long
	w.reset(e.t, word)
	for len(w.heap) > 0 {
		top := w.pop()
		rank, at := uint32(top>>32), int32(uint32(top))
		if w.id[at] == noID || w.next[at] < 0 {
			continue
		}
		right := w.next[at]
		m := e.t.merges[rank]
		if m.left != w.id[at] || m.right != w.id[right] {
			continue
		}
		w.id[at], w.id[right] = m.id, noID
		w.next[at] = w.next[right]
		if w.next[at] >= 0 {
			w.prev[w.next[at]] = at
			w.offer(e.t, at)
		}
		if w.prev[at] >= 0 {
			w.offer(e.t, w.prev[at])
		}
	}
	for at := int32(0); at >= 0; at = w.next[at] {
		dst = append(dst, w.id[at])
	}
	return dst
}

func (w *longWord) reset(t *Tokenizer, word string) {
	n := len(word)
	if cap(w.id) < n {
		w.id, w.next, w.prev = make([]uint32, n), make([]int32, n), make([]int32, n)
	}
	w.id, w.next, w.prev = w.id[:n], w.next[:n], w.prev[:n]
	for i := range n {
		w.id[i], w.next[i], w.prev[i] = t.byteID[word[i]], int32(i+1), int32(i-1)
	}
	w.next[n-1] = -1
	w.heap = w.heap[:0]
	for i := range n - 1 {
		w.offer(t, int32(i))
	}
}

// offer enters the pair whose left token is at.
func (w *longWord) offer(t *Tokenizer, at int32) {
	w.ops++
	rank, _ := t.pairs.find(w.id[at], w.id[w.next[at]])
	if rank == noRank {
		return
	}
	w.heap = append(w.heap, uint64(rank)<<32|uint64(at))
	for i := len(w.heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if w.heap[parent] <= w.heap[i] {
			break
		}
		w.heap[parent], w.heap[i] = w.heap[i], w.heap[parent]
		i = parent
		w.ops++
	}
}

func (w *longWord) pop() uint64 {
	h := w.heap
	top, n := h[0], len(h)-1
	h[0] = h[n]
	h = h[:n]
	for i := 0; ; {
		w.ops++
		child := 2*i + 1
		if child >= n {
			break
		}
		if child+1 < n && h[child+1] < h[child] {
			child++
		}
		if h[i] <= h[child] {
			break
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
	w.heap = h
	return top
}
