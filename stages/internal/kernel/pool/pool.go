// Package pool is the workers that kernels divide their work among: goroutines that sleep between
// runs, which follow one another within microseconds. It knows nothing of what they compute.
package pool

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Pool is a fixed set of workers. One goroutine at a time may use it.
type Pool struct {
	work    []worker // one for each of Threads
	threads int      // how many of them take part, see Limit
	started int      // how many of them have had a goroutine: work[0] is the caller's
	exited  sync.WaitGroup

	// State of the current run, written before the workers are called.
	f       func(worker, i int)
	n       int64
	next    atomic.Int64
	pending atomic.Int64 // workers still in the run
	caller  sleeper
	failed  atomic.Pointer[failure]
}

// worker is one of the pool's. The caller of Run is worker 0.
type worker struct {
	calls atomic.Int64 // runs this worker was called to; -1: end
	sleeper
	_ [64]byte // keeps the counters of two workers off one cache line
}

type failure struct {
	value any
	stack []byte
}

// New makes a pool of threads workers, the caller of Run among them; the others get their
// goroutines when work first reaches them. A number below one counts as one. Close ends the
// goroutines.
func New(threads int) *Pool {
	threads = max(threads, 1)
	p := &Pool{threads: threads, started: 1, work: make([]worker, threads)}
	p.caller.init()
	return p
}

// Active is how many workers take part in a run at most, see Limit.
func (p *Pool) Active() int { return p.threads }

// Threads is the number of workers, the caller included, whatever the limit.
func (p *Pool) Threads() int { return len(p.work) }

// Limit lets n of the workers take part in what follows, until it is called again; a number outside
// 1 to Threads counts as the nearest in it. No result depends on it. The other workers sleep: they
// are neither called nor waited for. Like Run, Limit must not be called while another goroutine
// uses the pool.
func (p *Pool) Limit(n int) { p.threads = min(max(n, 1), len(p.work)) }

// Close ends the workers and waits for them. The pool cannot be used after.
func (p *Pool) Close() {
	for i := 1; i < p.started; i++ {
		p.work[i].calls.Store(-1)
		p.work[i].rouse()
	}
	p.exited.Wait()
}

// Run calls f(0) ... f(n-1), each once, on the workers, and returns when all are done. Which worker
// takes which i is not fixed, so f(i) must write only what no other call touches. If a call panics,
// Run panics with the same value (an error is wrapped, with the worker's stack) after the calls
// under way have ended; the calls not yet begun are dropped. f must not call Run.
func (p *Pool) Run(n int, f func(i int)) {
	p.RunOn(n, func(_, i int) { f(i) })
}

// RunOn is Run for calls that are told the number of their worker, from 0 to Threads, whose scratch
// memory they may use.
func (p *Pool) RunOn(n int, f func(worker, i int)) {
	helpers := min(n, p.threads) - 1
	if helpers <= 0 {
		for i := range n {
			f(0, i)
		}
		return
	}
	for ; p.started <= helpers; p.started++ {
		w := &p.work[p.started]
		w.init()
		p.exited.Add(1)
		go p.serve(w, p.started)
	}
	p.f, p.n = f, int64(n)
	p.next.Store(0)
	p.pending.Store(int64(helpers))
	for i := 1; i <= helpers; i++ {
		p.work[i].calls.Add(1)
		p.work[i].rouse()
	}
	p.drain(0)
	p.caller.await(func() bool { return p.pending.Load() == 0 })
	p.f = nil
	if e := p.failed.Swap(nil); e != nil {
		if err, ok := e.value.(error); ok {
			panic(fmt.Errorf("worker: %w\n%s", err, e.stack))
		}
		panic(e.value)
	}
}

func (p *Pool) serve(w *worker, number int) {
	defer p.exited.Done()
	for seen := int64(0); ; seen++ {
		w.await(func() bool { return w.calls.Load() != seen })
		if w.calls.Load() < 0 {
			return
		}
		p.drain(number)
		if p.pending.Add(-1) == 0 {
			p.caller.rouse()
		}
	}
}

// drain takes indices until none is left.
func (p *Pool) drain(worker int) {
	defer func() {
		if v := recover(); v != nil {
			p.next.Store(p.n)
			p.failed.CompareAndSwap(nil, &failure{v, debug.Stack()})
		}
	}()
	for i := p.next.Add(1) - 1; i < p.n; i = p.next.Add(1) - 1 {
		p.f(worker, int(i))
	}
}

// sleeper is one goroutine's wait for a condition. It looks for a while before it sleeps: kernels
// follow one another within microseconds, and waking a sleeping thread takes about 50.
type sleeper struct {
	asleep atomic.Bool
	bell   chan struct{}
}

// looks is the number of looks at the condition before going to sleep; each yields to the
// scheduler, so that a pool wider than GOMAXPROCS still moves. 200 are 20 to 40 us.
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
		// Either we see the condition and withdraw, or the one who made it true sees us asleep and
		// rings; if both, the ring is taken here.
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
