package matmul

import (
	"iter"

	"ablate/stages/internal/kernel/arena"
)

// blocking is how Gemm divides a product. B is packed in blocks of at most size floats, which stay
// in L2, and rows of A, mr at a time, go over one block after the other. A block is at most depth
// rows deep, or columnsDepth where A lies by columns and is copied: what C is read and written
// again for each further depth counts more than what the copies of A need of L1. It is as wide as
// its size allows, since A is read, and copied, again for each block beside it.
type blocking struct{ size, depth, columnsDepth int }

// depthUnit is what depths of blocks are multiples of, if there are several.
const depthUnit = 16

// sharedN and sharedSize bound the part of B that several workers share at a time: its columns, and
// its floats, 2 MB, since what one of them packs the others read from its L2.
const (
	sharedN    = 2048
	sharedSize = 1 << 19
)

// SerialWork is the number of multiply-adds below which a Gemm stays on the caller: about 10 us on
// one core, twice what waking a worker costs.
const SerialWork = 1 << 19

// Gemm sets C = A'B' + beta C, where A' is A or its transpose, m x k, and B' is B or its transpose,
// k x n; beta is 0 (C need not be set) or 1. lda, ldb, ldc are the distances between rows as
// stored. C must not overlap A or B.
//
// Each element is the chain c = fma(a[i][l], b[l][j], c) for l = 0 ... k-1 in that order, each step
// rounded once, beginning with 0 or with C's element. So neither blocking nor threads nor path
// change a bit.
func (p *Multiplier) Gemm(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	if m <= 0 || n <= 0 {
		return
	}
	if k <= 0 { // an empty sum: A and B may be empty too
		for i := range m {
			if beta == 0 {
				clear(c[i*ldc : i*ldc+n])
			}
		}
		return
	}
	if p.pool.Active() == 1 || m*n*k <= SerialWork {
		p.k.product(&p.work[0], operand{a, lda, !transA}, operand{b, ldb, !transB}, m, n, k, beta != 0, c, ldc)
		return
	}
	g := &p.gemm
	blockDepth, blockWidth := p.k.blockSize(!transA, k)
	for j, cols := range inParts(n, sharedN, p.k.columnUnit()) {
		for l, depth := range inParts(k, max(1, sharedSize/cols/blockDepth)*blockDepth, depthUnit) {
			*g = gemmCall{m: m, n: cols, k: depth, blockDepth: blockDepth, blockWidth: blockWidth, c: c[j:], ldc: ldc, load: beta != 0 || l > 0}
			g.a, g.b = operand{a, lda, !transA}.from(0, l), operand{b, ldb, !transB}.from(l, j)
			p.share()
		}
	}
	g.a.x, g.b.x, g.c = nil, nil, nil
}

// operand is a matrix and the distance of its rows as stored, or of its columns.
type operand struct {
	x      []float32
	ld     int
	byRows bool
}

// from is the operand without its first i rows and j columns.
func (o operand) from(i, j int) operand {
	if !o.byRows {
		i, j = j, i
	}
	o.x = o.x[i*o.ld+j:]
	return o
}

// strides are the distances of two rows and of two columns.
func (o operand) strides() (rs, cs int) {
	if o.byRows {
		return o.ld, 1
	}
	return 1, o.ld
}

// cut returns part i of [0, n) in parts, with cuts at multiples of unit.
func cut(n, unit, parts, i int) (lo, hi int) {
	u := (n + unit - 1) / unit
	return min(n, i*u/parts*unit), min(n, (i+1)*u/parts*unit)
}

// blockSize returns the most rows and columns of a block of B of so many rows, where A lies by rows
// or by columns.
func (k *Path) blockSize(byRows bool, rows int) (depth, width int) {
	depth = k.blocks.depth
	if !byRows {
		depth = k.blocks.columnsDepth
	}
	parts, unit := (rows+depth-1)/depth, k.columnUnit()
	evenly := (rows + parts - 1) / parts
	return depth, max(1, k.blocks.size/evenly/unit) * unit
}

// product is Gemm on one worker.
func (k *Path) product(w *Scratch, a, b operand, m, n, depth int, load bool, c []float32, ldc int) {
	blockDepth, blockWidth := k.blockSize(a.byRows, depth)
	for j, cols := range inParts(n, blockWidth, k.columnUnit()) {
		wide := k.wideColumns(cols)
		for l, kb := range inParts(depth, blockDepth, depthUnit) {
			w.packB = arena.GrowHuge(w.packB, k.PackedSize(cols, kb))
			from := b.from(l, j)
			k.packPanels(w.packB, from.x, b.ld, !b.byRows, cols, kb, wide)
			rs, cs := a.strides()
			k.multiply(w, m, cols, kb, a.from(0, l).x, rs, cs, w.packB, kb, wide, load || l > 0, c[j:], ldc)
		}
	}
}

// inParts yields the beginning and length of the parts of [0, n), as few of at most most as there
// can be and about equally long, cut at multiples of unit.
func inParts(n, most, unit int) iter.Seq2[int, int] {
	return func(yield func(lo, n int) bool) {
		parts := (n + most - 1) / most
		for i := range parts {
			if lo, hi := cut(n, unit, parts, i); !yield(lo, hi-lo) {
				return
			}
		}
	}
}
