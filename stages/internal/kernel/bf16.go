package kernel

import "math"

// bf16 is the upper half of a float32: its sign, its exponent and 7 bits of its significand.
//
// The step of GemmBF16 is that of the instruction VDPBF16PS (Intel SDM volume 2; which of its two products comes first, and that a tiny
// result is judged after rounding, the manual leaves open: TestBF16Dot looks at the processor):
//
//	c = fma(a, b, c), rounded to nearest, half-way cases to even; denormals among a, b, c count as zeros of their sign, and a result that
//	is denormal after rounding to 24 bits becomes one.
//
// So plain fused multiply-adds of rounded operands in the processor's flushing mode give the same bits, and so does flushingFMA.

// roundBF16 rounds x to bf16, to the nearest and half-way cases to even. Too large a number becomes an infinity, a NaN stays one.
func roundBF16(x float32) uint16 {
	u := math.Float32bits(x)
	if x != x {
		return uint16(u>>16 | 0x40)
	}
	return uint16((u + 0x7fff + u>>16&1) >> 16)
}

func widenBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// flush returns zero of the same sign for a denormal number.
func flush(x float32) float32 {
	u := math.Float32bits(x)
	if u&0x7f800000 == 0 {
		u &= 1 << 31
	}
	return math.Float32frombits(u)
}

// flushingFMA returns a*b+c, rounded once, as the FMA instruction does with denormals flushed; a, b and c are not denormal.
func flushingFMA(a, b, c float32) float32 {
	p := float64(float64(a) * float64(b))
	s := p + float64(c)
	if !doubtful(s) {
		return float32(s)
	}
	s = toOdd(p, float64(c), s)
	// Above this lies what 24 bits round up to the smallest normal number. The odd last bit keeps a sum below it below.
	const rounded = 0x1p-126 - 0x1p-151
	if math.Abs(s) < rounded {
		return float32(math.Copysign(0, s))
	}
	return float32(s)
}

// bf16Path is one implementation of the inner loops of GemmBF16. A panel holds words of 32 bits: a step of k each, as a float32, or two
// steps as a pair of bf16, the first in the upper half.
type bf16Path struct {
	name   string
	mr, nr int
	pairs  bool
	peak   func(n int) // n times 12 vectors of pairs on registers alone; nil: the peak is that of Gemm

	// tile is the microkernel, depth words deep; panels have rows of mr and nr words.
	//
	//	for i < mr, j < nr:
	//		s = c[i*ldc+j] if load, else 0
	//		for l < depth: for each step of a word: s = step(a[l*mr+i], b[l*nr+j], s)
	//		c[i*ldc+j] = s
	tile func(depth int, a, b *uint32, c *float32, ldc int, load bool)

	// cols rounds and packs depth words of panels of width columns, width a multiple of 8, from rows ld apart; row packs n words, a multiple
	// of 8, of one row; transpose8 is the path's. Nil: Go.
	cols       func(dst *uint32, src *float32, ld, depth, width, panels int)
	row        func(dst *uint32, src *float32, n, ahead int)
	transpose8 func(dst *float32, width int, src *float32, ld, blocks int)
}

// bf16Go serves every path without assembly of its own.
var bf16Go = bf16Path{name: "Go", mr: portableRows, nr: portableCols, tile: bf16TileGo}

func goBF16() []*bf16Path { return []*bf16Path{&bf16Go} }

func (h *bf16Path) steps() int {
	if h.pairs {
		return 2
	}
	return 1
}

// words is how many words hold k steps.
func (h *bf16Path) words(k int) int { return (k + h.steps() - 1) / h.steps() }
