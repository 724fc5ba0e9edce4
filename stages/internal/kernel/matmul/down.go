package matmul

import "ablate/stages/internal/kernel/arena"

// A path with few registers has narrow panels, so that B, streaming from L2 past a tile's rows of
// A, takes a cache line for every 12 multiply-adds. Such a path turns the loops around: a panel of
// B, 16 KB, stays in L1 while the tiles below each other take it, and what streams is A, of which a
// tile has 6 KB. The rows of A that take their turns with each panel stay in L2.
const (
	downRows  = 96  // of A: 96 KB, 16 tiles of 6 rows
	downDepth = 256 // of a panel of B: what is deeper would not stay in L1
	// Rows that lie by columns are copied in the order in which the microkernel reads them if so
	// many columns of B follow. Those that lie by rows, a multiple of farRows floats apart, which
	// meet in few sets of the first-level cache, are copied nearer to each other.
	downCopyColumns = 64
	farRows         = 512
	// rowGap and panelGap are what is left between copies, so that neither rows nor panels meet in
	// a set or in a bank of the cache.
	rowGap, panelGap = 20, 16
)

// tilesDownFunc is a microkernel: tiles of C, mr rows high and a panel of B wide, below each other.
// A of each begins step floats after that of the one above.
//
//	for t < tiles, i < mr, j < width:
//		s = c[(t*mr+i)*ldc+j] if load, else 0
//		for l < depth: s = fma(a[t*step+i*rs+l*cs], b[l*width+j], s)
//		c[(t*mr+i)*ldc+j] = s
//
// Strides are in floats, rs or cs is 1; depth and tiles are at least 1. Where cs is 1, depth floats
// from far on, for the next tile from farStep later, are asked for, to be in L2 when their turn
// comes; they may lie outside of A.
type tilesDownFunc func(depth int, a *float32, rs, cs int, b, c *float32, ldc int, load bool, tiles, step int, far *float32, farStep int)

// downStrip is A of so many tiles below each other.
type downStrip struct {
	a            []float32
	rs, cs, step int
	tiles        int
}

// multiplyDown is multiply for a path with down. Row i needs the columns up to number last+i alone.
func (k *Path) multiplyDown(w *Scratch, m, n, depth int, a []float32, ars, acs int, packed []float32, packedDepth int, load bool, c []float32, ldc, last int) {
	for l := 0; l < depth; l += downDepth {
		k.multiplyDownBlock(w, m, n, min(downDepth, depth-l), a[l*acs:], ars, acs, packed, packedDepth, l, load || l > 0, c, ldc, last)
	}
}

// multiplyDownBlock is multiplyDown for the rows of packed from row l on.
func (k *Path) multiplyDownBlock(w *Scratch, m, n, depth int, a []float32, ars, acs int, packed []float32, packedDepth, l int, load bool, c []float32, ldc, last int) {
	for i := 0; i < m; i += downRows {
		rows := min(downRows, m-i)
		strip := k.downStrip(w, a[i*ars:], ars, acs, rows/k.mr, n, depth)
		ahead := i + downRows // the first of A's rows that is not yet asked for
		for j := 0; j < n && strip.tiles > 0; {
			width := k.width(n-j, 0)
			far, farStep := &a[0], 0
			if ahead < m {
				far, farStep = &a[ahead*ars], ars
				ahead += strip.tiles
			}
			if above := max(0, j-last-i) / k.mr; above < strip.tiles {
				k.downPanel(w, strip.from(above), width, min(width, n-j), depth, packed[j*packedDepth+l*width:], load, c[(i+above*k.mr)*ldc+j:], ldc, far, farStep)
			}
			j += width
		}
	}
	rest := m % k.mr
	if rest == 0 {
		return
	}
	// The last rows are those at the end of a whole tile that begins among the rows above, if there
	// are so many.
	first := max(0, m-k.mr)
	end, rs, cs := a[first*ars:], ars, acs
	if m < k.mr {
		end, rs, cs = k.padRows(w, rest, depth, a, ars, acs), 1, k.mr
	}
	for j := 0; j < n; {
		width := k.width(n-j, 0)
		cols, panel := min(width, n-j), packed[j*packedDepth+l*width:]
		if !load && cols == width && m >= k.mr { // the rows above get what they have
			k.downOf(width)(depth, &end[0], rs, cs, &panel[0], &c[first*ldc+j], ldc, false, 1, 0, &end[0], 0)
		} else {
			k.downEdge(w, width, m-first-rest, rest, cols, depth, end, rs, cs, panel, load, c[(m-rest)*ldc+j:], ldc)
		}
		j += width
	}
}

func (k *Path) downStrip(w *Scratch, a []float32, ars, acs, tiles, n, depth int) downStrip {
	s := downStrip{a, ars, acs, k.mr * ars, tiles}
	if tiles == 0 {
		return s
	}
	_ = a[(tiles*k.mr-1)*ars+(depth-1)*acs]
	switch {
	case n < downCopyColumns:
	case ars == 1 && acs > k.mr:
		s.rs, s.cs, s.step = 1, k.mr, k.mr*depth+panelGap
		w.packA = arena.Grow(w.packA, tiles*s.step)
		k.copyStrip(&w.packA[0], &a[0], acs, depth, tiles, s.step)
		s.a = w.packA
	case acs == 1 && ars%farRows == 0:
		s.rs = depth + rowGap
		s.step = k.mr * s.rs
		w.packA = arena.Grow(w.packA, tiles*s.step)
		for i := range tiles * k.mr {
			copy(w.packA[i*s.rs:i*s.rs+depth], a[i*ars:])
		}
		s.a = w.packA
	}
	return s
}

// from is the strip without its first tiles.
func (s downStrip) from(tile int) downStrip {
	s.a, s.tiles = s.a[tile*s.step:], s.tiles-tile
	return s
}

// downPanel computes the tiles of the strip with one panel of B.
func (k *Path) downPanel(w *Scratch, s downStrip, width, cols, depth int, panel []float32, load bool, c []float32, ldc int, far *float32, farStep int) {
	if cols < width {
		for t := range s.tiles {
			k.downEdge(w, width, 0, k.mr, cols, depth, s.a[t*s.step:], s.rs, s.cs, panel, load, c[t*k.mr*ldc:], ldc)
		}
		return
	}
	_, _ = c[(s.tiles*k.mr-1)*ldc+width-1], panel[width*depth-1]
	k.downOf(width)(depth, &s.a[0], s.rs, s.cs, &panel[0], &c[0], ldc, load, s.tiles, s.step, far, farStep)
}

// downEdge is edge for some rows of a tile, from its row first on.
func (k *Path) downEdge(w *Scratch, width, first, rows, cols, depth int, a []float32, rs, cs int, panel []float32, load bool, c []float32, ldc int) {
	k.throughTile(w, width, first, rows, cols, load, c, ldc, func(t *float32) {
		k.downOf(width)(depth, &a[0], rs, cs, &panel[0], t, width, load, 1, 0, &a[0], 0)
	})
}

// downOf is the microkernel for panels of the width.
func (k *Path) downOf(width int) tilesDownFunc {
	if width == k.nr {
		return k.down
	}
	return k.halfDown
}
