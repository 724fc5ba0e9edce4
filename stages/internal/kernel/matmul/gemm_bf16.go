package matmul

import (
	"unsafe"

	"ablate/stages/internal/kernel/arena"
	"ablate/stages/internal/kernel/scalar"
)

// Blocking of GemmBF16, in words and rows. A task packs a block of A, 96 KB of its own L2, and
// takes it over every panel of B, which all tasks share: so each operand is rounded once, and a
// panel of B that comes from afar serves twelve tiles.
const (
	bf16Words = 256
	bf16Rows  = 96
)

// bf16Room bounds the packed words of B in memory at a time: 32 MB.
const bf16Room = 1 << 23

// BF16Scratch bounds what a pool keeps for GemmBF16, in bytes, besides a block of A for each
// worker. (A single panel of B that is longer, of a sum of 260,000 steps, is not counted.)
const BF16Scratch = 4 * bf16Room

// bf16Call is one GemmBF16 under way: the columns of it whose B is packed, and its division into
// tasks.
type bf16Call struct {
	a, b               bf16Operand
	packedB            []uint32
	c                  []float32
	ldc                int
	load               bool
	rowTasks, colTasks int
}

// GemmBF16 is Gemm with A and B rounded to bf16 and denormal numbers flushed to zero; sums are
// float32. Each element is the chain c = fma(bf16(a[i][l]), bf16(b[l][j]), c) for l = 0 ... k-1 in
// that order; see bf16.go for the step. Neither blocking nor threads nor path change a bit. With k
// of 0 there is no step: nothing is rounded or flushed.
func (p *Multiplier) GemmBF16(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	if m <= 0 || n <= 0 || k <= 0 {
		p.Gemm(transA, transB, m, n, k, a, lda, b, ldb, beta, c, ldc)
		return
	}
	g, h := &p.bf16.call, p.bf16.path
	words := h.words(k)
	most := max(1, bf16Room/words/h.nr) * h.nr
	for j := 0; j < n; j += most {
		cols := min(most, n-j)
		*g = bf16Call{c: c[j:], ldc: ldc, load: beta != 0, rowTasks: 1, colTasks: 1}
		g.a = newBF16Operand(a, lda, transA, 0, m, k, h.mr, 0)
		// What pads an odd k must not change a sum: adding 0 * -0 = -0 leaves even -0 alone.
		g.b = newBF16Operand(b, ldb, !transB, j, cols, k, h.nr, 0x8000)
		if p.pool.Active() > 1 && m*cols*k > SerialWork {
			g.divide(p.pool.Active())
		}
		p.bf16.b = arena.Grow(p.bf16.b, g.b.panels()*h.nr*words)
		g.packedB = p.bf16.b
		p.pool.RunOn(g.packTasks(), p.bf16.pack)
		p.pool.RunOn(g.rowTasks*g.colTasks, p.bf16.multiply)
		*g = bf16Call{}
	}
}

// divide cuts C into tasks, by columns only where there are too few rows: every task of the same
// rows packs them again.
func (g *bf16Call) divide(threads int) {
	want := 4 * threads
	g.rowTasks = min(g.a.panels(), want)
	g.colTasks = min(g.b.panels(), (want+g.rowTasks-1)/g.rowTasks)
}

func (g *bf16Call) packTasks() int { return min(g.b.panels(), g.rowTasks*g.colTasks) }

// bf16State is what a pool keeps for GemmBF16.
type bf16State struct {
	path           *BF16Path
	call           bf16Call
	b              []uint32
	pack, multiply func(worker, i int) // bound once, so that GemmBF16 allocates nothing
}

// bf16Scratch is a worker's.
type bf16Scratch struct {
	a    []uint32         // a packed block of A
	rows []uint32         // eight rows on their way into a panel
	edge [maxTile]float32 // one tile of C, for the edges
}

func (p *Multiplier) bf16Pack(worker, i int) {
	w := &p.work[worker]
	g, h := &p.bf16.call, p.bf16.path
	j0, j1 := cut(g.b.rows, h.nr, g.packTasks(), i)
	words := h.words(g.b.depth)
	b := g.b.part(j0, j1-j0, 0, g.b.depth)
	b.pack(h, w, g.packedB[j0*words:])
}

func (p *Multiplier) bf16Multiply(worker, i int) {
	w := &p.work[worker]
	g, h := &p.bf16.call, p.bf16.path
	i0, i1 := cut(g.a.rows, h.mr, g.rowTasks, i/g.colTasks)
	j0, j1 := cut(g.b.rows, h.nr, g.colTasks, i%g.colTasks)
	words := h.words(g.a.depth)
	w.bf16.a = arena.Grow(w.bf16.a, bf16Rows*bf16Words)
	for i := i0; i < i1; i += bf16Rows {
		rows := min(bf16Rows, i1-i)
		for l := 0; l < words; l += bf16Words {
			depth := min(bf16Words, words-l)
			a := g.a.part(i, rows, l*h.steps(), min(depth*h.steps(), g.a.depth-l*h.steps()))
			a.pack(h, w, w.bf16.a)
			for j := j0; j < j1; j += h.nr {
				panel := &g.packedB[j*words+l*h.nr]
				for r := 0; r < rows; r += h.mr {
					g.tile(h, w, min(h.mr, rows-r), min(h.nr, j1-j), depth, &w.bf16.a[r*depth], panel, g.load || l > 0, g.c[(i+r)*g.ldc+j:])
				}
			}
		}
	}
}

// tile computes a tile of C, by way of a whole one where it sticks out.
func (g *bf16Call) tile(h *BF16Path, w *Scratch, rows, cols, depth int, a, b *uint32, load bool, c []float32) {
	if rows == h.mr && cols == h.nr {
		_ = c[(rows-1)*g.ldc+cols-1]
		h.tile(depth, a, b, &c[0], g.ldc, load)
		return
	}
	t := w.bf16.edge[:]
	if load {
		clear(t)
		for i := range rows {
			copy(t[i*h.nr:i*h.nr+cols], c[i*g.ldc:i*g.ldc+cols])
		}
	}
	h.tile(depth, a, b, &t[0], h.nr, load)
	for i := range rows {
		copy(c[i*g.ldc:i*g.ldc+cols], t[i*h.nr:i*h.nr+cols])
	}
}

// bf16TileGo is the microkernel of the paths without assembly of their own.
func bf16TileGo(depth int, a, b *uint32, c *float32, ldc int, load bool) {
	as, bs := floats(a, depth*portableRows), floats(b, depth*portableCols)
	ct := unsafe.Slice(c, (portableRows-1)*ldc+portableCols)
	for i := range portableRows {
		for j := range portableCols {
			s := float32(0)
			if load {
				s = scalar.Flush(ct[i*ldc+j])
			}
			for l := range depth {
				s = scalar.FlushingFMA(scalar.Flush(as[l*portableRows+i]), scalar.Flush(bs[l*portableCols+j]), s)
			}
			ct[i*ldc+j] = s
		}
	}
}

// floats is n words of a panel without pairs.
func floats(w *uint32, n int) []float32 { return unsafe.Slice((*float32)(unsafe.Pointer(w)), n) }
