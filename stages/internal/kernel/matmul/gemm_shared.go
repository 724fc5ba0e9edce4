package matmul

import "ablate/stages/internal/kernel/arena"

// gemmCall is a product that several workers share. First they pack all of B, panel by panel, into
// the pool's memory; then they take rows of A, a few at a time, so that a core which others slow
// down takes fewer. (Were C cut into one part a worker, each would have to pack B for itself: a
// third more time for the gradient of 512 x 128 weights on two cores.)
type gemmCall struct {
	a, b               operand
	m, n, k            int
	blockDepth         int // the most rows of a block of B
	blockWidth         int // and columns
	c                  []float32
	ldc                int
	load               bool
	colParts           int // blocks of B beside each other
	rowTasks, colTasks int
}

// Tasks of a product: tasksPerWorker of them even out the workers' ends. Fewer, but leastTasks a
// worker, if they would have less than goodTask rows or columns, where a task takes longer to read
// A and B than a few larger ones would; none has less than leastTask rows.
const (
	tasksPerWorker, leastTasks = 8, 2
	goodTask, leastTask        = 128, 32
)

// divide decides on the tasks.
func (g *gemmCall) divide(threads int) {
	want, least := tasksPerWorker*threads, leastTasks*threads
	g.colParts = (g.n + g.blockWidth - 1) / g.blockWidth
	g.rowTasks = max(1, min(want, g.m/goodTask))
	if g.rowTasks < least {
		g.colParts = max(g.colParts, min(g.n/goodTask, (least+g.rowTasks-1)/g.rowTasks))
	}
	g.colTasks = min(g.colParts, (want+g.rowTasks-1)/g.rowTasks)
	if g.rowTasks*g.colTasks < least {
		g.rowTasks = max(1, min((least+g.colTasks-1)/g.colTasks, g.m/leastTask))
	}
}

func (p *Multiplier) share() {
	g := &p.gemm
	g.divide(p.pool.Active())
	p.shared = arena.GrowHuge(p.shared, p.k.PackedSize(g.n, g.k))
	p.pool.RunOn(g.colParts*g.depthParts()*g.panels(p.k), p.gemmPack)
	p.pool.RunOn(g.rowTasks*g.colTasks, p.gemmMultiply)
}

func (g *gemmCall) depthParts() int { return (g.k + g.blockDepth - 1) / g.blockDepth }

// panels is the most panels that a block has.
func (g *gemmCall) panels(k *Path) int { return (min(g.n, g.blockWidth) + k.nr - 1) / k.nr }

// Block returns where block (l, j) of B begins, its size, how many of its columns are in wide
// panels, and its place in the shared memory.
func (g *gemmCall) block(k *Path, l, j int) (l0, depth, j0, cols, wide, at int) {
	unit := k.columnUnit()
	if g.n < 2*unit*g.colParts { // few columns: better alike than whole wide panels
		unit = k.nr
	}
	j0, j1 := cut(g.n, unit, g.colParts, j)
	l0, l1 := cut(g.k, depthUnit, g.depthParts(), l)
	cols = j1 - j0
	return l0, l1 - l0, j0, cols, k.wideColumns(cols), j0*g.k + l0*k.PackedSize(cols, 1)
}

// packTask packs one panel of B.
func (p *Multiplier) packTask(_, i int) {
	g, k := &p.gemm, p.k
	i, panel := i/g.panels(k), i%g.panels(k)
	l, depth, j, cols, wide, at := g.block(k, i/g.colParts, i%g.colParts)
	first, inWide := panel*k.wideWidth(), k.wideWidth()
	if first >= wide {
		first, inWide = wide+(panel-wide/k.wideWidth())*k.nr, 0
	}
	if first >= cols {
		return
	}
	b, n := g.b.from(l, j+first), min(k.width(cols-first, inWide), cols-first)
	k.packPanels(p.shared[at+first*depth:], b.x, b.ld, !b.byRows, n, depth, inWide)
}

// multiplyTask computes some rows of C, in some of the columns.
func (p *Multiplier) multiplyTask(worker, i int) {
	w := &p.work[worker]
	g, k := &p.gemm, p.k
	i0, i1 := cut(g.m, k.mr, g.rowTasks, i/g.colTasks)
	if i0 >= i1 {
		return
	}
	rs, cs := g.a.strides()
	for j := i % g.colTasks; j < g.colParts; j += g.colTasks {
		for l := range g.depthParts() {
			l0, depth, j0, cols, wide, at := g.block(k, l, j)
			k.multiply(w, i1-i0, cols, depth, g.a.from(i0, l0).x, rs, cs, p.shared[at:], depth, wide, g.load || l > 0, g.c[i0*g.ldc+j0:], g.ldc)
		}
	}
}
