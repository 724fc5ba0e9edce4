package pool

import (
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
)

func TestPoolRun(t *testing.T) {
	for _, threads := range []int{-1, 1, 2, 7, 40} {
		p := New(threads)
		if want := max(threads, 1); p.Threads() != want {
			t.Errorf("New(%d).Threads() = %d, want %d", threads, p.Threads(), want)
		}
		for _, n := range []int{0, 1, 2, 3, 7, 100} {
			for range 50 {
				var counts [100]atomic.Int64
				p.Run(n, func(i int) { counts[i].Add(1) })
				for i := range counts {
					want := int64(0)
					if i < n {
						want = 1
					}
					if got := counts[i].Load(); got != want {
						t.Fatalf("%d threads, Run(%d): f(%d) called %d times, want %d", threads, n, i, got, want)
					}
				}
			}
		}
		p.Close()
	}
}

func TestPoolSleeps(t *testing.T) {
	p := New(3)
	defer p.Close()
	for range 20 {
		for range 5 * looks {
			runtime.Gosched() // let the workers fall asleep
		}
		var sum atomic.Int64
		p.Run(10, func(i int) { sum.Add(int64(i)) })
		if sum.Load() != 45 {
			t.Fatalf("sum of 0..9 = %d, want 45", sum.Load())
		}
	}
}

// participants are the workers that get work of a run of n calls; each call waits until want
// workers have one, so that none is left out by chance.
func participants(p *Pool, n, want int) []int {
	var took [64]atomic.Bool
	var in atomic.Int64
	p.RunOn(n, func(worker, _ int) {
		if !took[worker].Swap(true) {
			in.Add(1)
		}
		for looks := 0; in.Load() < int64(want) && looks < 1_000_000; looks++ { // bounded: a lost worker fails the test
			runtime.Gosched()
		}
	})
	var all []int
	for i := range took {
		if took[i].Load() {
			all = append(all, i)
		}
	}
	return all
}

func TestPoolLimit(t *testing.T) {
	p := New(9)
	defer p.Close()
	if p.started != 1 {
		t.Errorf("a new pool has started %d workers, want none but the caller", p.started-1)
	}
	most := 0
	for _, c := range []struct{ limit, want int }{{1, 1}, {3, 3}, {2, 2}, {9, 9}, {0, 1}, {-4, 1}, {5, 5}, {1 << 40, 9}, {4, 4}} {
		p.Limit(c.limit)
		if p.Threads() != 9 {
			t.Errorf("Limit(%d): Threads() = %d, want 9", c.limit, p.Threads())
		}
		calls := make([]int64, 9)
		for i := range calls {
			calls[i] = p.work[i].calls.Load()
		}
		if got := participants(p, 100, c.want); len(got) != c.want || got[c.want-1] != c.want-1 {
			t.Errorf("Limit(%d): workers %d took part, want the first %d", c.limit, got, c.want)
		}
		if most = max(most, c.want); p.started != most {
			t.Errorf("Limit(%d): %d workers started, want %d", c.limit, p.started, most)
		}
		for i := c.want; i < most; i++ { // worker 0 is never called
			w := &p.work[i]
			if got := w.calls.Load(); got != calls[i] {
				t.Errorf("Limit(%d): worker %d was called", c.limit, i)
			}
			for looks := 0; !w.asleep.Load(); looks++ {
				if runtime.Gosched(); looks == 1_000_000 { // far more than it takes to fall asleep
					t.Fatalf("Limit(%d): worker %d does not sleep", c.limit, i)
				}
			}
		}
	}
}

func TestPoolPanic(t *testing.T) {
	cause := errors.New("broken")
	for _, threads := range []int{1, 2, 7} {
		p := New(threads)
		for _, value := range []any{"text", cause} {
			got := func() (v any) {
				defer func() { v = recover() }()
				p.Run(50, func(i int) {
					if i == 17 {
						panic(value)
					}
				})
				return nil
			}()
			err, isError := got.(error)
			if got != value && !(isError && errors.Is(err, cause)) {
				t.Errorf("%d threads: recovered %v, want %v", threads, got, value)
			}
		}
		var n atomic.Int64
		p.Run(9, func(int) { n.Add(1) })
		if n.Load() != 9 {
			t.Errorf("%d threads: %d calls after a panic, want 9", threads, n.Load())
		}
		p.Close()
	}
}
