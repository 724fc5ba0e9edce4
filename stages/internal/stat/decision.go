package stat

import "math"

// Choice is the decision a proxy takes among mixtures, judged by the reference.
type Choice struct {
	N      int     // mixtures compared
	Chosen int     // index of the mixture with the lowest proxy score; -1 if there was nothing to choose from
	Best   int     // index of the mixture with the lowest reference score; -1 likewise
	Rank   int     // place of the chosen one by reference score, 1 = best; mixtures that tie share the better place; 0 if none
	Regret float64 // reference score of the chosen less that of the best, in the score's unit, never negative; NaN if none
}

// Regret takes the mixture of lowest proxy score, the first of several, and says what that choice costs by the reference's scores.
// It is what a user of the proxy loses; a proxy may correlate well over all mixtures and yet miss the best one, or the reverse.
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
