package kernel

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Pool is a fixed set of workers with scratch memory of their own. One
// goroutine at a time may use it. Results of kernels never depend on Threads.
type Pool struct {
	k       *path
	work    []worker // one for each of Threads
	threads int      // how many of them take part, see Limit
	started int      // how many of them have had a goroutine: work[0] is the caller's
	exited  sync.WaitGroup

	// State of the current run, written before the workers are called.
	f       func(w *worker, i int)
	n       int64
	next    atomic.Int64
	pending atomic.Int64 // workers still in the run
	caller  sleeper
	failed  atomic.Pointer[failure]

	scratch                []float32 // for the caller between runs: partial sums over rows
	sums                   []float64
	gemm                   gemmCall
	shared                 []float32              // B, packed for all workers
	gemmPack, gemmMultiply func(w *worker, i int) // bound once, so that Gemm allocates nothing
	bf16                   bf16State
}

// worker is what one worker may scribble on. The caller of Run is worker 0.
type worker struct {
	packA []float32        // one panel of A, where it needs a copy
	packB []float32        // packed block of B
	edge  [maxTile]float32 // one tile of C, for the edges
	row   []float32        // one row of logits
	attn  []float32        // attention scratch
	head  head             // the head under way
	bf16  bf16Scratch

	calls atomic.Int64 // runs this worker was called to; -1: end
	sleeper
	_ [64]byte // keeps the counters of two workers off one cache line
}

type failure struct {
	value any
	stack []byte
}

// NewPool makes a pool of threads workers, the caller of each kernel among them;
// the others get their goroutines and their scratch memory when work first
// reaches them. A number below one counts as one. Close ends the goroutines.
//
// NewPool panics if ABLATE_KERNEL asked for a path that this machine does not
// have and no Select has succeeded since; call Select("") first to get that as
// an error.
func NewPool(threads int) *Pool {
	k, err := selected()
	if err != nil {
		panic("internal error: kernel used without a path: " + err.Error())
	}
	return newPool(threads, k)
}

func newPool(threads int, k *path) *Pool {
	threads = max(threads, 1)
	p := &Pool{k: k, threads: threads, started: 1, work: make([]worker, threads)}
	p.gemmPack, p.gemmMultiply = p.packTask, p.multiplyTask
	p.bf16 = bf16State{path: k.bf16()[0], pack: p.bf16Pack, multiply: p.bf16Multiply}
	p.caller.init()
	return p
}

// Threads is the number of workers, the caller included, whatever the limit.
func (p *Pool) Threads() int { return len(p.work) }

// Limit lets n of the workers take part in what follows, until it is called
// again; a number outside 1 to Threads counts as the nearest in it. No result
// depends on it. The other workers sleep: they are neither called nor waited
// for, and keep only their scratch memory. Like a kernel, Limit must not be
// called while another goroutine uses the pool.
func (p *Pool) Limit(n int) { p.threads = min(max(n, 1), len(p.work)) }

// Close ends the workers and waits for them. The pool cannot be used after.
func (p *Pool) Close() {
	for i := 1; i < p.started; i++ {
		p.work[i].calls.Store(-1)
		p.work[i].rouse()
	}
	p.exited.Wait()
}

// Run calls f(0) ... f(n-1), each once, on the workers, and returns when all
// are done. Which worker takes which i is not fixed, so f(i) must write only
// what no other call touches. If a call panics, Run panics with the same value
// (an error is wrapped, with the worker's stack) after the calls under way have
// ended; the calls not yet begun are dropped. f must not call Run.
func (p *Pool) Run(n int, f func(i int)) {
	p.run(n, func(_ *worker, i int) { f(i) })
}

func (p *Pool) run(n int, f func(w *worker, i int)) {
	helpers := min(n, p.threads) - 1
	if helpers <= 0 {
		for i := range n {
			f(&p.work[0], i)
		}
		return
	}
	for ; p.started <= helpers; p.started++ {
		w := &p.work[p.started]
		w.init()
		p.exited.Add(1)
		go p.serve(w)
	}
	p.f, p.n = f, int64(n)
	p.next.Store(0)
	p.pending.Store(int64(helpers))
	for i := 1; i <= helpers; i++ {
		p.work[i].calls.Add(1)
		p.work[i].rouse()
	}
	p.drain(&p.work[0])
	p.caller.await(func() bool { return p.pending.Load() == 0 })
	p.f = nil
	if e := p.failed.Swap(nil); e != nil {
		if err, ok := e.value.(error); ok {
			panic(fmt.Errorf("worker: %w\n%s", err, e.stack))
		}
		panic(e.value)
	}
}

func (p *Pool) serve(w *worker) {
	defer p.exited.Done()
	for seen := int64(0); ; seen++ {
		w.await(func() bool { return w.calls.Load() != seen })
		if w.calls.Load() < 0 {
			return
		}
		p.drain(w)
		if p.pending.Add(-1) == 0 {
			p.caller.rouse()
		}
	}
}

// drain takes indices until none is left.
func (p *Pool) drain(w *worker) {
	defer func() {
		if v := recover(); v != nil {
			p.next.Store(p.n)
			p.failed.CompareAndSwap(nil, &failure{v, debug.Stack()})
		}
	}()
	for i := p.next.Add(1) - 1; i < p.n; i = p.next.Add(1) - 1 {
		p.f(w, int(i))
	}
}

// sleeper is one goroutine's wait for a condition. It looks for a while before
// it sleeps: kernels follow one another within microseconds, and waking a
// sleeping thread takes about 50.
type sleeper struct {
	asleep atomic.Bool
	bell   chan struct{}
}

// looks is the number of looks at the condition before going to sleep; each
// yields to the scheduler, so that a pool wider than GOMAXPROCS still moves.
// 200 are 20 to 40 us.
const looks = 200

func (s *sleeper) init() { s.bell = make(chan struct{}, 1) }

// await returns when ready, which others make true before they call rouse.
func (s *sleeper) await(ready func() bool) {
	for i := 0; !ready(); i++ {
		if i < looks {
			runtime.Gosched()
			continue
		}
		s.asleep.Store(true)
		// Either we see the condition and withdraw, or the one who made it
		// true sees us asleep and rings; if both, the ring is taken here.
		if !ready() || !s.asleep.CompareAndSwap(true, false) {
			<-s.bell
		}
	}
}

func (s *sleeper) rouse() {
	if s.asleep.CompareAndSwap(true, false) {
		s.bell <- struct{}{}
	}
}

// split calls f on [lo, hi) ranges that cover [0, n), each of at least grain
// elements except the last. For work whose result does not depend on the cut.
func (p *Pool) split(n, grain int, f func(lo, hi int)) {
	if n <= grain || p.threads == 1 {
		if n > 0 {
			f(0, n)
		}
		return
	}
	// Four pieces per worker even out cores that other programs slow down.
	size := max(grain, (n+4*p.threads-1)/(4*p.threads))
	size = upTo(size)
	p.run((n+size-1)/size, func(_ *worker, i int) {
		f(i*size, min(n, (i+1)*size))
	})
}

// splitRows is split for rows of n elements that need a worker's scratch.
func (p *Pool) splitRows(rows, n int, f func(w *worker, lo, hi int)) {
	least := max(1, grain/max(n, 1))
	size := max(least, (rows+4*p.threads-1)/(4*p.threads))
	p.run((rows+size-1)/size, func(w *worker, i int) {
		f(w, i*size, min(rows, (i+1)*size))
	})
}
