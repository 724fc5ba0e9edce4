package pipeline

import (
	"math/big"
	"slices"
)

// Growth is what it takes to compare all mixtures of a set, over the number of components that it
// draws from: the paper's figure 2 for whatever a study draws. Components are of the average size
// of those there are, so that the last point is the plan's own account.
type Growth struct {
	Group  string
	Of     string // partitions or units
	K      int    // components of a mixture, those of fix among them
	Repeat bool   // a component may be in a mixture more than once
	Beside string // of a crossing: the sets that stay as they are while the largest one grows
	Points []GrowthPoint
}

// GrowthPoint is one number of components, and the tokens that comparing their mixtures trains on.
type GrowthPoint struct {
	N       int     // components of the draw that grows
	Naive   float64 // a model for each mixture
	Modular float64 // a model for each unit
}

// mostPoints is how many points a curve has at most, about. Of hundreds of thousands of units, one
// binomial coefficient takes up to milliseconds.
const mostPoints = 500

// growth counts in closed form. Of a crossing, the set with most components grows, the first of
// those as large.
func (g *sampler) growth(s candidates) Growth {
	out := Growth{Group: g.group, Of: g.spec.Of, K: len(s.fixed), Repeat: g.spec.Repeat}
	grows := 0
	for i, d := range s.choices {
		out.K += d.k
		if d.n > s.choices[grows].n {
			grows = i
		}
	}
	pool := map[componentKey]bool{}
	for _, x := range s.pool {
		pool[x.key()] = true
	}
	var inEach, there float64 // units of every mixture on average, and all units, but for the draw that grows
	for _, x := range s.fixed {
		inEach += float64(x.units())
		if !pool[x.key()] { // with repetition, a fixed one is drawn as well
			there += float64(x.units())
		}
	}
	size := func(d choice) float64 {
		n := 0
		for _, x := range s.pool[d.first : d.first+d.n] {
			n += x.units()
		}
		return float64(n) / float64(d.n)
	}
	for i, d := range s.choices {
		if i != grows {
			inEach += float64(float64(d.k) * size(d))
			there += float64(float64(d.n) * size(d))
		}
	}
	if len(g.spec.Cross) > 1 {
		out.Beside = g.beside(s, grows)
	}
	d := s.choices[grows]
	each, reference, unit := size(d), float64(g.c.reference.train.TokensPerUnit), float64(g.c.own.train.TokensPerUnit)
	long := float64(g.spec.Tokens)
	if long == 0 {
		long = (inEach + float64(float64(d.k)*each)) * reference
	}
	least := d.k
	if d.repeat {
		least = 1
	}
	s.choices = slices.Clone(s.choices)
	every := (d.n-least)/mostPoints + 1
	for n := least; n <= d.n; n++ {
		if n != least && n != d.n && n%every != 0 {
			continue
		}
		s.choices[grows].n = n
		mixtures, _ := new(big.Float).SetInt(s.count()).Float64()
		out.Points = append(out.Points, GrowthPoint{N: n, Naive: mixtures * long, Modular: (there + float64(float64(n)*each)) * unit})
	}
	return out
}

// beside names the sets of a crossing that do not grow.
func (g *sampler) beside(s candidates, grows int) string {
	text := ""
	for i, d := range s.choices {
		if i == grows {
			continue
		}
		if text != "" {
			text += ", "
		}
		text += s.pool[d.first].part.set
	}
	return text
}
