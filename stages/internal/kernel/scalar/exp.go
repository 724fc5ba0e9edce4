package scalar

import "math"

// Constants of Exp. ln2Hi has 9 significant bits and ln2Hi+ln2Lo is ln 2 to 2e-8 relative of ln2Lo.
// expC are the coefficients of (exp(r)-1-r)/r^2 on |r| <= ln2/2 as in Cephes Exp (S. Moshier,
// Methods and Programs for Mathematical Functions, 1989).
const (
	expLow   = -104 // below, exp rounds to 0 in float32
	expHigh  = 89   // above, exp rounds to +Inf in float32
	log2e    = 1.44269504088896341
	ln2Hi    = 0.693359375
	ln2Lo    = -2.12194440e-4
	expRound = 12582912 // 1.5*2^23: adding it leaves the nearest integer in the low bits
	expC0    = 5.0000001201e-1
	expC1    = 1.6666665459e-1
	expC2    = 4.1665795894e-2
	expC3    = 8.3334519073e-3
	expC4    = 1.3981999507e-3
	expC5    = 1.9875691500e-4
)

// Exp returns exp(x) with a relative error of at most 1e-7 where the result is normal, and half a
// unit of the smallest subnormal more below that (TestExpError measures it over all float32).
// Exp(-Inf) = 0, Exp(NaN) = NaN.
//
// exp(x) = 2^n exp(r), n = round(x/ln2), r = x - n ln2. 2^n is applied as two factors, because n
// runs from -150 to 128. All multiply-adds are fused: half the instructions of the loops that are
// nothing but exponentials.
func Exp(x float32) float32 {
	if x < expLow {
		x = expLow
	}
	if x > expHigh {
		x = expHigh
	}
	t := MulAdd(x, log2e, expRound)
	n := t - expRound
	r := MulAdd(n, -ln2Hi, x)
	r = MulAdd(n, -ln2Lo, r)
	q := MulAdd(expC5, r, expC4)
	q = MulAdd(q, r, expC3)
	q = MulAdd(q, r, expC2)
	q = MulAdd(q, r, expC1)
	q = MulAdd(q, r, expC0)
	q = MulAdd(q, r, 1)
	y := MulAdd(q, r, 1)
	i := int32(math.Float32bits(t)) - 0x4B400000 // n as an integer
	h := i >> 1
	y *= math.Float32frombits(uint32(h+127) << 23)
	return y * math.Float32frombits(uint32(i-h+127)<<23)
}
