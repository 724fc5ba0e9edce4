package stat

import "math"

// Signal is how well an evaluation set tells mixtures apart.
type Signal struct {
	Spread float64 // largest score of the references less the smallest, in the score's unit
	Noise  float64 // standard deviation of one score among replicates
	Ratio  float64 // Spread / Noise; below 1 noise hides what the mixtures do
}

// SignalToNoise compares the spread of the references' scores with the noise of replicates
// (Heineman et al. 2025, "Signal and Noise: A Framework for Reducing Uncertainty in Language Model
// Evaluation", whose division of both by the mean cancels in the ratio). The spread grows with the
// number of references, so that only sets with the same references compare. NaN for fewer than two
// references or without replicates; the ratio is infinite where replicates agree to the bit.
func SignalToNoise(references []float64, noise Noise) Signal {
	s := Signal{math.NaN(), math.NaN(), math.NaN()}
	if noise.DF >= 1 {
		s.Noise = noise.SD
	}
	if !usable(references, references, 2) {
		return s
	}
	low, high := references[0], references[0]
	for _, v := range references {
		low, high = min(low, v), max(high, v)
	}
	s.Spread = high - low
	s.Ratio = s.Spread / s.Noise // 0/0: NaN, nothing to tell apart and nothing to hide it
	return s
}

// DetectableDifference is the smallest true mean difference of two models' losses that a two-sided
// test at level alpha finds with the given power, from the differences of their losses on the same
// documents:
//
//	(z_(1-alpha/2) + z_power) sd(differences) / sqrt(n)
//
// (the sample size formula of the paired z test; Card et al. 2020, "With Little Power Comes Great
// Responsibility", use it of evaluations). It has the unit of the differences. NaN for fewer than
// two documents, or for alpha or power not in (0, 1).
func DetectableDifference(differences []float64, alpha, power float64) float64 {
	if !usable(differences, differences, 2) || !(alpha > 0 && alpha < 1) || !(power > 0 && power < 1) {
		return math.NaN()
	}
	e := exponent(differences...)
	n := float64(len(differences))
	sd := math.Ldexp(math.Sqrt(deviations(shifted(differences, -e))/(n-1)), e)
	return (normalQuantile(1-float64(alpha/2)) + normalQuantile(power)) * sd / math.Sqrt(n)
}
