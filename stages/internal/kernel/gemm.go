package kernel

import "iter"

// Blocking of Gemm: B is packed in blocks of at most blockK x blockN. 256 x 512 floats are 512 KB, half of the L2 cache of Zen 4; a panel of A
// beside it, 8 x 256 floats, stays in L1.
const (
	blockK = 256
	blockN = 512
)

// sharedN and sharedSize bound the part of B that several workers share at a time: its columns, and its floats, 1 MB, since what one of them
// packs the others read from its L2.
const (
	sharedN    = 4 * blockN
	sharedSize = 1 << 18
)

// serialWork is the number of multiply-adds below which a Gemm stays on the caller: about 10 us on one core, twice what waking a worker
// costs.
const serialWork = 1 << 19

// Gemm sets C = A'B' + beta C, where A' is A or its transpose, m x k, and B' is
// B or its transpose, k x n; beta is 0 (C need not be set) or 1. lda, ldb, ldc
// are the distances between rows as stored. C must not overlap A or B.
//
// Each element is the chain c = fma(a[i][l], b[l][j], c) for l = 0 ... k-1 in
// that order, each step rounded once, beginning with 0 or with C's element. So
// neither blocking nor threads nor path change a bit.
func Gemm(p *Pool, transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
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
	if p.threads == 1 || m*n*k <= serialWork {
		p.k.product(&p.work[0], operand{a, lda, !transA}, operand{b, ldb, !transB}, m, n, k, beta != 0, c, ldc)
		return
	}
	g := &p.gemm
	for j := 0; j < n; j += sharedN {
		cols := min(sharedN, n-j)
		most := max(1, sharedSize/cols/blockK) * blockK
		for l := 0; l < k; l += most {
			*g = gemmCall{m: m, n: cols, k: min(most, k-l), c: c[j:], ldc: ldc, load: beta != 0 || l > 0}
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

// product is Gemm on one worker.
func (k *path) product(w *worker, a, b operand, m, n, depth int, load bool, c []float32, ldc int) {
	for j, cols := range inParts(n, blockN, k.nr) {
		wide := k.wideColumns(cols)
		for l := 0; l < depth; l += blockK {
			kb := min(blockK, depth-l)
			w.packB = grow(w.packB, k.packedSize(cols, kb))
			from := b.from(l, j)
			k.packPanels(w.packB, from.x, b.ld, !b.byRows, cols, kb, wide)
			rs, cs := a.strides()
			k.multiply(w, m, cols, kb, a.from(0, l).x, rs, cs, w.packB, kb, wide, load || l > 0, c[j:], ldc)
		}
	}
}

// inParts yields the beginning and length of the parts of [0, n), as few of at most most as there can be and about equally long, cut at
// multiples of unit.
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
