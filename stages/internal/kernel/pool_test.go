package kernel

import (
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

func TestPoolRun(t *testing.T) {
	for _, threads := range []int{-1, 1, 2, 7, 40} {
		p := NewPool(threads)
		if want := max(threads, 1); p.Threads() != want {
			t.Errorf("NewPool(%d).Threads() = %d, want %d", threads, p.Threads(), want)
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
	p := NewPool(3)
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

// participants are the workers that get work of a run of n calls; each call
// waits until want workers have one, so that none is left out by chance.
func participants(p *Pool, n, want int) []int {
	var took [64]atomic.Bool
	var in atomic.Int64
	p.run(n, func(w *worker, _ int) {
		for i := range p.work {
			if w == &p.work[i] && !took[i].Swap(true) {
				in.Add(1)
			}
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
	p := NewPool(9)
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

// A limit changes no bit of a product that is large enough to be divided, nor
// of sums over rows.
func TestPoolLimitBits(t *testing.T) {
	const m, n, k = 150, 170, 130
	r := rand.New(rand.NewPCG(1, 1))
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	a, b := random(m*k), random(k*n)
	if m*n*k <= serialWork {
		t.Fatalf("product of %d steps, want more than %d", m*n*k, serialWork)
	}
	p := NewPool(6)
	defer p.Close()
	run := func() []float32 {
		c, rounded, sums := make([]float32, m*n), make([]float32, m*n), make([]float32, n)
		Gemm(p, false, false, m, n, k, a, k, b, n, 0, c, n)
		GemmBF16(p, false, false, m, n, k, a, k, b, n, 0, rounded, n)
		BiasBackward(p, sums, c, m, n)
		return slices.Concat(c, rounded, sums)
	}
	want := run()
	for _, limit := range []int{1, 2, 5, 3, 6} {
		p.Limit(limit)
		for i, x := range run() {
			if math.Float32bits(x) != math.Float32bits(want[i]) {
				t.Fatalf("Limit(%d): element %d is %v, want %v", limit, i, x, want[i])
			}
		}
	}
}

func TestPoolPanic(t *testing.T) {
	cause := errors.New("broken")
	for _, threads := range []int{1, 2, 7} {
		p := NewPool(threads)
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

func TestSelect(t *testing.T) {
	defer func() {
		t.Setenv(pathVariable, "")
		if err := Select(""); err != nil {
			t.Error(err)
		}
	}()
	if err := Select("portable"); err != nil || Features() != "portable" {
		t.Errorf("Select(portable) = %v, Features() = %q", err, Features())
	}
	if err := Select("mmx"); err == nil || !strings.Contains(err.Error(), "mmx") || Features() != "portable" {
		t.Errorf("Select(mmx) = %v, Features() = %q; want an error and no change", err, Features())
	}
	t.Setenv(pathVariable, "vax")
	if err := Select(""); err == nil || !strings.Contains(err.Error(), pathVariable) {
		t.Errorf("Select() with %s=vax = %v, want an error that names the variable", pathVariable, err)
	}
	t.Setenv(pathVariable, paths()[0].name)
	if err := Select(""); err != nil || Features() != paths()[0].name {
		t.Errorf("Select() with %s=%s = %v, Features() = %q", pathVariable, paths()[0].name, err, Features())
	}
}
