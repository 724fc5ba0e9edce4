package bulk

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// onEachPath runs a test on every path of this machine, the portable one too.
func onEachPath(t *testing.T, test func(t *testing.T)) {
	before := selected()
	t.Cleanup(func() { choice.p = before })
	for _, p := range append(vectorPaths(), &portable) {
		t.Run(p.name, func(t *testing.T) {
			if err := Select(p.name); err != nil {
				t.Fatal(err)
			}
			test(t)
		})
	}
}

// guarded makes a slice of n numbers that begins offset elements behind the start of a cache line,
// with guard words round it.
func guarded(n, offset int) (all, x []float32) {
	all = make([]float32, n+offset+64)
	at := toLine(all)
	at += 16 + offset
	for i := range all {
		all[i] = guard
	}
	return all, all[at : at+n : at+n]
}

const guard = 12345.5

func checkGuards(t *testing.T, all []float32, x []float32) {
	t.Helper()
	kept := 0
	for _, v := range all {
		if v == guard {
			kept++
		}
	}
	if kept != len(all)-len(x) {
		t.Fatalf("%d guard words left of %d", kept, len(all)-len(x))
	}
}

// numbers are ordinary ones with special ones among them, at most one of each column of sources a
// NaN.
func numbers(n, source, sources, offset int, r *rand.Rand) []float32 {
	special := []float32{0, float32(math.Copysign(0, -1)), math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, 1e-41}
	_, x := guarded(n, offset)
	for i := range x {
		switch {
		case r.IntN(8) == 0:
			x[i] = special[r.IntN(len(special))]
		case i%23 == 5 && i/23%sources == source:
			x[i] = math.Float32frombits(0x7fc00000 | uint32(i)) // a payload, to be kept
		case i%29 == 7 && i/29%sources == source:
			x[i] = float32(math.Inf(1 - i%2*2))
		default:
			x[i] = float32(r.NormFloat64())
		}
	}
	return x
}

// sumPlain is the formula.
func sumPlain(sources [][]float32, weights []float64, i int) float32 {
	sum := float64(weights[0] * float64(sources[0][i]))
	for k, x := range sources[1:] {
		sum += float64(weights[k+1] * float64(x[i]))
	}
	return float32(sum)
}

func TestSum(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		check := func(n, models, offset int, past bool) {
			t.Helper()
			sources, weights := make([][]float32, models), make([]float64, models)
			for k := range sources {
				sources[k], weights[k] = numbers(n, k, models, (offset+3*k)%17, r), r.NormFloat64()/float64(models)
			}
			all, dst := guarded(n, offset)
			Sum(dst, sources, weights, past)
			for i, got := range dst {
				if want := sumPlain(sources, weights, i); math.Float32bits(got) != math.Float32bits(want) {
					t.Fatalf("%d numbers, %d models, offset %d, past %v: element %d is %v (%#x), want %v (%#x)",
						n, models, offset, past, i, got, math.Float32bits(got), want, math.Float32bits(want))
				}
			}
			checkGuards(t, all, dst)
		}
		for n := range 300 {
			check(n, 1+n%5, n%16, n%2 == 0)
		}
		for offset := range 17 {
			check(777, 3, offset, true)
		}
		for _, models := range []int{together - 1, together, together + 1, 2 * together, 2*together + 1, 100} {
			check(2*stretch+77, models, 1, models%2 == 0)
			check(130, models, 0, true)
		}
	})
}

// One model of weight 1 comes through bit by bit.
func TestSumOfOneIsExact(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		x := numbers(1000, 0, 1, 3, rand.New(rand.NewPCG(5, 6)))
		_, dst := guarded(len(x), 0)
		Sum(dst, [][]float32{x}, []float64{1}, true)
		for i := range x {
			if math.Float32bits(dst[i]) != math.Float32bits(x[i]) {
				t.Fatalf("element %d: %v, want %v", i, dst[i], x[i])
			}
		}
	})
}

// A fused multiply-add would give another sum here: 1 + 2^-30 squared, minus 1, has a last term
// that the rounded product loses.
func TestSumRoundsProducts(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		x := float32(1 + 1./(1<<12))
		w := 1 + 1./(1<<45)
		rounded := float64(w*float64(x)) - float64(x)
		if fused := math.FMA(w, float64(x), -float64(x)); float32(fused) == float32(rounded) {
			t.Fatal("these numbers do not tell the difference")
		}
		a := slices.Repeat([]float32{x}, 256)
		dst := make([]float32, len(a))
		Sum(dst, [][]float32{a, a}, []float64{-1, w}, false)
		for i, got := range dst {
			if got != float32(rounded) {
				t.Fatalf("element %d is %g, want %g", i, got, float32(rounded))
			}
		}
	})
}

func TestSumRefuses(t *testing.T) {
	for name, f := range map[string]func(){
		"short source": func() { Sum(make([]float32, 3), [][]float32{make([]float32, 2)}, []float64{1}, false) },
		"weights":      func() { Sum(make([]float32, 3), [][]float32{make([]float32, 3)}, nil, false) },
		"widen":        func() { Widen(make([]int32, 3), make([]uint16, 2)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestWiden(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		for n := range 200 {
			for _, offset := range []int{0, 1, 3} {
				src := make([]uint16, n+offset)[offset:]
				for i := range src {
					src[i] = uint16(65535 - 331*i)
				}
				all := slices.Repeat([]int32{-7}, n+offset+8)
				dst := all[offset : offset+n]
				Widen(dst, src)
				for i, v := range src {
					if dst[i] != int32(v) {
						t.Fatalf("%d numbers: element %d is %d, want %d", n, i, dst[i], v)
					}
				}
				for i, v := range all {
					if (i < offset || i >= offset+n) && v != -7 {
						t.Fatalf("%d numbers, offset %d: wrote element %d", n, offset, i-offset)
					}
				}
			}
		}
	})
}

func TestSelect(t *testing.T) {
	before := selected()
	t.Cleanup(func() { choice.p = before })
	if err := Select("portable"); err != nil || selected() != &portable {
		t.Errorf("portable: %v, have %s", err, selected().name)
	}
	if err := Select("mmx"); err == nil || !strings.Contains(err.Error(), `kernel path "mmx": this machine has `) || selected() != &portable {
		t.Errorf("mmx: error %v, have %s", err, selected().name)
	}
	t.Setenv(pathVariable, "sse9")
	if err := Select(""); err == nil || !strings.Contains(err.Error(), `ABLATE_KERNEL "sse9": this machine has `) {
		t.Errorf("ABLATE_KERNEL=sse9: error %v", err)
	}
	t.Setenv(pathVariable, "fused")
	if err := Select(""); err != nil || selected() != &portable {
		t.Errorf("ABLATE_KERNEL=fused: error %v, have %s", err, selected().name)
	}
}

func BenchmarkSum(b *testing.B) {
	const n = 8 << 20
	for _, models := range []int{2, 8, 32, 128} {
		size := n * 8 / max(models, 8)
		sources, weights := make([][]float32, models), make([]float64, models)
		for k := range sources {
			sources[k], weights[k] = slices.Repeat([]float32{float32(k)}, size), 1/float64(models)
		}
		dst := make([]float32, size)
		for _, p := range append(vectorPaths(), &portable) {
			b.Run(fmt.Sprintf("models=%d/%s", models, p.name), func(b *testing.B) {
				choice.p = p
				b.SetBytes(4 * int64(size) * int64(models+1))
				for b.Loop() {
					Sum(dst, sources, weights, true)
				}
			})
		}
	}
}
