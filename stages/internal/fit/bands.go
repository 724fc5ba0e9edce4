package fit

import (
	"math"
	"slices"

	"ablate/stages/internal/random"
)

// DefaultResamples is the number of resamples of Bands.
const DefaultResamples = 200

// Bands asks for bootstrap bands. The zero value has its defaults.
type Bands struct {
	Resamples int     // 0: DefaultResamples
	Level     float64 // share of resamples between the bounds, in (0, 1); 0: .95
	Seed      int64
}

// Band is where the law's prediction lies, and the bounds between which it lies for a share of the
// resamples.
type Band struct{ Value, Low, High float64 }

// Bands returns, for each vector of shares, the law's prediction with a percentile bootstrap band:
// runs are drawn with replacement, by a stream of the seed over the names in order, and the law is
// fitted anew to each draw (Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapters
// 9 and 13). A resampled law starts from the fitted one and keeps its Huber delta, or its length
// and noise.
func (f *Fit) Bands(shares [][]float64, b Bands, o Options) []Band {
	out := make([]Band, len(shares))
	for i, values := range f.Resampled(shares, b, o) {
		out[i] = BandOf(f.Predict(shares[i]), values, b.Level)
	}
	return out
}

// Resampled returns, for each vector of shares, the predictions of the laws fitted to the resamples
// of Bands, in their order. Fits of one design draw the same runs in their r-th resamples, so that
// sums and differences of predictions of several metrics and mixtures have bands, too.
func (f *Fit) Resampled(shares [][]float64, b Bands, o Options) [][]float64 {
	if b.Resamples == 0 {
		b.Resamples = DefaultResamples
	}
	fit := fitterOf(o)
	xs := make([][]float64, len(shares))
	for i, s := range shares {
		xs[i] = arranged(s, f.d.sources)
	}
	values := make([][]float64, len(shares))
	for r := range b.Resamples {
		m := fit(f.resample(b.Seed, r), f.model)
		for i, x := range xs {
			values[i] = append(values[i], m.predict(x))
		}
	}
	return values
}

// BandOf is a value with the bounds between which a share of its resampled values lies; level 0 is
// .95.
func BandOf(value float64, resampled []float64, level float64) Band {
	if level == 0 {
		level = 0.95
	}
	v := slices.Sorted(slices.Values(resampled))
	return Band{value, quantile(v, (1-level)/2), quantile(v, (1+level)/2)}
}

// resample draws as many runs as there are. A run drawn k times has k times its weight, which is
// the same for every law here.
func (f *Fit) resample(seed int64, r int) sample {
	n := len(f.y)
	times := make([]float64, n)
	rng := random.Stream(seed, "fit bands", int64(r))
	for range n {
		times[random.Below(rng, n)]++
	}
	s := f.sample()
	s.w = slices.Clone(s.w)
	for i, k := range times {
		s.w[i] *= k
	}
	return s.where(func(i int) bool { return times[i] > 0 })
}

// quantile interpolates linearly between the order statistics at (n-1)p (definition 7 of Hyndman
// and Fan 1996).
func quantile(sorted []float64, p float64) float64 {
	at := float64(p * float64(len(sorted)-1)) // not fused with what follows
	i := int(math.Floor(at))
	if i >= len(sorted)-1 {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + float64((at-float64(i))*(sorted[i+1]-sorted[i]))
}
