package tables

import (
	"math"
)

// Rose reports that a training ended at a higher loss than it began with, which no training is for.
// Both are means over a stretch of steps, so that one hard batch does not count, and NaN counts as
// a rise.
func Rose(curve []CurveRow) (first, last float64, yes bool) {
	s := Smooth(curve)
	if len(s) < 2 {
		return math.NaN(), math.NaN(), false
	}
	first, last = s[0].Loss, s[len(s)-1].Loss
	return first, last, !(last <= first)
}

// smoothed is how many points a curve has at most: batches differ more than the model moves, and a
// figure of many curves is a thicket.
const smoothed = 30

// Smooth gathers a curve into at most smoothed points, each the mean over an equal run of steps.
func Smooth(rows []CurveRow) []CurveRow {
	if len(rows) <= smoothed {
		return rows
	}
	out := make([]CurveRow, smoothed)
	for i := range out {
		run := rows[i*len(rows)/smoothed : (i+1)*len(rows)/smoothed]
		out[i] = run[len(run)-1]
		var sum float64
		for _, r := range run {
			sum += r.Loss
		}
		out[i].Loss = sum / float64(len(run))
	}
	return out
}
