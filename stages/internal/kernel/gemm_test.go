package kernel

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"ablate/stages/internal/kernel/scalar"
)

// guard is written round outputs; no kernel may touch it.
const guard = float32(-1234.5)

// guarded returns n floats of value fill inside 32 guard words on each side.
func guarded(n int, fill float32) (whole, inner []float32) {
	whole = make([]float32, n+64)
	for i := range whole {
		whole[i] = guard
	}
	inner = whole[32 : 32+n]
	for i := range inner {
		inner[i] = fill
	}
	return whole, inner
}

func checkGuards(t *testing.T, name string, whole []float32) {
	t.Helper()
	for i := range 32 {
		if whole[i] != guard || whole[len(whole)-1-i] != guard {
			t.Errorf("%s: wrote outside its output, %d words off", name, 32-i)
			return
		}
	}
}

// normals returns n values from a normal distribution.
func normals(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

func rngFor(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// sameBits reports the first difference; all NaN are alike.
func sameBits(got, want []float32) error {
	if len(got) != len(want) {
		return fmt.Errorf("length %d, want %d", len(got), len(want))
	}
	for i, g := range got {
		if math.Float32bits(g) != math.Float32bits(want[i]) && (g == g || want[i] == want[i]) {
			return fmt.Errorf("element %d: %v (%08x), want %v (%08x)", i, g, math.Float32bits(g), want[i], math.Float32bits(want[i]))
		}
	}
	return nil
}

// everyPool runs f once on each path with 1, 2 and 7 threads.
func everyPool(t *testing.T, f func(t *testing.T, p *Pool)) {
	t.Helper()
	for _, k := range paths() {
		for _, threads := range []int{1, 2, 7} {
			t.Run(fmt.Sprintf("%s/%d", k.name, threads), func(t *testing.T) {
				p := newPool(threads, k)
				defer p.Close()
				f(t, p)
			})
		}
	}
}

func TestFMA(t *testing.T) {
	exact := func(a, b, c float32) float32 {
		x := new(big.Float).SetPrec(2000).SetFloat64(float64(a))
		x.Mul(x, new(big.Float).SetPrec(2000).SetFloat64(float64(b)))
		x.Add(x, new(big.Float).SetPrec(2000).SetFloat64(float64(c)))
		r, _ := x.Float32()
		return r
	}
	check := func(a, b, c float32) {
		t.Helper()
		want := exact(a, b, c)
		for name, got := range map[string]float32{"FMA": scalar.FMA(a, b, c), "FMAIn64": float32(scalar.FMAIn64(float64(a)*float64(b), float64(c)))} {
			if got != want {
				t.Fatalf("%s(%v, %v, %v) = %v, want %v", name, a, b, c, got, want)
			}
		}
	}
	// 1 + 2^-24 is half-way between two float32; a tiny rest decides.
	half, tiny := float32(0x1p-24), float32(0x1p-100)
	check(1, half, 1)
	check(half+0x1p-47, 1, 1)
	check(half-0x1p-48, 1, 1)
	check(tiny, tiny, 1)
	check(0x1.000002p0, 0x1.000002p-24, 1)
	check(-0x1.000002p0, 0x1.fffffep-25, 1)
	check(0x1p-75, 0x1p-75, 0x1p-149)
	check(0x1.8p-75, -0x1p-75, 0x1p-149)
	check(0x1p127, 2, 0)
	rng := rngFor(1)
	for range 200000 {
		a, b := float32(rng.NormFloat64()), float32(rng.NormFloat64())
		// c near the midpoint of -a*b, and all magnitudes.
		c := float32(math.Ldexp(rng.NormFloat64(), rng.IntN(120)-60))
		check(a, b, c)
		check(a, b, -a*b)
		check(math.Float32frombits(math.Float32bits(a)&^0xfff), math.Float32frombits(math.Float32bits(b)&^0xfff), c)
		check(float32(math.Ldexp(float64(a), -70)), float32(math.Ldexp(float64(b), -70)), float32(math.Ldexp(float64(c), -130)))
	}
	for _, x := range []float32{float32(math.Inf(1)), float32(math.NaN())} {
		if got := scalar.FMA(x, 0, 1); got == got {
			t.Errorf("fma32(%v, 0, 1) = %v, want NaN", x, got)
		}
	}
}

var gemmShapes = [][3]int{
	{1, 1, 1}, {1, 1, 0}, {0, 3, 2}, {3, 0, 2}, {5, 3, 7}, {8, 32, 16}, {6, 16, 9}, {7, 31, 8}, {9, 33, 17},
	{16, 48, 24}, {17, 16, 40}, {13, 8, 65}, {40, 65, 257}, {24, 64, 520}, {3, 700, 33}, {130, 17, 10}, {61, 530, 300}, {301, 96, 28}, {700, 130, 20}, {33, 900, 40},
	{15, 112, 5}, {11, 149, 13}, {20, 1060, 6}, {8, 16, 4}, {9, 80, 3}, // wide panels and what is left of them
	{110, 80, 509},  // rows of A 512 apart, which meet in few sets of the cache
	{29, 205, 1021}, // rows of A 1024 apart
	{9, 500, 1601},  // several blocks of B below and beside each other
	{20, 200, 785},  // rows of A as far apart as copied ones (nearRows of package matmul), but not copied
}

// extent is the length of a rows x cols matrix, stored transposed or not.
func extent(rows, cols, ld int, transposed bool) int {
	if transposed {
		rows, cols = cols, rows
	}
	if rows == 0 || cols == 0 {
		return 0
	}
	return (rows-1)*ld + cols
}

func TestGemm(t *testing.T) {
	type layout struct{ ta, tb, load bool }
	rng := rngFor(2)
	for _, s := range gemmShapes {
		m, n, k := s[0], s[1], s[2]
		for bits := range 8 {
			l := layout{bits&1 != 0, bits&2 != 0, bits&4 != 0}
			lda, ldb, ldc := k+3, n+5, n+2
			if l.ta {
				lda = m + 3
			}
			if l.tb {
				ldb = k + 5
			}
			// Each slice ends with its last element: a kernel that looks further panics.
			a := normals(rng, extent(m, k, lda, l.ta))
			b := normals(rng, extent(k, n, ldb, l.tb))
			c0 := normals(rng, extent(m, n, ldc, false))
			beta := float32(0)
			if l.load {
				beta = 1
			}
			want := append([]float32(nil), c0...)
			refGemm(l.ta, l.tb, m, n, k, a, lda, b, ldb, beta, want, ldc)
			t.Run(fmt.Sprintf("%dx%dx%d,%+v", m, n, k, l), func(t *testing.T) {
				everyPool(t, func(t *testing.T, p *Pool) {
					whole, c := guarded(len(c0), 0)
					copy(c, c0)
					Gemm(p, l.ta, l.tb, m, n, k, a, lda, b, ldb, beta, c, ldc)
					if err := sameBits(c, want); err != nil {
						t.Error(err)
					}
					checkGuards(t, "Gemm", whole)
				})
			})
		}
	}
}

// TestGemmDivide forces every division into tasks, and sums that cancel, overflow, underflow and
// hold NaN.
func TestGemmDivide(t *testing.T) {
	m, n, k := 150, 200, 70
	rng := rngFor(3)
	a, b := normals(rng, m*k), normals(rng, k*n)
	for i := range a {
		switch rng.IntN(40) {
		case 0:
			a[i] *= 0x1p-80
		case 1:
			a[i] *= 0x1p-140
		case 2:
			a[i] *= 0x1p70
		}
	}
	for i := range b {
		switch rng.IntN(40) {
		case 0:
			b[i] *= 0x1p-75
		case 1:
			b[i] *= 0x1p62
		}
	}
	a[3*k+5] = float32(math.NaN())
	b[9*n+7] = float32(math.Inf(-1))
	want := make([]float32, m*n)
	refGemm(false, false, m, n, k, a, k, b, n, 0, want, n)
	everyPool(t, func(t *testing.T, p *Pool) {
		whole, c := guarded(m*n, 7)
		Gemm(p, false, false, m, n, k, a, k, b, n, 0, c, n)
		if err := sameBits(c, want); err != nil {
			t.Error(err)
		}
		checkGuards(t, "Gemm", whole)
	})
}

func TestGemmEmptySum(t *testing.T) {
	everyPool(t, func(t *testing.T, p *Pool) {
		c := []float32{1, 2, 3, 4, 5, 6, 7, 8}
		Gemm(p, false, true, 2, 3, 0, nil, 0, nil, 0, 1, c, 4)
		if err := sameBits(c, []float32{1, 2, 3, 4, 5, 6, 7, 8}); err != nil {
			t.Errorf("beta 1: %v", err)
		}
		Gemm(p, true, false, 2, 3, 0, nil, 2, nil, 3, 0, c, 4)
		if err := sameBits(c, []float32{0, 0, 0, 4, 0, 0, 0, 8}); err != nil {
			t.Errorf("beta 0: %v", err)
		}
	})
}

func TestGemmAllocatesNothing(t *testing.T) {
	for _, threads := range []int{1, 2} {
		p := NewPool(threads)
		a, b, c := make([]float32, 128*128), make([]float32, 128*128), make([]float32, 128*128)
		n := testing.AllocsPerRun(20, func() {
			Gemm(p, false, true, 128, 128, 128, a, 128, b, 128, 0, c, 128)
		})
		if n != 0 {
			t.Errorf("%d threads: %v allocations a call, want 0", threads, n)
		}
		p.Close()
	}
}
