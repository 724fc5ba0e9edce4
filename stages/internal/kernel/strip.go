package kernel

// A copy of A's rows in the order in which the microkernel reads them is made only where A lies by columns and many columns of B follow:
// elements far apart meet in few sets of the first-level cache and would be fetched again for each panel of B. It takes several panels at a
// time, because a line of the cache holds more columns than one.
const (
	copyColumns = 192 // columns of B from which on the copy pays
	stripPanels = 8   // panels of 256 rows of 8 are 64 KB
)

// cacheLine is 64 bytes, in floats.
const cacheLine = 16

// strip hands out A, mr rows at a time.
type strip struct {
	k           *path
	w           *worker
	m, depth    int
	a           []float32
	ars, acs    int
	copies      bool
	first, last int // rows that are in the worker's copy
}

func (k *path) stripOf(w *worker, m, n, depth int, a []float32, ars, acs int) strip {
	copies := k.copyStrip != nil && n >= copyColumns && ars == 1 && acs > k.mr
	return strip{k: k, w: w, m: m, depth: depth, a: a, ars: ars, acs: acs, copies: copies}
}

// rows returns mr rows of A from row i on, and their strides. If there are fewer, the rest is 0.
func (s *strip) rows(i int) (panel []float32, rs, cs int) {
	k, w, a := s.k, s.w, s.a[i*s.ars:]
	if rows := s.m - i; rows < k.mr {
		return k.padRows(w, rows, s.depth, a, s.ars, s.acs), 1, k.mr
	}
	if !s.copies {
		_ = a[(k.mr-1)*s.ars+(s.depth-1)*s.acs]
		return a, s.ars, s.acs
	}
	if i >= s.last {
		panels := min(stripPanels, (s.m-i)/k.mr)
		s.first, s.last = i, i+panels*k.mr
		_ = a[panels*k.mr-1+(s.depth-1)*s.acs]
		w.packA = grow(w.packA, panels*k.mr*s.depth)
		k.copyStrip(&w.packA[0], &a[0], s.acs, s.depth, panels)
	}
	return w.packA[(i-s.first)*s.depth:], 1, k.mr
}

// ahead is what the microkernel asks for while it works on the rows from i on, see tilesFunc. A and B of a gradient of weights come from
// beyond the second-level cache; without it one product with 64 columns was 6 % slower.
func (s *strip) ahead(i int) (next *float32, by int) {
	at := i + s.k.mr
	if s.copies { // the panels of one strip share the lines of the next among them
		at = s.last + (i-s.first)/cacheLine*cacheLine
	}
	if at >= s.m {
		return &s.a[0], 0
	}
	return &s.a[at*s.ars], s.acs
}

// padRows copies rows < mr rows of A to a panel of mr, the rest 0.
func (k *path) padRows(w *worker, rows, depth int, a []float32, ars, acs int) []float32 {
	w.packA = grow(w.packA, k.mr*depth)
	for l := range depth {
		row := w.packA[l*k.mr : (l+1)*k.mr]
		for i := range rows {
			row[i] = a[i*ars+l*acs]
		}
		clear(row[rows:])
	}
	return w.packA
}
