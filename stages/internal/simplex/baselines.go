package simplex

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Equal gives each of n sources the same share.
func Equal(n int) []float64 { return slices.Repeat([]float64{1 / float64(n)}, n) }

// Proportional gives each source the share that it has of all tokens.
func Proportional(sources []string, tokens []float64) ([]float64, error) {
	if err := checkTokens(sources, tokens); err != nil {
		return nil, err
	}
	var all float64
	for _, k := range byName(sources) {
		all += tokens[k]
	}
	out := make([]float64, len(tokens))
	for k, n := range tokens {
		out[k] = n / all
	}
	return out, nil
}

// UniMax gives all sources the same share, but none more than passes over its tokens in a training
// of budget tokens; what such a source leaves is spread evenly over the others (Chung et al. 2023,
// "UniMax: Fairer and More Effective Language Sampling for Large-Scale Multilingual Pretraining",
// algorithm 1).
func UniMax(sources []string, tokens []float64, budget, passes float64) ([]float64, error) {
	if err := checkTokens(sources, tokens); err != nil {
		return nil, err
	}
	if !(budget > 0) || !(passes > 0) || math.IsInf(budget, 0) || math.IsInf(passes, 0) {
		return nil, fmt.Errorf("a budget of %v tokens and %v passes: want numbers above 0", budget, passes)
	}
	order := byName(sources)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(tokens[a], tokens[b]) }) // the scarcest first
	out := make([]float64, len(tokens))
	rest := 1.0
	for i, k := range order {
		out[k] = min(rest/float64(len(order)-i), passes*tokens[k]/budget)
		rest -= out[k]
	}
	if rest > slack {
		var all float64
		for _, k := range order {
			all += tokens[k]
		}
		return nil, fmt.Errorf("%v passes over all %.6g tokens are %.6g, and the budget is %.6g: allow more passes, or a smaller budget", passes, all, passes*all, budget)
	}
	return out, nil
}

func checkTokens(sources []string, tokens []float64) error {
	if len(sources) == 0 || len(tokens) != len(sources) {
		return fmt.Errorf("tokens of %d sources for %d sources", len(tokens), len(sources))
	}
	for _, k := range byName(sources) {
		if !(tokens[k] > 0) || math.IsInf(tokens[k], 0) {
			return fmt.Errorf("source %s has %v tokens, want a number above 0", sources[k], tokens[k])
		}
	}
	return nil
}

// Digits is the number of decimals of Decimals, and unitsOf1 the units of the last one that make 1.
const (
	Digits   = 6
	unitsOf1 = 1_000_000
)

// Decimals writes shares with Digits decimals that sum to exactly 1: each is rounded down, and the
// units that are left go to the largest remainders, of equal ones to the sources that come first by
// name (the method of Hamilton). A share that is within a thousandth of a unit of a whole number of
// units, such as a cap of .25, is that number.
func Decimals(sources []string, shares []float64) ([]string, error) {
	if len(shares) != len(sources) {
		return nil, fmt.Errorf("%d shares of %d sources", len(shares), len(sources))
	}
	order := byName(sources)
	units, remainder := make([]int, len(shares)), make([]float64, len(shares))
	var sum float64
	left := unitsOf1
	for i, k := range order {
		if i > 0 && sources[k] == sources[order[i-1]] {
			return nil, fmt.Errorf("source %s is named twice", sources[k])
		}
		if !(shares[k] >= 0 && shares[k] <= 1+slack) {
			return nil, fmt.Errorf("the share of %s is %v, want a number from 0 to 1", sources[k], shares[k])
		}
		sum += shares[k]
		exact := float64(shares[k] * unitsOf1)
		whole := math.Floor(exact)
		if near := math.Round(exact); math.Abs(exact-near) < 1e-3 {
			whole = near
		}
		units[k], remainder[k] = int(whole), max(0, exact-whole)
		left -= units[k]
	}
	if math.Abs(sum-1) > slack {
		return nil, fmt.Errorf("the shares sum to %.12g, want 1", sum)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(remainder[b], remainder[a]) })
	for i := 0; left > 0; i++ {
		units[order[i%len(order)]]++
		left--
	}
	for i := len(order) - 1; left < 0; i-- { // rounding to near whole numbers went up too often
		k := order[(i%len(order)+len(order))%len(order)]
		if units[k] > 0 {
			units[k]--
			left++
		}
	}
	out := make([]string, len(units))
	for k, n := range units {
		out[k] = fmt.Sprintf("%d.%0*d", n/unitsOf1, Digits, n%unitsOf1)
	}
	return out, nil
}

// Passes is how often each source is read in a training of budget tokens.
func Passes(shares, tokens []float64, budget float64) []float64 {
	out := make([]float64, len(shares))
	for k, s := range shares {
		out[k] = s * budget / tokens[k]
	}
	return out
}

// CapsByPasses are bounds that let no source be read more than passes times in a training of budget
// tokens.
func CapsByPasses(sources []string, tokens []float64, budget, passes float64) ([]Bound, error) {
	if err := checkTokens(sources, tokens); err != nil {
		return nil, err
	}
	if !(budget > 0) || !(passes > 0) {
		return nil, fmt.Errorf("a budget of %v tokens and %v passes: want numbers above 0", budget, passes)
	}
	var out []Bound
	for k, name := range sources {
		if limit := passes * tokens[k] / budget; limit < 1 {
			out = append(out, Bound{Name: fmt.Sprintf("%v passes over %s", passes, name), Sources: []string{name}, Cap: limit})
		}
	}
	return out, nil
}
