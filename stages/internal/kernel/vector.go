package kernel

// lanes is the number of partial sums of a sum along a row: the width of an
// AVX-512 register. Narrower paths emulate it.
const lanes = 16

// fold adds 16 partial sums as a tree: 8+8, 4+4, 2+2, 1+1.
func fold(s *[lanes]float32) float32 {
	for w := lanes / 2; w > 0; w /= 2 {
		for i := range w {
			s[i] += s[i+w]
		}
	}
	return s[0]
}

func rowSum(x []float32) float32 {
	var s [lanes]float32
	for len(x) >= lanes {
		for l, v := range x[:lanes] {
			s[l] += v
		}
		x = x[lanes:]
	}
	for l, v := range x {
		s[l] += v
	}
	return fold(&s)
}

// rowSquares returns the sum of (x[i]-m)^2.
func rowSquares(x []float32, m float32) float32 {
	var s [lanes]float32
	for len(x) >= lanes {
		for l, v := range x[:lanes] {
			d := v - m
			s[l] += float32(d * d)
		}
		x = x[lanes:]
	}
	for l, v := range x {
		d := v - m
		s[l] += float32(d * d)
	}
	return fold(&s)
}

func rowDot(x, y []float32) float32 {
	y = y[:len(x)]
	var s [lanes]float32
	for len(x) >= lanes {
		for l, v := range x[:lanes] {
			s[l] += float32(v * y[l])
		}
		x, y = x[lanes:], y[lanes:]
	}
	for l, v := range x {
		s[l] += float32(v * y[l])
	}
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
	y = y[:len(x)]
	var s [lanes]float32
	for i, v := range x {
		e := expf(float32(v*a) - m)
		y[i] = e
		s[i%lanes] += e
	}
	return fold(&s)
}

func rowScale(x []float32, a float32) {
	for i := range x {
		x[i] *= a
	}
}

// rowAdd sets y[i] += x[i].
func rowAdd(y, x []float32) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += v
	}
}
