package kernel

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"runtime"
	"testing"

	"ablate/stages/internal/kernel/scalar"
)

// everyBF16Pool is everyPool for each implementation of GemmBF16 on each path.
func everyBF16Pool(t *testing.T, f func(t *testing.T, p *Pool)) {
	t.Helper()
	for _, k := range paths() {
		for _, h := range k.BF16() {
			for _, threads := range []int{1, 2, 7} {
				t.Run(fmt.Sprintf("%s/%s/%d", k.name, h.Name, threads), func(t *testing.T) {
					p := newPool(threads, k)
					defer p.Close()
					p.products.SetBF16(h)
					f(t, p)
				})
			}
		}
	}
}

func TestRoundBF16(t *testing.T) {
	for u := range uint32(1 << 16) {
		x := scalar.WidenBF16(uint16(u))
		if x != x {
			for _, rest := range []uint32{0, 1, 0x8000, 0xffff} {
				if y := scalar.WidenBF16(scalar.RoundBF16(math.Float32frombits(u<<16 | rest))); y == y {
					t.Fatalf("NaN %04x%04x becomes %v", u, rest, y)
				}
			}
			continue
		}
		for _, c := range []struct {
			rest uint32
			up   bool
		}{{0, false}, {1, false}, {0x7fff, false}, {0x8000, u&1 == 1}, {0x8001, true}, {0xffff, true}} {
			if math.IsInf(float64(x), 0) && c.rest > 0 {
				continue // NaN
			}
			want := u
			if c.up {
				want++
			}
			if got := scalar.RoundBF16(math.Float32frombits(u<<16 | c.rest)); uint32(got) != want {
				t.Fatalf("%04x%04x becomes %04x, want %04x", u, c.rest, got, want)
			}
		}
	}
}

// bigFlushingFMA is scalar.FlushingFMA from its definition, for finite operands.
func bigFlushingFMA(a, b, c float32) float32 {
	exact := func(x float32) *big.Float { return new(big.Float).SetPrec(2000).SetFloat64(float64(x)) }
	x := exact(a)
	x.Mul(x, exact(b)).Add(x, exact(c))
	if x.Sign() == 0 {
		return a*b + c // exact, so only the sign is asked for
	}
	r := new(big.Float).SetPrec(24).Set(x) // to the nearest, half-way cases to even, of any exponent
	if new(big.Float).Abs(r).Cmp(exact(0x1p-126)) < 0 {
		return float32(math.Copysign(0, float64(r.Sign())))
	}
	y, _ := r.Float32()
	return y
}

// bf16Specials are bf16 numbers where rounding, overflow, flushing and signs of zero show.
var bf16Specials = []uint16{0, 0x8000, 0x3f80, 0xbf80, 0x3f81, 0xbfff, 1, 0x8001, 0x7f, 0x807f, 0x80, 0x8080, 0x1f80, 0x9f80, 0x1fff, 0x2000, 0x7f7f, 0xff7f}

// bf16Operands draws factors of the sizes at which something happens, and sums near minus the
// product or near the smallest normal number.
func bf16Operands(rng *rand.Rand) (a, b uint16, c float32) {
	draw := func() uint16 {
		switch rng.IntN(4) {
		case 0:
			return scalar.RoundBF16(float32(rng.NormFloat64()))
		case 1:
			return scalar.RoundBF16(float32(math.Ldexp(rng.NormFloat64(), rng.IntN(6)-66)))
		case 2:
			return bf16Specials[rng.IntN(len(bf16Specials))]
		}
		return uint16(rng.Uint32())&^0x4000 | uint16(rng.IntN(2))<<14*uint16(rng.IntN(2)) // seldom large
	}
	a, b = draw(), draw()
	switch rng.IntN(5) {
	case 0:
		c = float32(rng.NormFloat64())
	case 1:
		c = math.Float32frombits(rng.Uint32() &^ 0x40000000)
	case 2:
		c = float32(math.Ldexp(rng.NormFloat64(), rng.IntN(5)-127))
	case 3:
		c = -scalar.WidenBF16(a) * scalar.WidenBF16(b)
	case 4:
		c = []float32{0, float32(math.Copysign(0, -1)), 0x1p-126, -0x1p-126, 0x1p-149, -0x1.fffffcp-127, math.MaxFloat32}[rng.IntN(7)]
	}
	return a, b, c
}

func TestFlushingFMA(t *testing.T) {
	check := func(a, b, c float32) {
		t.Helper()
		a, b, c = scalar.Flush(a), scalar.Flush(b), scalar.Flush(c)
		if a-a != 0 || b-b != 0 || c-c != 0 {
			return
		}
		if got, want := scalar.FlushingFMA(a, b, c), bigFlushingFMA(a, b, c); math.Float32bits(got) != math.Float32bits(want) {
			t.Fatalf("flushingFMA(%x, %x, %x) = %x (%08x), want %x", a, b, c, got, math.Float32bits(got), want)
		}
	}
	// Just below the smallest normal number: 24 bits round up to it from 2^-126 - 2^-151 on.
	for _, below := range []float32{0x1p-24, 0x1p-25, 0x1.8p-26, 0x1p-26, 0x1p-27} {
		check(0x1p-63*(1-below), 0x1p-63, 0)
		check(-0x1p-63, 0x1p-63*below, 0x1p-126)
		check(0x1p-63, 0x1p-63*below, -0x1p-126)
	}
	check(0x1p-75, 0x1p-75, 0)
	check(-0x1p-75, 0x1p-75, 0)
	check(0x1p127, 2, 0)
	rng := rngFor(21)
	for range 400000 {
		a, b, c := bf16Operands(rng)
		check(scalar.WidenBF16(a), scalar.WidenBF16(b), c)
	}
}

