package stat

import (
	"math"
	"slices"
)

// Noise is how far apart scores of the same mixture lie when only the seed of the training differs.
type Noise struct {
	SD     float64 // standard deviation of a single score
	DF     int     // degrees of freedom: replicates less mixtures
	Groups int     // mixtures with two replicates or more
}

// NoiseFloor pools the variance within the replicates of each mixture:
//
//	SD^2 = sum_g sum_r (x_gr - m_g)^2 / sum_g (n_g - 1)
//
// (the repeatability variance of ISO 5725-2; mean square within groups of an analysis of variance,
// Fisher 1925). Mixtures with one score say nothing and are passed over. SD is NaN where there are
// no replicates, or a value is not finite.
func NoiseFloor(replicates [][]float64) Noise {
	var n Noise
	var squares float64
	e := exponent(slices.Concat(replicates...)...)
	for _, scores := range replicates {
		if len(scores) < 2 {
			continue
		}
		n.Groups++
		n.DF += len(scores) - 1
		squares += deviations(shifted(scores, -e))
	}
	n.SD = math.Ldexp(math.Sqrt(squares/float64(n.DF)), e) // 0/0: NaN
	if math.IsInf(n.SD, 0) {
		n.SD = math.NaN()
	}
	return n
}

// deviations returns the sum of (x - mean)^2.
func deviations(x []float64) float64 {
	var m, sum float64
	for _, v := range x {
		m += v / float64(len(x))
	}
	for _, v := range x {
		sum += float64((v - m) * (v - m))
	}
	return sum
}

// Of is the noise of a mean of r scores.
func (n Noise) Of(r int) Noise {
	n.SD /= math.Sqrt(float64(r))
	return n
}

// Least is the smallest difference between two single scores that noise alone rarely makes
// (Fisher's least significant difference, 1935):
//
//	t(DF, (1+level)/2) * SD * sqrt(2)
//
// NaN without replicates.
func (n Noise) Least(level float64) float64 {
	if n.DF < 1 || !(level > 0 && level < 1) {
		return math.NaN()
	}
	return student(n.DF, (1+level)/2) * n.SD * math.Sqrt2
}

// Ceiling is the highest correlation that a proxy without any error could be expected to have with
// single noisy scores: the root of their reliability (Spearman 1904, "The proof and measurement of
// association between two things"),
//
//	sqrt(1 - SD^2 / variance(scores))
//
// and 0 where the scores differ no more than noise does. NaN without replicates or for fewer than
// two scores.
func (n Noise) Ceiling(scores []float64) float64 {
	if n.DF < 1 || len(scores) < 2 {
		return math.NaN()
	}
	e := exponent(append([]float64{n.SD}, scores...)...)
	variance, sd := deviations(shifted(scores, -e))/float64(len(scores)-1), math.Ldexp(n.SD, -e)
	if sd*sd >= variance {
		return 0 * n.SD
	}
	return math.Sqrt(1 - sd*sd/variance)
}

// student is the p quantile of Student's t with df degrees of freedom (Student 1908).
