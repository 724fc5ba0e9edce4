package matmul

import (
	"math"
	"math/rand/v2"
	"testing"

	"ablate/stages/internal/kernel/scalar"
)

// TestBF16Dot holds VDPBF16PS itself to two steps, the upper halves of the pairs first.
func TestBF16Dot(t *testing.T) {
	if len(avx512BF16()) < 2 {
		t.Skip("needs a processor with avx512_bf16 whose VDPBF16PS is two fused multiply-adds")
	}
	rng := rand.New(rand.NewPCG(24, 1))
	var a [8]uint32
	var b [32]uint32
	var c0, c [8 * 32]float32
	for range 3000 {
		for i := range a {
			x, y, _ := bf16Operands(rng)
			a[i] = uint32(x)<<16 | uint32(y)
		}
		for j := range b {
			x, y, _ := bf16Operands(rng)
			b[j] = uint32(x)<<16 | uint32(y)
		}
		for i := range c0 {
			x, y := a[i/32], b[i%32]
			_, _, c0[i] = bf16Operands(rng)
			switch rng.IntN(4) {
			case 0:
				c0[i] = -high(x) * high(y)
			case 1:
				c0[i] = -low(x) * low(y)
			}
		}
		c = c0
		bf16DotAVX512(1, &a[0], &b[0], &c[0], 32, true)
		for i, got := range c {
			x, y := a[i/32], b[i%32]
			want := scalar.FlushingFMA(low(x), low(y), scalar.FlushingFMA(high(x), high(y), scalar.Flush(c0[i])))
			if math.Float32bits(got) != math.Float32bits(want) && (got == got || want == want) {
				t.Fatalf("%v + pairs %08x * %08x = %v (%08x), want %v (%08x)", c0[i], x, y, got, math.Float32bits(got), want, math.Float32bits(want))
			}
		}
	}
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
