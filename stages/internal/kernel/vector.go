package kernel

// lanes is the number of partial sums of a sum along a row: the width of an
// AVX-512 register. Narrower paths emulate it.
const lanes = 16

// whole is the part of n elements that fills all lanes.
func whole(n int) int { return n &^ (lanes - 1) }

// fold adds 16 partial sums as a tree: 8+8, 4+4, 2+2, 1+1.
func fold(s *[lanes]float32) float32 {
	for w := lanes / 2; w > 0; w /= 2 {
		for i := range w {
			s[i] += s[i+w]
		}
	}
	return s[0]
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
		e := expf(float32(v*a) - m)
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

// rowMax returns the largest element; NaN is passed over, and shows in the sum
// of exponentials instead.
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
