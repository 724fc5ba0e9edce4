// Package scalar is what every path of the kernels does to one number: the multiply-add that rounds
// once, the exponential by such multiply-adds, and bf16. On arm64 MulAdd is an instruction, which
// the file of that name asks the compiler for.
package scalar

import "math"

// FMA returns a*b+c rounded once to float32, what the FMA instruction gives.
//
// The float64 product of two float32 is exact (24+24 bits <= 53), so only the sum is rounded, once
// to float64 and once more to float32. Rounding twice goes wrong only if the float64 sum is inexact
// and lies half-way between two float32; there the sum is first made odd, as in Boldo and
// Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms using rounding to
// odd", IEEE Trans. Computers 57(4), 2008. Below the smallest normal float32 the half-way points
// lie elsewhere, so that range always takes the careful way.
func FMA(a, b, c float32) float32 {
	p := float64(float64(a) * float64(b)) // exact; the conversion keeps it from being fused with the sum
	s := p + float64(c)
	if Doubtful(s) {
		return FMACareful(p, float64(c), s)
	}
	return float32(s)
}

// Doubtful says whether rounding s to float32 may go wrong if s is rounded already.
func Doubtful(s float64) bool {
	u := math.Float64bits(s)
	return u&halfMask == halfBits || u&^signBit < minNormal
}

const (
	halfMask  = 1<<29 - 1          // the bits of a float64 significand beyond a float32's
	halfBits  = 1 << 28            // half a unit in the last place of a float32
	signBit   = 1 << 63            //
	minNormal = (1023 - 126) << 52 // bits of 2^-126 as a float64
)

//go:noinline
func FMACareful(p, c, s float64) float32 { return float32(toOdd(p, c, s)) }

// toOdd is p+c rounded to odd, s being p+c rounded to the nearest.
func toOdd(p, c, s float64) float64 {
	// The error of s = p+c, exact: Knuth's TwoSum.
	t := s - p
	e := (p - (s - t)) + (c - t)
	u := math.Float64bits(s)
	if e != 0 && u&1 == 0 {
		if (e > 0) == (s > 0) {
			u++
		} else {
			u--
		}
	}
	return math.Float64frombits(u)
}

// FMAIn64 is FMA with the product p at hand, on float32 held as float64.
func FMAIn64(p, c float64) float64 {
	s := p + c
	if Doubtful(s) {
		return float64(FMACareful(p, c, s))
	}
	return float64(float32(s))
}
