package kernel

import (
	"ablate/stages/internal/kernel/arena"
	"ablate/stages/internal/kernel/matmul"
	"ablate/stages/internal/kernel/pool"
)

// Pool is a fixed set of workers with scratch memory of their own. One goroutine at a time may use
// it. Results of kernels never depend on Threads.
type Pool struct {
	*pool.Pool
	k        *path
	products *matmul.Multiplier
	work     []worker // scratch memory of each of Threads

	scratch []float32 // for the caller between runs: partial sums over rows
	sums    []float64
}

// worker is what one worker may scribble on.
type worker struct {
	row  []float32 // one row of logits
	attn []float32 // attention scratch
	head head      // the head under way
	_    [64]byte
}

// NewPool makes a pool of threads workers, the caller of each kernel among them; the others get
// their goroutines and their scratch memory when work first reaches them. A number below one counts
// as one. Close ends the goroutines.
//
// NewPool panics if ABLATE_KERNEL asked for a path that this machine does not have and no Select
// has succeeded since; call Select("") first to get that as an error.
func NewPool(threads int) *Pool {
	k, err := selected()
	if err != nil {
		panic("internal error: kernel used without a path: " + err.Error())
	}
	return newPool(threads, k)
}

func newPool(threads int, k *path) *Pool {
	workers := pool.New(threads)
	return &Pool{Pool: workers, k: k, products: matmul.New(workers, k.Path), work: make([]worker, workers.Threads())}
}

// split calls f on [lo, hi) ranges that cover [0, n), each of at least grain elements except the
// last. For work whose result does not depend on the cut.
func (p *Pool) split(n, grain int, f func(lo, hi int)) {
	if n <= grain || p.Active() == 1 {
		if n > 0 {
			f(0, n)
		}
		return
	}
	// Four pieces per worker even out cores that other programs slow down.
	size := max(grain, (n+4*p.Active()-1)/(4*p.Active()))
	size = upTo(size)
	p.RunOn((n+size-1)/size, func(_, i int) {
		f(i*size, min(n, (i+1)*size))
	})
}

// splitRows is split for rows of n elements that need a worker's scratch.
func (p *Pool) splitRows(rows, n int, f func(w *worker, lo, hi int)) {
	least := max(1, grain/max(n, 1))
	size := max(least, (rows+4*p.Active()-1)/(4*p.Active()))
	p.RunOn((rows+size-1)/size, func(worker, i int) {
		f(&p.work[worker], i*size, min(rows, (i+1)*size))
	})
}

// rowParts is the number of partial sums of a sum over rows. It bounds the useful threads of such a
// sum, and must not depend on them.
const rowParts = 16

// partials returns rowParts*n floats of the pool's scratch memory, not cleared.
func (p *Pool) partials(n int) []float32 {
	p.scratch = arena.Grow(p.scratch, rowParts*n)
	return p.scratch
}

// overParts calls f(i, lo, hi) for each part i of the rows [0, rows) that is not empty. Parts are
// cut by rows alone.
func (p *Pool) overParts(rows int, f func(i, lo, hi int)) {
	parts := min(rowParts, rows)
	p.RunOn(parts, func(_, i int) {
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