func TestGemmBF16(t *testing.T) {
	rng := rngFor(22)
	for _, s := range gemmShapes {
		m, n, k := s[0], s[1], s[2]
		for bits := range 8 {
			ta, tb, load := bits&1 != 0, bits&2 != 0, bits&4 != 0
			lda, ldb, ldc := k+3, n+5, n+2
			if ta {
				lda = m + 3
			}
			if tb {
				ldb = k + 5
			}
			a := normals(rng, extent(m, k, lda, ta))
			b := normals(rng, extent(k, n, ldb, tb))
			c0 := normals(rng, extent(m, n, ldc, false))
			beta := float32(0)
			if load {
				beta = 1
			}
			want := append([]float32(nil), c0...)
			refGemmBF16(ta, tb, m, n, k, a, lda, b, ldb, beta, want, ldc)
			t.Run(fmt.Sprintf("%dx%dx%d,%v,%v,%v", m, n, k, ta, tb, load), func(t *testing.T) {
				everyBF16Pool(t, func(t *testing.T, p *Pool) {
					whole, c := guarded(len(c0), 0)
					copy(c, c0)
					GemmBF16(p, ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc)
					if err := sameBits(c, want); err != nil {
						t.Error(err)
					}
					checkGuards(t, "GemmBF16", whole)
				})
			})
		}
	}
}

// TestGemmBF16Edges multiplies numbers that cancel, overflow, underflow, are denormal, infinite or
// NaN, whatever the layout.
func TestGemmBF16Edges(t *testing.T) {
	rng := rngFor(23)
	inf := float32(math.Inf(1))
	for _, k := range []int{1, 2, 16, 17, 70} {
		const m, n = 150, 200
		a, b, c0 := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)
		number := func() float32 {
			x, y, c := bf16Operands(rng)
			switch rng.IntN(6) {
			case 0:
				return float32(rng.NormFloat64())
			case 1:
				return c
			case 2:
				return math.Float32frombits(uint32(y)<<16 | 0x8000) // half-way
			}
			return scalar.WidenBF16(x)
		}
		for _, x := range [][]float32{a, b, c0} {
			for i := range x {
				x[i] = number()
			}
		}
		a[len(a)/2], b[len(b)/2], c0[len(c0)/2] = float32(math.NaN()), -inf, inf
		a[0], b[n-1] = math.Float32frombits(0x7fffffff), math.Float32frombits(0xffffffff)
		for bits := range 4 {
			ta, tb := bits&1 != 0, bits&2 != 0
			lda, ldb := k, n
			if ta {
				lda = m
			}
			if tb {
				ldb = k
			}
			want := append([]float32(nil), c0...)
			refGemmBF16(ta, tb, m, n, k, a, lda, b, ldb, 1, want, n)
			t.Run(fmt.Sprintf("k=%d,%v,%v", k, ta, tb), func(t *testing.T) {
				everyBF16Pool(t, func(t *testing.T, p *Pool) {
					whole, c := guarded(m*n, 0)
					copy(c, c0)
					GemmBF16(p, ta, tb, m, n, k, a, lda, b, ldb, 1, c, n)
					if err := sameBits(c, want); err != nil {
						t.Error(err)
					}
					checkGuards(t, "GemmBF16", whole)
				})
			})
		}
	}
}

// TestBF16LeavesTheMode looks for a thread that a microkernel left flushing. It compares bits, as a
// comparison of numbers flushes too.
func TestBF16LeavesTheMode(t *testing.T) {
	everyBF16Pool(t, func(t *testing.T, p *Pool) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		x := []float32{0x1p-126}
		GemmBF16(p, false, false, 1, 1, 1, x, 1, x, 1, 0, make([]float32, 1), 1)
		x[0] /= 2
		if got, want := math.Float32bits(x[0]), uint32(1<<22); got != want {
			t.Errorf("after GemmBF16 2^-126 / 2 has the bits %08x, want %08x", got, want)
		}
	})
}

func TestGemmBF16EmptySum(t *testing.T) {
	everyBF16Pool(t, func(t *testing.T, p *Pool) {
		c := []float32{0x1p-149, 2, 3}
		GemmBF16(p, false, true, 1, 2, 0, nil, 0, nil, 0, 1, c, 3)
		GemmBF16(p, false, true, 0, 2, 5, nil, 5, make([]float32, 10), 5, 0, c, 3)
		if err := sameBits(c, []float32{0x1p-149, 2, 3}); err != nil {
			t.Errorf("beta 1: %v", err)
		}
		GemmBF16(p, true, false, 1, 2, 0, nil, 1, nil, 2, 0, c, 3)
		if err := sameBits(c, []float32{0, 0, 3}); err != nil {
			t.Errorf("beta 0: %v", err)
		}
	})
}

func TestGemmBF16AllocatesNothing(t *testing.T) {
	for _, threads := range []int{1, 2} {
		p := NewPool(threads)
		a, b, c := make([]float32, 128*128), make([]float32, 128*128), make([]float32, 128*128)
		n := testing.AllocsPerRun(20, func() {
			GemmBF16(p, false, true, 128, 128, 128, a, 128, b, 128, 0, c, 128)
		})
		if n != 0 {
			t.Errorf("%d threads: %v allocations a call, want 0", threads, n)
		}
		p.Close()
	}
}
