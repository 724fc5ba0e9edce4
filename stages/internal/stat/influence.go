package stat

import "math"

// Influence is how far a statistic hangs on single pairs.
type Influence struct {
	Low, High float64 // the least and largest value with one pair left out; NaN where none is defined
	Lowest    int     // the pair without which it is Low, the first of several; -1: none
}

// LeaveOneOut computes f without each pair in turn (the jackknife's values; Efron and Tibshirani
// 1993, chapter 11). A statistic that one mixture carries shows here and not in an interval.
func LeaveOneOut(x, y []float64, f func(x, y []float64) float64) Influence {
	in := Influence{Low: math.NaN(), High: math.NaN(), Lowest: -1}
	if !usable(x, y, 2) {
		return in
	}
	for i, u := range leaveOut(x, y, f) {
		if math.IsNaN(u) {
			continue
		}
		if math.IsNaN(in.Low) {
			in.Low, in.High, in.Lowest = u, u, i
		}
		if u < in.Low {
			in.Low, in.Lowest = u, i
		}
		in.High = max(in.High, u)
	}
	return in
}

// leaveOut returns f without pair i, for every i.
func leaveOut(x, y []float64, f func(x, y []float64) float64) []float64 {
	out := make([]float64, len(x))
	rx, ry := make([]float64, len(x)-1), make([]float64, len(x)-1)
	for i := range x {
		copy(rx, x[:i])
		copy(rx[i:], x[i+1:])
		copy(ry, y[:i])
		copy(ry[i:], y[i+1:])
		out[i] = f(rx, ry)
	}
	return out
}
