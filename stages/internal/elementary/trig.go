package elementary

import "math"

// farthest is the largest argument of Sin and Cos: positions of tokens and angles of figures lie
// far below.
const farthest = 1 << 29

// Cos returns the cosine of x radians, |x| < 2^29; beyond, and of what is not finite, NaN.
func Cos(x float64) float64 {
	octant, z, ok := octants(math.Abs(x))
	if !ok {
		return math.NaN()
	}
	y := sinOrCos(z, octant == 1 || octant == 2 || octant == 5 || octant == 6)
	if octant > 1 && octant < 6 {
		return -y
	}
	return y
}

// Sin returns the sine of x radians, |x| < 2^29; beyond, and of what is not finite, NaN.
func Sin(x float64) float64 {
	if x == 0 {
		return x // keeps the sign of zero
	}
	octant, z, ok := octants(math.Abs(x))
	if !ok {
		return math.NaN()
	}
	y := sinOrCos(z, octant == 0 || octant == 3 || octant == 4 || octant == 7)
	if (octant > 3) != (x < 0) {
		return -y
	}
	return y
}

// octants returns x, not negative, modulo 2 pi: a whole number of octants, from 0 to 7, rounded up
// to an even number, and the rest in [-pi/4, pi/4].
func octants(x float64) (octant uint64, rest float64, ok bool) {
	const ( // pi/4 in three parts
		pi4a = 7.85398125648498535156e-1
		pi4b = 3.77489470793079817668e-8
		pi4c = 2.69515142907905952645e-15
	)
	if !(x < farthest) {
		return 0, 0, false
	}
	octant = uint64(x * (4 / math.Pi))
	octant += octant & 1
	n := float64(octant)
	return octant & 7, ((x - float64(n*pi4a)) - float64(n*pi4b)) - float64(n*pi4c), true
}

// sinOrCos returns the sine or the cosine of z in [-pi/4, pi/4].
func sinOrCos(z float64, sine bool) float64 {
	zz := float64(z * z)
	if sine {
		return z + float64(float64(z*zz)*Horner(zz, 1.58962301576546568060e-10, -2.50507477628578072866e-8, 2.75573136213857245213e-6,
			-1.98412698295895385996e-4, 8.33333333332211858878e-3, -1.66666666666666307295e-1))
	}
	return 1 - float64(0.5*zz) + float64(float64(zz*zz)*Horner(zz, -1.13585365213876817300e-11, 2.08757008419747316778e-9,
		-2.75573141792967388112e-7, 2.48015872888517045348e-5, -1.38888888888730564116e-3, 4.16666666666665929218e-2))
}
