package kernel

import "ablate/stages/internal/kernel/scalar"

// lanes is the number of partial sums of a sum along a row: the width of an AVX-512 register.
// Narrower paths emulate it.
const lanes = 16

// whole is the part of n elements that fills all lanes.
func whole(n int) int { return n &^ (lanes - 1) }

// fold adds 16 partial sums as a tree: 8+8, 4+4, 2+2, 1+1.
func fold(s *[lanes]float32) float32 {
	a0, a1, a2, a3 := s[0]+s[8], s[1]+s[9], s[2]+s[10], s[3]+s[11]
	a4, a5, a6, a7 := s[4]+s[12], s[5]+s[13], s[6]+s[14], s[7]+s[15]
	a0, a1, a2, a3 = a0+a4, a1+a5, a2+a6, a3+a7
	return (a0 + a2) + (a1 + a3)
}

// The loops named lane... add to partial sums: element i to s[i mod 16].

func laneSum(s *[lanes]float32, x []float32) {
	for i, v := range x {
		s[i%lanes] += v
	}
}

func laneSquares(s *[lanes]float32, x []float32, m float32) {
	for i, v := range x {
		d := v - m
		s[i%lanes] += float32(d * d)
	}
}

func laneDot(s *[lanes]float32, x, y []float32) {
	y = y[:len(x)]
	for i, v := range x {
		s[i%lanes] += float32(v * y[i])
	}
}

func laneExp(s *[lanes]float32, y, x []float32, a, m float32) {
	y = y[:len(x)]
	for i, v := range x {
		e := scalar.Exp(float32(v*a) - m)
		y[i] = e
		s[i%lanes] += e
	}
}

func rowSum(x []float32) float32 {
	var s [lanes]float32
	laneSum(&s, x)
	return fold(&s)
}

// rowSquares returns the sum of (x[i]-m)^2.
func rowSquares(x []float32, m float32) float32 {
	var s [lanes]float32
	laneSquares(&s, x, m)
	return fold(&s)
}

func rowDot(x, y []float32) float32 {
	var s [lanes]float32
	laneDot(&s, x, y)
	return fold(&s)
}

// rowMax returns the largest element; NaN is passed over, and shows in the sum of exponentials
// instead.
func rowMax(x []float32) float32 {
	m := negInf
	for _, v := range x {
		if v > m {
			m = v
		}
	}
	return m
}

// rowExp sets y[i] = exp(a*x[i]-m) and returns the sum. y may be x.
func rowExp(y, x []float32, a, m float32) float32 {
	var s [lanes]float32
	laneExp(&s, y, x, a, m)
	return fold(&s)
}

func rowScale(x []float32, a float32) {
	for i := range x {
		x[i] *= a
	}
}

// rowAdd sets y[i] = a[i] + b[i]; y may be a or b.
func rowAdd(y, a, b []float32) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] = a[i] + b[i]
	}
}
