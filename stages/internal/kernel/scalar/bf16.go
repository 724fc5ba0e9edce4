package scalar

import "math"

// bf16 is the upper half of a float32: its sign, its exponent and 7 bits of its significand.
//
// The step of GemmBF16 is that of the instruction VDPBF16PS (Intel SDM volume 2; which of its two
// products comes first, and that a tiny result is judged after rounding, the manual leaves open:
// TestBF16Dot looks at the processor):
//
//	c = fma(a, b, c), rounded to nearest, half-way cases to even; denormals among a, b, c count as zeros of their sign, and a result that
//	is denormal after rounding to 24 bits becomes one.
//
// So plain fused multiply-adds of rounded operands in the processor's flushing mode give the same
// bits, and so does FlushingFMA.

// RoundBF16 rounds x to bf16, to the nearest and half-way cases to even. Too large a number becomes
// an infinity, a NaN stays one.
func RoundBF16(x float32) uint16 {
	u := math.Float32bits(x)
	if x != x {
		return uint16(u>>16 | 0x40)
	}
	return uint16((u + 0x7fff + u>>16&1) >> 16)
}

func WidenBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// Flush returns zero of the same sign for a denormal number.
func Flush(x float32) float32 {
	u := math.Float32bits(x)
	if u&0x7f800000 == 0 {
		u &= 1 << 31
	}
	return math.Float32frombits(u)
}

// FlushingFMA returns a*b+c, rounded once, as the FMA instruction does with denormals flushed; a, b
// and c are not denormal.
func FlushingFMA(a, b, c float32) float32 {
	p := float64(float64(a) * float64(b))
	s := p + float64(c)
	if !Doubtful(s) {
		return float32(s)
	}
	s = toOdd(p, float64(c), s)
	// Above this lies what 24 bits round up to the smallest normal number. The odd last bit keeps a
	// sum below it below.
	const rounded = 0x1p-126 - 0x1p-151
	if math.Abs(s) < rounded {
		return float32(math.Copysign(0, s))
	}
	return float32(s)
}
