// Package shares draws vectors on the simplex, the shares that mixtures give to their components,
// and rounds them to a grid so that they sum to exactly 1. What is drawn follows from a seed and
// names, is the same on every machine, and does not depend on the order of the names. It imports
// nothing of the stages but elementary functions and streams of random numbers, so that a plan can
// be made with it.
package shares

import (
	"math"
	"math/rand/v2"
	"slices"

	"ablate/stages/internal/elementary"
	"ablate/stages/internal/random"
)

// A Dirichlet is a distribution over shares. Its concentrations are strength times Around, where
// the logarithm of a draw's strength is uniform between those of Least and Most.
type Dirichlet struct {
	Around      []float64 // mean shares; a component of share 0 has share 0 in every draw
	Least, Most float64   // above 0
}

// Draw returns draw number n of a seed, in the order of the names, which are distinct. It sums to 1
// but for rounding. Each component has a gamma variate of its own, from a stream that its name and
// n tell from others, and its share is its part of their sum (Devroye 1986, "Non-Uniform Random
// Variate Generation", theorem XI.4.1).
func (d Dirichlet) Draw(seed int64, purpose string, n int64, names []string) []float64 {
	strength := d.Least
	if d.Most > d.Least {
		u := uniform(rand.New(random.Stream(seed, purpose+" strength", n)))
		least, most := elementary.Log(d.Least), elementary.Log(d.Most)
		strength = elementary.Exp(least + float64(u*(most-least)))
	}
	logs := make([]float64, len(names))
	largest := math.Inf(-1)
	for i, name := range names {
		logs[i] = math.Inf(-1)
		if d.Around[i] > 0 {
			rng := rand.New(random.Stream(seed, purpose+" component "+name, n))
			logs[i] = logGamma(rng, float64(strength*d.Around[i]))
		}
		largest = max(largest, logs[i])
	}
	// The sum is taken in the order of the values, which no order of names changes.
	out := make([]float64, len(names))
	for i, x := range logs {
		if d.Around[i] > 0 {
			out[i] = elementary.Exp(x - largest)
		}
	}
	sum := 0.0
	for _, x := range slices.Sorted(slices.Values(out)) {
		sum += x
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// logGamma draws the logarithm of a gamma variate of shape a and scale 1 (Marsaglia & Tsang 2000,
// "A Simple Method for Generating Gamma Variables"). For a below 1, a variate of shape a+1 is
// multiplied by U^(1/a), as they propose; its logarithm does not underflow.
func logGamma(rng *rand.Rand, a float64) float64 {
	if a < 1 {
		boost := elementary.Log(uniform(rng)) / a
		return logGamma(rng, a+1) + boost
	}
	d := a - 1.0/3
	c := 1 / math.Sqrt(float64(9*d))
	for {
		x := elementary.Normal(rng)
		t := 1 + float64(c*x)
		if t <= 0 {
			continue
		}
		logV := float64(3 * elementary.Log(t))
		v := float64(float64(t*t) * t)
		if elementary.Log(uniform(rng)) < float64(0.5*float64(x*x))+d-float64(d*v)+float64(d*logV) {
			return elementary.Log(d) + logV
		}
	}
}

// uniform is above 0 and below 1.
func uniform(rng *rand.Rand) float64 {
	const digits = 52
	return (float64(rng.Uint64()>>(64-digits)) + 0.5) / (1 << digits)
}

// Round returns whole numbers of steps that sum to exactly steps, next to shares that sum to 1 but
// for rounding: each share is rounded down, and what is left goes to the largest remainders, of
// equal ones to the earlier (the method of Hamilton). An order of the shares that follows from
// names makes the result one of names.
func Round(shares []float64, steps int) []int {
	out, order := make([]int, len(shares)), make([]int, len(shares))
	remainder := make([]float64, len(shares))
	left := steps
	for i, x := range shares {
		scaled := float64(x * float64(steps))
		whole := min(int(math.Floor(scaled)), left) // rounding cannot give away more than there is
		out[i], remainder[i], order[i] = whole, scaled-float64(whole), i
		left -= whole
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case remainder[a] > remainder[b]:
			return -1
		case remainder[a] < remainder[b]:
			return 1
		}
		return 0
	})
	for n := 0; left > 0; n, left = (n+1)%len(order), left-1 {
		out[order[n]]++
	}
	return out
}
