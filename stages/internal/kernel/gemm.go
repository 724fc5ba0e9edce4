package kernel

import "iter"

// Blocking of Gemm. A task takes a block of B of at most blockK x blockN, packs it and runs all its rows of A over it. 256 x 512 floats are
// 512 KB, half of the L2 cache of Zen 4; a panel of A beside it, 8 x 256 floats, stays in L1.
const (
	blockK = 256
	blockN = 512
)

// serialWork is the number of multiply-adds below which a Gemm stays on the
// caller: about 10 us on one core, twice what waking a worker costs.
const serialWork = 1 << 19

// gemmCall is one Gemm under way and its division into rowTasks x colTasks.
type gemmCall struct {
	transA, transB     bool
	m, n, k            int
	a, b, c            []float32
	lda, ldb, ldc      int
	load               bool
	rowTasks, colTasks int
}

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
	g := &p.gemm
	*g = gemmCall{transA, transB, m, n, k, a, b, c, lda, ldb, ldc, beta != 0, 1, 1}
	if p.threads > 1 && m*n*k > serialWork {
		g.divide(p.k, p.threads)
	}
	p.run(g.rowTasks*g.colTasks, p.gemmRun)
	g.a, g.b, g.c = nil, nil, nil
}

// divide cuts C into tasks. It minimises the longest worker's time: elements of C, plus the packing of B, which every row of tasks repeats
// and which costs about as much as packRows more rows, plus a quarter of a task, by which workers end apart when others use their cores.
func (g *gemmCall) divide(k *path, threads int) {
	const packRows = 12
	pm, pn := (g.m+k.mr-1)/k.mr, (g.n+k.nr-1)/k.nr
	best := -1
	for cols := 1; cols <= min(pn, 2*threads); cols++ {
		for want := threads; want <= 8*threads; want *= 2 {
			rows := min(pm, (want+cols-1)/cols)
			rounds := (rows*cols + threads - 1) / threads
			task := ((pn + cols - 1) / cols) * ((pm+rows-1)/rows*k.mr + packRows)
			if cost := rounds*task + task/4; best < 0 || cost < best {
				best, g.rowTasks, g.colTasks = cost, rows, cols
			}
		}
	}
}

func (p *Pool) gemmTask(w *worker, i int) {
	g := &p.gemm
	r, c := i/g.colTasks, i%g.colTasks
	i0, i1 := cut(g.m, p.k.mr, g.rowTasks, r)
	j0, j1 := cut(g.n, p.k.nr, g.colTasks, c)
	if i0 >= i1 || j0 >= j1 {
		return
	}
	atA, ars, acs := i0*g.lda, g.lda, 1
	if g.transA {
		atA, ars, acs = i0, 1, g.lda
	}
	atB := j0
	if g.transB {
		atB = j0 * g.ldb
	}
	p.k.product(w, i1-i0, j1-j0, g.k, g.a[atA:], ars, acs, g.b[atB:], g.ldb, g.transB, g.load, g.c[i0*g.ldc+j0:], g.ldc)
}

// cut returns part i of [0, n) in parts, with cuts at multiples of unit.
func cut(n, unit, parts, i int) (lo, hi int) {
	u := (n + unit - 1) / unit
	return min(n, i*u/parts*unit), min(n, (i+1)*u/parts*unit)
}

// product is Gemm on one worker. A's element (i, l) is a[i*ars+l*acs].
func (k *path) product(w *worker, m, n, depth int, a []float32, ars, acs int, b []float32, ldb int, transB, load bool, c []float32, ldc int) {
	for j, cols := range inParts(n, blockN, k.nr) {
		wide := k.wideColumns(cols)
		for l := 0; l < depth; l += blockK {
			kb := min(blockK, depth-l)
			w.packB = grow(w.packB, k.packedSize(cols, kb))
			at := l*ldb + j
			if transB {
				at = j*ldb + l
			}
			k.packPanels(w.packB, b[at:], ldb, transB, cols, kb, wide)
			k.multiply(w, m, cols, kb, a[l*acs:], ars, acs, w.packB, kb, wide, load || l > 0, c[j:], ldc)
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
