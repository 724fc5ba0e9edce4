package stat

import (
	"math"
	"slices"
)

// Choice is the decision a proxy takes among mixtures, judged by the reference.
type Choice struct {
	N      int     // mixtures compared
	Chosen int     // index of the mixture with the lowest proxy score; -1 if there was nothing to choose from
	Best   int     // index of the mixture with the lowest reference score; -1 likewise
	Rank   int     // place of the chosen one by reference score, 1 = best; mixtures that tie share the better place; 0 if none
	Regret float64 // reference score of the chosen less that of the best, in the score's unit, never negative; NaN if none
}

// Regret takes the mixture of lowest proxy score, the first of several, and says what that choice
// costs by the reference's scores. It is what a user of the proxy loses; a proxy may correlate well
// over all mixtures and yet miss the best one, or the reverse.
func Regret(proxy, ref []float64) Choice {
	if !usable(proxy, ref, 1) {
		return Choice{Chosen: -1, Best: -1, Regret: math.NaN()}
	}
	c := Choice{N: len(ref), Rank: 1}
	for i := range ref {
		if proxy[i] < proxy[c.Chosen] {
			c.Chosen = i
		}
		if ref[i] < ref[c.Best] {
			c.Best = i
		}
	}
	for _, v := range ref {
		if v < ref[c.Chosen] {
			c.Rank++
		}
	}
	c.Regret = ref[c.Chosen] - ref[c.Best]
	return c
}

// Blind is what choosing at random costs on average: the mean reference score less the best. The
// unit is the score's; NaN if there is nothing to choose from. A regret is small or large beside
// it.
func Blind(ref []float64) float64 {
	if !usable(ref, ref, 1) {
		return math.NaN()
	}
	e := exponent(ref...) // scaled, the sum of the largest numbers is finite, and no bit of others is lost
	var sum float64
	best := math.Inf(1)
	for _, v := range shifted(ref, -e) {
		sum += v
		best = min(best, v)
	}
	return math.Ldexp(max(0, sum/float64(len(ref))-best), e)
}

// Top is what taking the K mixtures of lowest proxy score brings.
type Top struct {
	K      int
	Best   bool    // the best mixture by reference is among them (the paper's question, appendix A.5)
	Share  float64 // share of the K best by reference that is among them; K/n is chance
	Regret float64 // reference score of the best of them less that of the best of all, in the score's unit
}

// TopK takes the k mixtures of lowest proxy score; among equals those that come first. Where the
// reference ties, any of the tied counts as the best, and for Share those that come first are the k
// best. Share and Regret are NaN where there are fewer than k mixtures or k < 1.
func TopK(proxy, ref []float64, k int) Top {
	if !usable(proxy, ref, 1) || k < 1 || k > len(ref) {
		return Top{K: k, Share: math.NaN(), Regret: math.NaN()}
	}
	chosen, right := lowest(proxy)[:k], lowest(ref)[:k]
	best := ref[right[0]]
	top := Top{K: k, Regret: ref[chosen[0]] - best}
	for _, i := range chosen {
		top.Best = top.Best || ref[i] == best
		top.Regret = min(top.Regret, ref[i]-best)
		if slices.Contains(right, i) {
			top.Share += 1 / float64(k)
		}
	}
	top.Share = min(1, top.Share)
	return top
}

// Place is the place of the best mixture by reference in the proxy's order, 1 is first; mixtures
// that tie share the better place. Of several best the one that the proxy places best counts. 0 if
// there is none.
func Place(proxy, ref []float64) int {
	if !usable(proxy, ref, 1) {
		return 0
	}
	best := ref[Regret(proxy, ref).Best]
	place := len(proxy)
	for i := range ref {
		if ref[i] != best {
			continue
		}
		p := 1
		for _, v := range proxy {
			if v < proxy[i] {
				p++
			}
		}
		place = min(place, p)
	}
	return place
}

// lowest returns the positions of v from its lowest value to its highest, equal values in the order
// they stand in.
func lowest(v []float64) []int {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return compare(v[a], v[b]) })
	return order
}
