package stat

import "math"

// Line is y = Intercept + Slope x, fitted by least squares.
type Line struct {
	N                int
	Intercept, Slope float64
	SD               float64 // of the residuals: sqrt(sum of their squares / (N-2))
	Left             float64 // root mean square error of each y predicted by the line through the others

	meanX, squaresX float64
	low, high       float64 // range of x
}

// FitLine fits y on x by ordinary least squares (Draper and Smith 1998, "Applied Regression
// Analysis", chapter 1):
//
//	Slope = sum (x-mx)(y-my) / sum (x-mx)^2,  Intercept = my - Slope mx
//
// and leaves each pair out in turn without fitting again: the error of the line through the others
// at x_i is e_i / (1 - h_i), where h_i = 1/N + (x_i-mx)^2 / sum (x-mx)^2 (Allen 1974, "The
// relationship between variable selection and data augmentation": the PRESS). All fields are NaN,
// but for N, where there are fewer than three pairs or x is constant.
func FitLine(x, y []float64) Line {
	nan := math.NaN()
	l := Line{N: len(x), Intercept: nan, Slope: nan, SD: nan, Left: nan, meanX: nan, squaresX: nan, low: nan, high: nan}
	if !usable(x, y, minPairs) || constant(x) {
		return l
	}
	n := float64(len(x))
	l.low, l.high = x[0], x[0]
	var mx, my float64
	for i := range x {
		mx, my = mx+x[i]/n, my+y[i]/n
		l.low, l.high = min(l.low, x[i]), max(l.high, x[i])
	}
	var xx, xy float64
	for i := range x {
		xx += float64((x[i] - mx) * (x[i] - mx))
		xy += float64((x[i] - mx) * (y[i] - my))
	}
	l.Slope = xy / xx
	l.Intercept = my - float64(l.Slope*mx)
	l.meanX, l.squaresX = mx, xx
	var errors, left float64
	for i := range x {
		e := y[i] - my - float64(l.Slope*(x[i]-mx))
		out := e / (1 - 1/n - (x[i]-mx)*(x[i]-mx)/xx)
		errors += float64(e * e)
		left += float64(out * out)
	}
	l.SD, l.Left = math.Sqrt(errors/(n-2)), math.Sqrt(left/n)
	return l
}

// Predict returns the line at x with the interval that a new single y there lies in with the given
// coverage, if errors are independent, normal and equally large everywhere (Draper and Smith 1998,
// section 3.1):
//
//	Intercept + Slope x -+ t(N-2, (1+level)/2) * SD * sqrt(1 + 1/N + (x-mx)^2 / sum (x-mx)^2)
//
// NaN where the line is.
func (l Line) Predict(x, level float64) Interval {
	v := l.Intercept + float64(l.Slope*x)
	if math.IsNaN(l.Slope) || !(level > 0 && level < 1) {
		return Interval{v, math.NaN(), math.NaN()}
	}
	d := x - l.meanX
	half := float64(student(l.N-2, (1+level)/2) * l.SD * math.Sqrt(1+1/float64(l.N)+d*d/l.squaresX))
	return Interval{v, v - half, v + half}
}

// Beyond says that x lies outside the range that the line was fitted on: what it predicts there is
// a guess.
func (l Line) Beyond(x float64) bool { return x < l.low || x > l.high }
