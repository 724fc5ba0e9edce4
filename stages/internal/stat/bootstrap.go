package stat

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"

	"ablate/stages/internal/elementary"
)

// Interval is a statistic with the bounds it is likely to lie in. NaN where undefined: bounds can
// be NaN beside a defined value.
type Interval struct{ Value, Low, High float64 }

// Defaults of a Bootstrap's zero fields. Ten thousand resamples put the 2.5 % point of an interval
// within about 0.15 percentage points of where endless resampling would (binomial error), and take
// milliseconds.
const (
	DefaultResamples = 10_000
	DefaultLevel     = 0.95
)

// Bootstrap computes intervals by resampling pairs. The zero value is ready for use.
type Bootstrap struct {
	Resamples int     // 0: DefaultResamples
	Level     float64 // share of resamples between the bounds, in (0, 1); 0: DefaultLevel
	Seed      uint64  // same seed and input, same bits
}

// minBootstrap is the fewest pairs that are resampled. Of three pairs there are ten distinct
// resamples, most of them degenerate.
const minBootstrap = 4

// stream separates this generator from others that a study seeds with the same number ("bootstrp"
// in ASCII).
const stream = 0x626f6f7473747270

// Interval returns f(x, y) with the percentile bootstrap interval over pairs; see Intervals.
func (b Bootstrap) Interval(x, y []float64, f func(x, y []float64) float64) Interval {
	v, values, level := b.resample(x, y, f)
	if values == nil {
		return Interval{v, math.NaN(), math.NaN()}
	}
	return Interval{v, quantile(values, (1-level)/2), quantile(values, (1+level)/2)}
}

// Intervals returns f(x, y) with two bootstrap intervals over pairs, of the same resamples: pairs
// are drawn with replacement and f is computed on each resample.
//
// The bounds of percentile are the (1-level)/2 and (1+level)/2 quantiles of those values (Efron and
// Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13). Those of bca are other
// quantiles of the same values, corrected for bias and skewness; see bca.
//
// A resample on which f is NaN (all draws alike, so that a correlation is undefined) is drawn
// again; the intervals are thus conditional on f being defined. When that takes more draws than
// twice the resamples asked for, the sample says too little, and the bounds are NaN. They are NaN,
// too, for fewer than four pairs, unequal lengths, values that are not finite, or an impossible
// Resamples or Level.
//
// With few pairs the percentile interval of a correlation is too narrow; say so beside it when
// there are fewer than ten. f must not keep its arguments.
func (b Bootstrap) Intervals(x, y []float64, f func(x, y []float64) float64) (percentile, bca Interval) {
	v, values, level := b.resample(x, y, f)
	percentile, bca = Interval{v, math.NaN(), math.NaN()}, Interval{v, math.NaN(), math.NaN()}
	if values == nil {
		return percentile, bca
	}
	percentile.Low, percentile.High = quantile(values, (1-level)/2), quantile(values, (1+level)/2)
	if low, high, ok := bcaLevels(v, values, leaveOut(x, y, f), level); ok {
		bca.Low, bca.High = quantile(values, low), quantile(values, high)
	}
	return percentile, bca
}

// resample returns f(x, y) and, sorted, f of each resample: nil where there is no interval.
func (b Bootstrap) resample(x, y []float64, f func(x, y []float64) float64) (value float64, values []float64, level float64) {
	if !usable(x, y, 1) {
		return math.NaN(), nil, 0
	}
	value = f(x, y)
	resamples, level := b.Resamples, b.Level
	if resamples == 0 {
		resamples = DefaultResamples
	}
	if level == 0 {
		level = DefaultLevel
	}
	n := len(x)
	if math.IsNaN(value) || n < minBootstrap || resamples < 1 || !(level > 0 && level < 1) {
		return value, nil, level
	}
	rng := rand.NewPCG(b.Seed, stream)
	values = make([]float64, 0, resamples)
	rx, ry := make([]float64, n), make([]float64, n)
	for draws := 0; len(values) < resamples; draws++ {
		if draws == 2*resamples {
			return value, nil, level
		}
		for i := range rx {
			k := below(rng, n)
			rx[i], ry[i] = x[k], y[k]
		}
		if r := f(rx, ry); !math.IsNaN(r) {
			values = append(values, r)
		}
	}
	slices.Sort(values)
	return value, values, level
}

// below draws a number from 0 to n-1: the high word of a 64 x 64 bit product, uniform but for a
// bias below n/2^64. Written out, it pins the draws whatever rand.IntN becomes.
func below(rng *rand.PCG, n int) int {
	k, _ := bits.Mul64(rng.Uint64(), uint64(n))
	return int(k)
}

// bcaLevels says at which quantiles of the sorted resampled values the bias-corrected and
// accelerated interval ends (Efron 1987, "Better bootstrap confidence intervals"; Efron and
// Tibshirani 1993, equations 14.9 to 14.15):
//
//	z0     = Phi^-1(share of values below v, those equal to v counting half)
//	a      = sum (m - u_i)^3 / (6 (sum (m - u_i)^2)^(3/2)),   u_i: f without pair i, m: their mean
//	level' = Phi(z0 + (z0 + z) / (1 - a (z0 + z))),           z = Phi^-1((1 -+ level) / 2)
//
// Not ok where v lies outside all resampled values or f is undefined without one of the pairs.
func bcaLevels(v float64, values, without []float64, level float64) (low, high float64, ok bool) {
	// The same value reached by sums in another order differs in its last bits.
	same := float64(1e-12 * max(1, math.Abs(v)))
	from, _ := slices.BinarySearch(values, v-same)
	to, _ := slices.BinarySearch(values, v+same)
	share := float64(from+to) / 2 / float64(len(values))
	if share <= 0 || share >= 1 {
		return 0, 0, false
	}
	var m, squares, cubes float64
	for _, u := range without {
		m += u / float64(len(without))
	}
	for _, u := range without {
		squares += float64((m - u) * (m - u))
		cubes += float64((m - u) * (m - u) * (m - u))
	}
	if math.IsNaN(m) {
		return 0, 0, false
	}
	a := 0.0 // no pair matters more than another
	if squares > 0 {
		a = cubes / (6 * elementary.Pow(squares, 1.5))
	}
	z0 := normalQuantile(share)
	corrected := func(p float64) float64 {
		z := z0 + normalQuantile(p)
		return normalCDF(z0 + z/(1-float64(a*z)))
	}
	return corrected((1 - level) / 2), corrected((1 + level) / 2), true
}

// quantile interpolates linearly between the order statistics at (n-1)p, the definition 7 of
// Hyndman and Fan (1996) and the default of R and numpy. (gonum's LinInterp is definition 4, which
// is biased low.) sorted is not empty.
func quantile(sorted []float64, p float64) float64 {
	h := float64(p * float64(len(sorted)-1))
	i := int(h)
	if i >= len(sorted)-1 {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + float64((h-float64(i))*(sorted[i+1]-sorted[i]))
}
