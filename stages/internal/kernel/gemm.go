package kernel

// Blocking of Gemm. A task takes a block of B of at most blockK x blockN, packs
// it and runs all its rows of A over it. 256 x 512 floats are 512 KB, half of
// the L2 cache of Zen 4; a panel of A beside it, 8 x 256 floats, stays in L1.
const (
	blockK = 256
	blockN = 512
)

// maxTile is the largest microtile of any path, in floats.
const maxTile = 8 * 32

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

// divide cuts C into tasks. It minimises the longest worker's time: elements of
// C, plus the packing of B, which every row of tasks repeats and which costs
// about as much as packRows more rows.
func (g *gemmCall) divide(k *path, threads int) {
	const packRows = 12
	pm, pn := (g.m+k.mr-1)/k.mr, (g.n+k.nr-1)/k.nr
	best := -1
	for cols := 1; cols <= min(pn, 2*threads); cols++ {
		for _, want := range [2]int{2 * threads, threads} {
			rows := min(pm, (want+cols-1)/cols)
			rounds := (rows*cols + threads - 1) / threads
			cost := rounds * ((pn + cols - 1) / cols) * ((pm+rows-1)/rows*k.mr + packRows)
			if best < 0 || cost < best {
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
	for j := 0; j < n; j += blockN {
		nb := min(blockN, n-j)
		for l := 0; l < depth; l += blockK {
			kb := min(blockK, depth-l)
			w.packB = grow(w.packB, k.packedSize(nb, kb))
			if transB {
				k.pack(w.packB, b[j*ldb+l:], ldb, true, nb, kb)
			} else {
				k.pack(w.packB, b[l*ldb+j:], ldb, false, nb, kb)
			}
			k.block(w, m, nb, kb, a[l*acs:], ars, acs, w.packB, kb, load || l > 0, c[j:], ldc)
		}
	}
}

// packedSize is the length of a packed B of n columns and depth rows.
func (k *path) packedSize(n, depth int) int {
	return (n + k.nr - 1) / k.nr * k.nr * depth
}

// pack stores B' (depth x n) as panels of nr columns, each row after row. If the
// last panel has at most nr/2 columns its rows are nr/2 long. Missing columns
// are 0. ldb is the distance of rows of B as stored.
func (k *path) pack(dst, b []float32, ldb int, transB bool, n, depth int) {
	for j := 0; j < n; j += k.nr {
		cols := min(k.nr, n-j)
		width := k.width(cols)
		if transB {
			k.packTransposed(dst[:width*depth], b[j*ldb:], ldb, cols, depth, width)
		} else {
			k.packRows(dst[:width*depth], b[j:], ldb, cols, depth, width)
		}
		dst = dst[width*depth:]
	}
}

// width is the row length of a panel with cols columns.
func (k *path) width(cols int) int {
	if cols <= k.nr/2 {
		return k.nr / 2
	}
	return k.nr
}

func (k *path) packRows(dst, b []float32, ldb, cols, depth, width int) {
	if cols == width && k.copyPanel != nil {
		_ = b[(depth-1)*ldb+cols-1]
		if cols == k.nr {
			k.copyPanel(&dst[0], &b[0], ldb, depth)
		} else {
			k.copyHalf(&dst[0], &b[0], ldb, depth)
		}
		return
	}
	for l := range depth {
		row := dst[l*width : (l+1)*width]
		clear(row[copy(row, b[l*ldb:l*ldb+cols]):])
	}
}

func (k *path) packTransposed(dst, b []float32, ldb, cols, depth, width int) {
	j := 0
	whole := 0
	if k.transpose8 != nil {
		whole = depth &^ 7
		for ; j+8 <= cols && whole > 0; j += 8 {
			_ = b[(j+7)*ldb+depth-1]
			k.transpose8(&dst[j], width, &b[j*ldb], ldb, whole/8)
			for jj := j; jj < j+8; jj++ {
				for l := whole; l < depth; l++ {
					dst[l*width+jj] = b[jj*ldb+l]
				}
			}
		}
	}
	for ; j < cols; j++ {
		for l, v := range b[j*ldb : j*ldb+depth] {
			dst[l*width+j] = v
		}
	}
	for ; j < width; j++ {
		for l := range depth {
			dst[l*width+j] = 0
		}
	}
}

// block multiplies m rows of A with the first depth of packedDepth rows of a
// packed block of B, and its first n columns, where n fills whole panels unless
// it is all of them. Panels of A run
// outside, so that each is read from afar once and then from L1, while B
// streams from L2.
func (k *path) block(w *worker, m, n, depth int, a []float32, ars, acs int, packed []float32, packedDepth int, load bool, c []float32, ldc int) {
	for i := 0; i < m; i += k.mr {
		rows := min(k.mr, m-i)
		ap, rs, cs := a[i*ars:], ars, acs
		if rows < k.mr {
			ap, rs, cs = k.padRows(w, rows, depth, ap, ars, acs), 1, k.mr
		} else {
			_ = ap[(rows-1)*ars+(depth-1)*acs]
			if ars == 1 && acs > k.mr && n >= 4*k.nr && k.copyRows != nil {
				// Rows of A far apart meet in few sets of L1 and would be
				// fetched from L2 again for each panel of B.
				w.packA = grow(w.packA, k.mr*depth)
				k.copyRows(&w.packA[0], &ap[0], acs, depth)
				ap, cs = w.packA, k.mr
			}
		}
		panel, j := packed, 0
		if panels := n / k.nr; k.tiles != nil && rows == k.mr && panels > 0 {
			ct, step := c[i*ldc:], k.nr*packedDepth
			_, _ = ct[(rows-1)*ldc+panels*k.nr-1], packed[(panels-1)*step+k.nr*depth-1]
			k.tiles(depth, &ap[0], rs, cs, &packed[0], &ct[0], ldc, load, panels, step)
			panel, j = packed[panels*step:], panels*k.nr
		}
		for ; j < n; j += k.nr {
			cols := min(k.nr, n-j)
			width := k.width(cols)
			tile := k.tile
			if width < k.nr {
				tile = k.tileHalf
			}
			if ct := c[i*ldc+j:]; rows == k.mr && cols == width {
				_ = ct[(rows-1)*ldc+cols-1]
				tile(depth, &ap[0], rs, cs, &panel[0], &ct[0], ldc, load)
			} else {
				k.edge(w, tile, rows, cols, depth, ap, rs, cs, panel, load, ct, ldc)
			}
			panel = panel[width*packedDepth:]
		}
	}
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

// edge computes a tile that sticks out of C, by way of a whole one.
func (k *path) edge(w *worker, tile tileFunc, rows, cols, depth int, a []float32, rs, cs int, panel []float32, load bool, c []float32, ldc int) {
	t := w.edge[:]
	if load {
		clear(t)
		for i := range rows {
			copy(t[i*k.nr:i*k.nr+cols], c[i*ldc:i*ldc+cols])
		}
	}
	tile(depth, &a[0], rs, cs, &panel[0], &t[0], k.nr, load)
	for i := range rows {
		copy(c[i*ldc:i*ldc+cols], t[i*k.nr:i*k.nr+cols])
	}
}

// tileFunc is a microkernel: one tile of C, mr rows and one panel of B wide.
//
//	for i < mr, j < width:
//		s = c[i*ldc+j] if load, else 0
//		for l < depth: s = fma(a[i*rs+l*cs], b[l*width+j], s)
//		c[i*ldc+j] = s
//
// Strides are in floats; depth is at least 1.
type tileFunc func(depth int, a *float32, rs, cs int, b, c *float32, ldc int, load bool)

const (
	portableRows = 4
	portableCols = 16
)

func tilePortable(depth int, a *float32, rs, cs int, b, c *float32, ldc int, load bool) {
	tileGo(portableCols, depth, a, rs, cs, b, c, ldc, load)
}

func tileHalfPortable(depth int, a *float32, rs, cs int, b, c *float32, ldc int, load bool) {
	tileGo(portableCols/2, depth, a, rs, cs, b, c, ldc, load)
}
