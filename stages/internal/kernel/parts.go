package kernel

import "ablate/stages/internal/kernel/arena"

// rowParts is the number of partial sums of a sum over rows. It bounds the
// useful threads of such a sum, and must not depend on them.
const rowParts = 16

// partials returns rowParts*n floats of the pool's scratch memory, not cleared.
func (p *Pool) partials(n int) []float32 {
	p.scratch = arena.Grow(p.scratch, rowParts*n)
	return p.scratch
}

// overParts calls f(i, lo, hi) for each part i of the rows [0, rows) that is
// not empty. Parts are cut by rows alone.
func (p *Pool) overParts(rows int, f func(i, lo, hi int)) {
	parts := min(rowParts, rows)
	p.run(parts, func(_ *worker, i int) {
		f(i, i*rows/parts, (i+1)*rows/parts)
	})
}

// addParts adds the partial sums of overParts to dst, in order.
func (p *Pool) addParts(dst, part []float32, rows int) {
	C := len(dst)
	for i := range min(rowParts, rows) {
		p.k.rowAdd(dst, dst, part[i*C:(i+1)*C])
	}
}
