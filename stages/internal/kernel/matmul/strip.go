package matmul

import "ablate/stages/internal/kernel/arena"

// A copy of A's rows in the order in which the microkernel reads them is made where elements lie so
// far apart that they meet in few sets of the first-level cache and would be fetched again for each
// panel of B, if many columns of B follow. What lies by columns is copied several panels at a time,
// because a line of the cache holds more columns than one; what lies by rows, a panel at a time.
const (
	copyColumns = 192      // columns of B from which on the copy pays
	stripPanels = 8        // at a time at most
	stripSize   = 24 << 10 // floats, 96 KB, at a time, if they are more than two panels
	pageRows    = 1024     // floats: the rows of a panel, a multiple of 4 KB apart, meet in one set
	nearRows    = 788      // how far apart copied rows are, in floats: more than a block is deep, and no two meet in a set or in a bank
)

// cacheLine is 64 bytes, in floats.
const cacheLine = 16

// strip hands out A, mr rows at a time.
type strip struct {
	k               *Path
	w               *Scratch
	m, depth        int
	a               []float32
	ars, acs        int
	byColumns, near bool // copied
	first, last     int  // rows that are in the worker's copy
}

func (k *Path) stripOf(w *Scratch, m, n, depth int, a []float32, ars, acs int) strip {
	s := strip{k: k, w: w, m: m, depth: depth, a: a, ars: ars, acs: acs}
	if k.copyStrip != nil && n >= copyColumns {
		s.byColumns = ars == 1 && acs > k.mr
		s.near = acs == 1 && ars%pageRows == 0 && depth <= k.blocks.depth
	}
	return s
}

// rows returns mr rows of A from row i on, and their strides. If there are fewer, the rest is 0.
func (s *strip) rows(i int) (panel []float32, rs, cs int) {
	k, w, a := s.k, s.w, s.a[i*s.ars:]
	if rows := s.m - i; rows < k.mr {
		return k.padRows(w, rows, s.depth, a, s.ars, s.acs), 1, k.mr
	}
	_ = a[(k.mr-1)*s.ars+(s.depth-1)*s.acs]
	switch {
	case s.near:
		w.packA = arena.Grow(w.packA, k.mr*nearRows)
		for r := range k.mr {
			copy(w.packA[r*nearRows:r*nearRows+s.depth], a[r*s.ars:])
		}
		return w.packA, nearRows, 1
	case !s.byColumns:
		return a, s.ars, s.acs
	}
	step := k.mr*s.depth + panelGap
	if i >= s.last {
		panels := min(stripPanels, max(2, stripSize/(k.mr*s.depth)&^1), (s.m-i)/k.mr)
		s.first, s.last = i, i+panels*k.mr
		_ = a[panels*k.mr-1+(s.depth-1)*s.acs]
		w.packA = arena.Grow(w.packA, panels*step)
		k.copyStrip(&w.packA[0], &a[0], s.acs, s.depth, panels, step)
	}
	return w.packA[(i-s.first)/k.mr*step:], 1, k.mr
}

// ahead is what the microkernel asks for while it works on the rows from i on, see tilesFunc. A and
// B of a gradient of weights come from beyond the second-level cache; without it one product with
// 64 columns was 6 % slower.
func (s *strip) ahead(i int) (next *float32, by int) {
	by = s.ars
	if s.acs != 1 {
		by = s.acs
	}
	at := i + s.k.mr
	if s.byColumns { // the panels of one strip share the lines of the next among them
		at = s.last + (i-s.first)/cacheLine*cacheLine
	}
	if at >= s.m {
		return &s.a[0], 0
	}
	return &s.a[at*s.ars], by
}

// padRows copies rows < mr rows of A to a panel of mr, the rest 0.
func (k *Path) padRows(w *Scratch, rows, depth int, a []float32, ars, acs int) []float32 {
	w.packA = arena.Grow(w.packA, k.mr*depth)
	for l := range depth {
		row := w.packA[l*k.mr : (l+1)*k.mr]
		for i := range rows {
			row[i] = a[i*ars+l*acs]
		}
		clear(row[rows:])
	}
	return w.packA
}
