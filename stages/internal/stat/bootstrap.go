package stat

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// Interval is a statistic with the bounds it is likely to lie in. NaN where undefined: bounds can be NaN beside a defined value.
type Interval struct{ Value, Low, High float64 }

// Defaults of a Bootstrap's zero fields. Ten thousand resamples put the 2.5 % point of an interval within about 0.15 percentage points
// of where endless resampling would (binomial error), and take milliseconds.
const (
	DefaultResamples = 10_000
	DefaultLevel     = 0.95
)

// Bootstrap computes percentile intervals by resampling pairs. The zero value is ready for use.
type Bootstrap struct {
	Resamples int     // 0: DefaultResamples
	Level     float64 // share of resamples between the bounds, in (0, 1); 0: DefaultLevel
	Seed      uint64  // same seed and input, same bits
}

// minBootstrap is the fewest pairs that are resampled. Of three pairs there are ten distinct resamples, most of them degenerate.
const minBootstrap = 4

// stream separates this generator from others that a study seeds with the same number ("bootstrp" in ASCII).
const stream = 0x626f6f7473747270

// Interval returns f(x, y) with the percentile bootstrap interval over pairs (Efron and Tibshirani 1993, "An Introduction to the
// Bootstrap", chapter 13): pairs are drawn with replacement, f is computed on each resample, and the bounds are the (1-level)/2 and
// (1+level)/2 quantiles of those values.
//
// A resample on which f is NaN (all draws alike, so that a correlation is undefined) is drawn again; the interval is thus conditional on
// f being defined. When that takes more draws than twice the resamples asked for, the sample says too little, and the bounds are NaN.
// They are NaN, too, for fewer than four pairs, unequal lengths, values that are not finite, or an impossible Resamples or Level.
//
// With few pairs the percentile interval of a correlation is too narrow; say so beside it when there are fewer than ten.
// f must not keep its arguments.
func (b Bootstrap) Interval(x, y []float64, f func(x, y []float64) float64) Interval {
	if !usable(x, y, 1) {
		return Interval{math.NaN(), math.NaN(), math.NaN()}
	}
	v := Interval{Value: f(x, y), Low: math.NaN(), High: math.NaN()}
	resamples, level := b.Resamples, b.Level
	if resamples == 0 {
		resamples = DefaultResamples
	}
	if level == 0 {
		level = DefaultLevel
	}
	n := len(x)
	if math.IsNaN(v.Value) || n < minBootstrap || resamples < 1 || !(level > 0 && level < 1) {
		return v
	}
	rng := rand.NewPCG(b.Seed, stream)
	values := make([]float64, 0, resamples)
	rx, ry := make([]float64, n), make([]float64, n)
	for draws := 0; len(values) < resamples; draws++ {
		if draws == 2*resamples {
			return v
		}
		for i := range rx {
			// The high word of a 64 x 64 bit product is uniform on 0..n-1 but for a bias below n/2^64. Written out, it pins the
			// draws whatever rand.IntN becomes.
			k, _ := bits.Mul64(rng.Uint64(), uint64(n))
			rx[i], ry[i] = x[k], y[k]
		}
		if r := f(rx, ry); !math.IsNaN(r) {
			values = append(values, r)
		}
	}
	slices.Sort(values)
	v.Low, v.High = quantile(values, (1-level)/2), quantile(values, (1+level)/2)
	return v
}

// quantile interpolates linearly between the order statistics at (n-1)p, the definition 7 of Hyndman and Fan (1996) and the default of
// R and numpy. (gonum's LinInterp is definition 4, which is biased low.) sorted is not empty.
func quantile(sorted []float64, p float64) float64 {
	h := p * float64(len(sorted)-1)
	i := int(h)
	if i >= len(sorted)-1 {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (h-float64(i))*(sorted[i+1]-sorted[i])
}
