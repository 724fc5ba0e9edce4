package experts

import (
	"math"
	"math/big"
)

// exactSum is a sum of finite numbers without rounding, so that it does not depend on their order:
// a fixed-point number that spans all exponents of float64, in digits of 32 bits (Neal 2015, "Fast
// exact summation using small and large superaccumulators"). The zero value is 0.
type exactSum struct {
	digits [68]int64 // digit k counts 2^(32 k - 1074); the range is left unused above and below by what additions carry
	added  int
}

// mostAdded additions, of less than 2^33 a digit, overflow no digit.
const mostAdded = 1 << 28

func (s *exactSum) add(v float64) {
	b := math.Float64bits(v)
	mantissa, exponent := int64(b&(1<<52-1)), int(b>>52&0x7ff)
	if exponent > 0 {
		mantissa |= 1 << 52
		exponent--
	}
	k, shift := exponent>>5, uint(exponent&31)
	low, high := (mantissa&(1<<32-1))<<shift, mantissa>>32<<shift
	d0, d1, d2 := low&(1<<32-1), low>>32+high&(1<<32-1), high>>32
	if b>>63 == 1 {
		d0, d1, d2 = -d0, -d1, -d2
	}
	s.digits[k] += d0
	s.digits[k+1] += d1
	s.digits[k+2] += d2
	if s.added++; s.added == mostAdded {
		s.carry()
	}
}

// carry brings all digits but the last into 32 bits.
func (s *exactSum) carry() {
	s.added = 0
	for k := range len(s.digits) - 1 {
		c := s.digits[k] >> 32 // rounds down, negative digits too
		s.digits[k] -= c << 32
		s.digits[k+1] += c
	}
}

// value is the sum, rounded once to the nearest float64.
func (s *exactSum) value() float64 {
	s.carry()
	var sum, digit big.Int
	for k := len(s.digits) - 1; k >= 0; k-- {
		sum.Lsh(&sum, 32)
		sum.Add(&sum, digit.SetInt64(s.digits[k]))
	}
	if sum.Sign() == 0 {
		return 0
	}
	f := new(big.Float).SetInt(&sum) // of as many bits as it has
	v, _ := f.SetMantExp(f, -1074).Float64()
	return v
}
