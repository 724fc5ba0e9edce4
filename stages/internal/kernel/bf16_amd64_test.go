package kernel

import (
	"math"
	"testing"

	"ablate/stages/internal/kernel/scalar"
)

// TestBF16Dot holds VDPBF16PS itself to two steps, the upper halves of the pairs first.
func TestBF16Dot(t *testing.T) {
	if len(avx512BF16()) < 2 {
		t.Skip("needs a processor with avx512_bf16 whose VDPBF16PS is two fused multiply-adds")
	}
	rng := rngFor(24)
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
