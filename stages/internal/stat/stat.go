// Package stat measures how well one list of scores predicts another: the correlations of proxy and
// reference scores, intervals for them, the quality of the decision taken from the proxy, the noise
// that no proxy can predict, and the reference score that a proxy's score lets one expect.
//
// Words: x is the proxy's score and y the reference's, one pair per mixture, in the same order;
// lower scores are better (perplexity, loss, bits per byte). A statistic that is not defined on its
// input is NaN, never an error and never a panic: lists of unequal length, fewer pairs than the
// statistic needs, a constant list, or a value that is not finite. Callers that must tell these
// apart look at their own input.
//
// What it does not promise: independence. Mixtures of one study share units, so their scores are
// not independent; an interval from here is a description of the sample's spread, too narrow rather
// than too wide, and a p-value is too small rather than too large.
//
// testdata/reference.py computes the values that the tests hold every function to with scipy, from
// draws by the same generator.
package stat

import (
	"math"
	"slices"
)

// minPairs is the fewest pairs of which a correlation is reported: through two points it is always
// 1 or -1.
const minPairs = 3

// usable reports whether x and y are of one length, at least n long, and finite throughout.
func usable(x, y []float64, n int) bool {
	if len(x) != len(y) || len(x) < n {
		return false
	}
	for i := range x {
		if math.IsNaN(x[i]) || math.IsInf(x[i], 0) || math.IsNaN(y[i]) || math.IsInf(y[i], 0) {
			return false
		}
	}
	return true
}

// constant is exact: a list of equal values can have a rounding error for a variance, and would
// then correlate with anything.
func constant(x []float64) bool {
	for _, v := range x {
		if v != x[0] {
			return false
		}
	}
	return true
}

// Pearson returns the product-moment correlation
//
//	r = sum (x-mx)(y-my) / sqrt(sum (x-mx)^2 * sum (y-my)^2)
//
// (Pearson 1895). It measures how near the pairs lie to one straight line. NaN for fewer than three
// pairs or a constant list.
func Pearson(x, y []float64) float64 {
	if !usable(x, y, minPairs) || constant(x) || constant(y) {
		return math.NaN()
	}
	// Perplexities of models that diverged have squares beyond any float64; scaled to 1, theirs are
	// finite.
	r := correlation(scaled(x), scaled(y))
	if math.IsNaN(r) {
		return r
	}
	return max(-1, min(1, r)) // rounding can leave 1.0000000000000002
}

// scaled returns x divided by the power of two nearest above its largest magnitude: exact, so that
// ordinary data lose no bit.
func scaled(x []float64) []float64 { return shifted(x, -exponent(x...)) }

// exponent is that of the power of two nearest above the largest magnitude.
func exponent(x ...float64) int {
	var top float64
	for _, v := range x {
		top = max(top, math.Abs(v))
	}
	_, e := math.Frexp(top)
	return e
}

// shifted returns x times a power of two.
func shifted(x []float64, e int) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = math.Ldexp(v, e)
	}
	return out
}

// Spearman returns the rank correlation: Pearson of the mid-ranks (Spearman 1904; ties share the
// mean of their places). It measures whether both lists rise together, along any curve. NaN where
// Pearson is.
func Spearman(x, y []float64) float64 {
	if !usable(x, y, minPairs) {
		return math.NaN()
	}
	return Pearson(MidRanks(x), MidRanks(y))
}

