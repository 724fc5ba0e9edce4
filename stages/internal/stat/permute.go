package stat

import (
	"math"
	"math/rand/v2"
)

// DefaultRounds is how many permutations a Permutation with Rounds 0 draws at most: p then has a
// standard error of at most 0.005.
const DefaultRounds = 9999

// Permutation tests by permuting. The zero value is ready for use.
type Permutation struct {
	Rounds int    // permutations drawn at most; 0: DefaultRounds
	Seed   uint64 // same seed and input, same bits
}

// permuteStream separates this generator from others of the same seed ("permutat" in ASCII).
const permuteStream = 0x7065726d75746174

// PValue is the chance that f is at least as large as f(x, y) if the proxy's scores were dealt out
// to the mixtures at random (Fisher 1935, "The Design of Experiments", section 21; one-sided, for a
// proxy that ranks backwards is no better than none):
//
//	p = #{permutations pi: f(x, y o pi) >= f(x, y)} / n!          where n! <= Rounds: every permutation
//	p = (1 + #{drawn pi: ...}) / (1 + Rounds)                     otherwise (Phipson and Smyth 2010, "Permutation P-values should never be zero")
//
// Values within a rounding error of f(x, y) count as equal to it. NaN where f(x, y) is, or Rounds
// is negative.
//
// Mixtures that share partitions are not exchangeable, so that p is too small for them: take it as
// a bound from below.
func (t Permutation) PValue(x, y []float64, f func(x, y []float64) float64) float64 {
	rounds := t.Rounds
	if rounds == 0 {
		rounds = DefaultRounds
	}
	if !usable(x, y, 1) || rounds < 0 {
		return math.NaN()
	}
	v := f(x, y)
	if math.IsNaN(v) {
		return v
	}
	v -= float64(1e-14 * max(1, math.Abs(v)))
	dealt := append([]float64(nil), y...)
	hits, all := 0, 0
	count := func() {
		if all++; f(x, dealt) >= v {
			hits++
		}
	}
	if n := factorial(len(y), rounds); n <= rounds {
		everyOrder(dealt, count)
		return float64(hits) / float64(all)
	}
	rng := rand.NewPCG(t.Seed, permuteStream)
	for range rounds {
		for i := len(dealt) - 1; i > 0; i-- { // Fisher and Yates, as in Durstenfeld 1964
			k := below(rng, i+1)
			dealt[i], dealt[k] = dealt[k], dealt[i]
		}
		count()
	}
	return float64(hits+1) / float64(all+1)
}

// factorial returns n!, or a number above limit if it is larger than that.
func factorial(n, limit int) int {
	f := 1
	for i := 2; i <= n; i++ {
		if f *= i; f > limit {
			return limit + 1
		}
	}
	return f
}

// everyOrder calls f with v in each of its orders (Heap 1963).
func everyOrder(v []float64, f func()) {
	f()
	c := make([]int, len(v))
	for i := 1; i < len(v); {
		if c[i] >= i {
			c[i] = 0
			i++
			continue
		}
		j := 0
		if i%2 == 1 {
			j = c[i]
		}
		v[j], v[i] = v[i], v[j]
		f()
		c[i]++
		i = 1
	}
}
