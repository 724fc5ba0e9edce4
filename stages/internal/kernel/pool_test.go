package kernel

import (
	"errors"
	"runtime"
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