// MidRanks returns the place of each value in increasing order, from 1; equal values share the mean
// of their places, so that the ranks always sum to n(n+1)/2. NaN sorts first and is not equal to
// itself, so callers rank finite values only.
func MidRanks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return compare(x[a], x[b]) })
	ranks := make([]float64, len(x))
	for i := 0; i < len(order); {
		j := i + 1
		for j < len(order) && x[order[j]] == x[order[i]] {
			j++
		}
		for _, k := range order[i:j] {
			ranks[k] = float64(i+1+j) / 2 // mean of the places i+1 .. j
		}
		i = j
	}
	return ranks
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Kendall returns tau-b, the rank correlation with ties:
//
//	tau = (C - D) / sqrt((N - Tx) (N - Ty))
//
// over the N = n(n-1)/2 pairs of mixtures, C ordered alike and D ordered oppositely by both lists,
// Tx and Ty tied in x and in y (Kendall 1945, "The treatment of ties in ranking problems"). NaN for
// fewer than three mixtures or a constant list.
func Kendall(x, y []float64) float64 {
	if !usable(x, y, minPairs) {
		return math.NaN()
	}
	p := countPairs(x, y)
	if p.tiedX == p.all || p.tiedY == p.all {
		return math.NaN()
	}
	return max(-1, min(1, float64(p.score)/math.Sqrt(float64(p.all-p.tiedX))/math.Sqrt(float64(p.all-p.tiedY))))
}

// PairwiseAccuracy returns the share of pairs of mixtures that the proxy orders as the reference
// does; a pair tied in either list counts half, as a coin would decide it. 0.5 is chance, 1 is
// every pair right. NaN for fewer than two mixtures.
func PairwiseAccuracy(proxy, ref []float64) float64 {
	if !usable(proxy, ref, 2) {
		return math.NaN()
	}
	p := countPairs(proxy, ref)
	// (C + T/2) / N with C + D + T = N.
	return 0.5 + float64(p.score)/(2*float64(p.all))
}

// pairs counts pairs of positions: all of them, those tied in x, those tied in y (both include
// pairs tied in both), and score, the pairs ordered alike less those ordered oppositely.
type pairs struct{ all, tiedX, tiedY, score int64 }

// countPairs counts in O(n log n) (Knight 1966, "A computer method for calculating Kendall's tau
// with ungrouped data"): sorted by x and then y, the exchanges that sort y are the discordant
// pairs. A bootstrap calls it thousands of times.
func countPairs(x, y []float64) pairs {
	n := len(x)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if c := compare(x[a], x[b]); c != 0 {
			return c
		}
		return compare(y[a], y[b])
	})
	var tiedBoth int64
	p := pairs{all: choose2(n)}
	ys := make([]float64, n)
	runX, runBoth := 1, 1
	for i, k := range order {
		ys[i] = y[k]
		if i == 0 {
			continue
		}
		sameX := x[k] == x[order[i-1]]
		sameBoth := sameX && ys[i] == ys[i-1]
		runX, p.tiedX = countRun(runX, sameX, p.tiedX)
		runBoth, tiedBoth = countRun(runBoth, sameBoth, tiedBoth)
	}
	discordant := exchanges(ys, make([]float64, n)) // ys is sorted now
	runY := 1
	for i := 1; i < n; i++ {
		runY, p.tiedY = countRun(runY, ys[i] == ys[i-1], p.tiedY)
	}
	concordant := p.all - p.tiedX - p.tiedY + tiedBoth - discordant
	p.score = concordant - discordant
	return p
}

// countRun extends a run of equal values: its m-th member makes m-1 new tied pairs.
func countRun(run int, same bool, tied int64) (int, int64) {
	if !same {
		return 1, tied
	}
	return run + 1, tied + int64(run)
}

func choose2(n int) int64 { return int64(n) * int64(n-1) / 2 }

// exchanges sorts v by merging and returns how many pairs stood in the wrong order, equal values
// not counted.
func exchanges(v, scratch []float64) int64 {
	n := len(v)
	if n < 2 {
		return 0
	}
	mid := n / 2
	count := exchanges(v[:mid], scratch[:mid]) + exchanges(v[mid:], scratch[mid:])
	copy(scratch, v)
	a, b := scratch[:mid], scratch[mid:]
	for k := range v {
		if len(b) == 0 || len(a) > 0 && a[0] <= b[0] {
			v[k], a = a[0], a[1:]
			continue
		}
		v[k], b = b[0], b[1:]
		count += int64(len(a))
	}
	return count
}
