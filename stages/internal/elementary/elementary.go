// Package elementary holds the elementary functions and the normal random numbers with which
// artifacts are computed. Each returns the same bits on every processor and from every version of
// Go.
//
// Package math promises neither. On amd64, arm64 and s390x some of its functions are assembly with
// algorithms of their own. The rest are Go code, in which the compiler fuses x*y + z into one
// instruction, rounded once, on every architecture but amd64. math.Exp even differs between amd64
// processors with and without fused multiply-adds.
//
// The functions here are those of package math as a recent amd64 processor computes them, bit for
// bit. An explicit conversion, float64(x*y) + z, forbids fusing (the Go specification, section
// "Floating-point operators"). math.FMA is used where fusing is wanted: it is exact everywhere.
// TestFused of the root folder looks for fused instructions in the compiled program.
//
// Of package math, the functions that are exact or correctly rounded may be used anywhere: Abs,
// Ceil, Copysign, Float64bits, Floor, FMA, Frexp, Inf, Ldexp, Max, Min, Mod, Modf, NaN, Round,
// RoundToEven, Signbit, Sqrt, Trunc. TestMathFunctions of the root folder holds that.
//
// The algorithms, and the code of Log, Pow, Sin, Cos, Erfc and Normal, are those of the Go library
// (Copyright 2009 The Go Authors; Log, Pow and Erfc after FreeBSD's msun, Copyright 1993 Sun
// Microsystems; Sin and Cos after S. Moshier's Cephes, 1984-1992); Exp is after N. Shibata,
// "Efficient evaluation methods of elementary functions suitable for SIMD computation", ISC 2010.
package elementary

import "math"

// Horner returns c[0]*x^n + c[1]*x^(n-1) + ... + c[n], each product and each sum rounded.
func Horner(x float64, c ...float64) float64 {
	y := c[0]
	for _, v := range c[1:] {
		y = float64(y*x) + v
	}
	return y
}

// Exp returns e^x, within one unit in the last place.
func Exp(x float64) float64 {
	const (
		log2e    = 1.4426950408889634073599246810018920
		ln2Upper = 0.69314718055966295651160180568695068359375
		ln2Lower = 0.28235290563031577122588448175013436025525412068e-12
		overflow = 7.09782712893384e+02
		least    = -1100 // far below the smallest subnormal, as a power of two
	)
	switch {
	case math.IsNaN(x) || math.IsInf(x, 1):
		return x
	case x > overflow:
		return math.Inf(1)
	}
	n := math.RoundToEven(x * log2e)
	if n < least {
		return 0
	}
	// r = (x - n ln 2) / 16, y = e^r - 1, and four times e^2r - 1 = y (y + 2).
	r := math.FMA(-n, ln2Upper, x)
	r = math.FMA(-n, ln2Lower, r) * 0.0625
	p := 2.4801587301587301587e-5
	for _, c := range [...]float64{1.9841269841269841270e-4, 1.3888888888888888889e-3, 8.3333333333333333333e-3, 4.1666666666666666667e-2,
		1.6666666666666666667e-1, 0.5, 1} {
		p = math.FMA(p, r, c)
	}
	y := float64(r * p)
	y = float64(y * (y + 2))
	y = float64(y * (y + 2))
	y = float64(y * (y + 2))
	y = math.FMA(y+2, y, 1)
	return scale(y, int(n))
}

// scale returns y * 2^n, for y in [1/2, 2]; subnormal results are rounded once.
func scale(y float64, n int) float64 {
	const bias, most, least = 1023, 2047, -52
	e := n + bias
	switch {
	case e >= most:
		return math.Inf(1)
	case e > 0:
		return y * math.Float64frombits(uint64(e)<<52)
	case e < least:
		return 0
	}
	return y * math.Float64frombits(uint64(e+bias-1)<<52) * math.Float64frombits(1<<52)
}

// Log returns the natural logarithm of x, within one unit in the last place.
func Log(x float64) float64 {
	const (
		ln2Hi = 6.93147180369123816490e-01
		ln2Lo = 1.90821492927058770002e-10
		l1    = 6.666666666666735130e-01
		l2    = 3.999999999940941908e-01
		l3    = 2.857142874366239149e-01
		l4    = 2.222219843214978396e-01
		l5    = 1.818357216161805012e-01
		l6    = 1.531383769920937332e-01
		l7    = 1.479819860511658591e-01
	)
	switch {
	case math.IsNaN(x) || math.IsInf(x, 1):
		return x
	case x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	}
	f, e := math.Frexp(x)
	if f <= math.Sqrt2/2 {
		f *= 2
		e--
	}
	f--
	k := float64(e)
	s := f / (2 + f)
	s2 := float64(s * s)
	s4 := float64(s2 * s2)
	t1 := float64(s2 * (l1 + float64(s4*(l3+float64(s4*(l5+float64(s4*l7)))))))
	t2 := float64(s4 * (l2 + float64(s4*(l4+float64(s4*l6)))))
	half := float64(0.5 * f * f)
	return float64(k*ln2Hi) - ((half - (float64(s*(half+(t1+t2))) + float64(k*ln2Lo))) - f)
}

// Log2 returns the binary logarithm of x; powers of two are exact.
func Log2(x float64) float64 {
	f, e := math.Frexp(x)
	if f == 0.5 {
		return float64(e - 1)
	}
	return float64(Log(f)*(1/math.Ln2)) + float64(e)
}

// Log10 returns the decimal logarithm of x.
func Log10(x float64) float64 { return Log(x) * (1 / math.Ln10) }

// Pow returns x^y for x > 0 and finite y, and 1 for y = 0. Negative x, which no artifact needs, is
// NaN.
func Pow(x, y float64) float64 {
	switch {
	case y == 0 || x == 1:
		return 1
	case y == 1:
		return x
	case !(x >= 0) || math.IsNaN(y) || math.IsInf(y, 0):
		return math.NaN()
	case x == 0 || math.IsInf(x, 1):
		if (x == 0) == (y > 0) {
			return 0
		}
		return math.Inf(1)
	case y == 0.5:
		return math.Sqrt(x)
	case y == -0.5:
		return 1 / math.Sqrt(x)
	}
	whole, part := math.Modf(math.Abs(y))
	if whole >= 1<<63 {
		if (x < 1) == (y > 0) {
			return 0
		}
		return math.Inf(1)
	}
	// The power is a * 2^e: the fraction of y by Exp and Log, its whole part by squaring.
	a, e := 1.0, 0
	if part != 0 {
		if part > 0.5 {
			part--
			whole++
		}
		a = Exp(part * Log(x))
	}
	square, exponent := math.Frexp(x)
	for i := int64(whole); i != 0; i >>= 1 {
		if exponent < -1<<12 || 1<<12 < exponent { // Ldexp gives 0 or infinity
			e += exponent
			break
		}
		if i&1 == 1 {
			a *= square
			e += exponent
		}
		square = float64(square * square)
		exponent <<= 1
		if square < .5 {
			square += square
			exponent--
		}
	}
	if y < 0 {
		a, e = 1/a, -e
	}
	return math.Ldexp(a, e)
}
