package stat

import (
	"math"

	"ablate/stages/internal/elementary"
)

// This file holds the distributions and sums whose last bits reach artifacts. Package gonum/stat
// has them too, but there sums are added in another order and products are fused on some
// processors, and the sum of three numbers depends on where they lie in memory.

// normalCDF returns the probability that a normal variable of mean 0 and standard deviation 1 is at
// most x.
func normalCDF(x float64) float64 { return 0.5 * elementary.Erfc(-x/math.Sqrt2) }

// normalQuantile returns the x at which normalCDF is p, for p in [0, 1] (Wichura, "Algorithm AS
// 241: The Percentage Points of the Normal Distribution", Applied Statistics 37(3), 1988, PPND16).
func normalQuantile(p float64) float64 {
	switch p {
	case 0:
		return math.Inf(-1)
	case 1:
		return math.Inf(1)
	}
	if d := p - 0.5; math.Abs(d) <= 0.425 {
		r := 0.180625 - float64(d*d)
		return d * elementary.Horner(r, 2509.0809287301226727, 33430.575583588128105, 67265.770927008700853,
			45921.953931549871457, 13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608) /
			elementary.Horner(r, 5226.495278852854561, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
				5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0)
	}
	if p < 0.5 {
		return -normalTail(p)
	}
	return normalTail(1 - p)
}

// normalTail returns the x above which p lies, for p below 0.075.
func normalTail(p float64) float64 {
	r := math.Sqrt(-elementary.Log(p))
	if r <= 5 {
		return elementary.Horner(r-1.6, 7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177,
			1.27045825245236838258, 3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734) /
			elementary.Horner(r-1.6, 1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966,
				0.14810397642748007459, 0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0)
	}
	return elementary.Horner(r-5, 2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386,
		0.026532189526576123093, 0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772) /
		elementary.Horner(r-5, 2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5,
			7.868691311456132591e-4, 0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1.0)
}

// student returns the quantile p, in [0.5, 1), of Student's t of df degrees of freedom, by
// bisection of the angle whose tangent is t/sqrt(df).
func student(df int, p float64) float64 {
	low, high := 0.0, math.Pi/2
	for {
		angle := low + float64((high-low)/2)
		if angle == low || angle == high {
			return math.Sqrt(float64(df)) * elementary.Sin(low) / elementary.Cos(low)
		}
		if studentWithin(df, angle) < 2*p-1 {
			low = angle
		} else {
			high = angle
		}
	}
}

// studentWithin returns the probability that Student's t of df degrees of freedom lies in [-t, t],
// t = sqrt(df) tan(angle), as a finite sum (Abramowitz and Stegun, Handbook of Mathematical
// Functions, 26.7.3 and 26.7.4).
func studentWithin(df int, angle float64) float64 {
	sin, cos := elementary.Sin(angle), elementary.Cos(angle)
	odd := df % 2
	term := 1.0
	if odd == 1 {
		term = cos
	}
	var sum float64
	for k := odd; k < df-1; k += 2 {
		sum += term
		term *= float64(cos*cos) * float64(k+1) / float64(k+2)
	}
	sum = float64(sin * sum)
	if odd == 1 {
		sum = (angle + sum) * (2 / math.Pi)
	}
	return sum
}

// correlation returns the product-moment correlation of x and y, of one length, in two passes with
// a correction for the rounding of the means (Chan, Golub and LeVeque, "Algorithms for Computing
// the Sample Variance", The American Statistician 37(3), 1983, equation 1.7).
func correlation(x, y []float64) float64 {
	n := float64(len(x))
	mx, my := sum(x)/n, sum(y)/n
	var xx, yy, xy, dx, dy float64
	for i := range x {
		u, v := x[i]-mx, y[i]-my
		xx += float64(u * u)
		yy += float64(v * v)
		xy += float64(u * v)
		dx += u
		dy += v
	}
	xx -= float64(dx*dx) / n
	yy -= float64(dy*dy) / n
	return (xy - float64(dx*dy)/n) / math.Sqrt(float64(xx*yy))
}

// sum adds x up in eight partial sums, as vector instructions add it, so that rounding errors stay
// small.
func sum(x []float64) float64 {
	var s [8]float64
	for ; len(x) >= 8; x = x[8:] {
		for i := range s {
			s[i] += x[i]
		}
	}
	s[0], s[1], s[2], s[3] = s[0]+s[6], s[1]+s[7], s[2]+s[4], s[3]+s[5]
	if len(x) >= 4 {
		s[0], s[1], s[2], s[3] = s[0]+x[0], s[1]+x[1], s[2]+x[2], s[3]+x[3]
		x = x[4:]
	}
	s[0], s[1] = s[0]+s[2], s[1]+s[3]
	if len(x) >= 2 {
		s[0], s[1] = s[0]+x[0], s[1]+x[1]
		x = x[2:]
	}
	total := s[0] + s[1]
	if len(x) == 1 {
		total += x[0]
	}
	return total
}
