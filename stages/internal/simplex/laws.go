package simplex

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"ablate/stages/internal/elementary"
)

// A Term is one metric's part of an objective: Weight times exp(Exponents . x), or Weight times
// Slopes . x. Vectors are in the order of the set's sources as they were given. The constant exp(c)
// of a log-linear law moves no optimum and is left out.
type Term struct {
	Name      string
	Weight    float64   // of exponentials at least 0, so that the sum is convex
	Exponents []float64 // of a log-linear law; nil: the term is linear
	Slopes    []float64 // of a linear law
}

// Laws is the sum of terms, whose names are distinct. An exponential of negative weight is refused:
// it is concave, and the search would end in whichever corner is near its start.
func Laws(set *Set, terms ...Term) (Objective, error) {
	if len(terms) == 0 {
		return nil, fmt.Errorf("no metric to choose shares by")
	}
	sorted := slices.Clone(terms)
	slices.SortStableFunc(sorted, func(a, b Term) int { return strings.Compare(a.Name, b.Name) })
	for i, t := range sorted {
		v := t.Exponents
		if v == nil {
			v = t.Slopes
		}
		switch {
		case i > 0 && t.Name == sorted[i-1].Name:
			return nil, fmt.Errorf("metric %s is named twice", t.Name)
		case math.IsNaN(t.Weight) || math.IsInf(t.Weight, 0):
			return nil, fmt.Errorf("metric %s: weight %v", t.Name, t.Weight)
		case t.Exponents != nil && t.Weight < 0:
			return nil, fmt.Errorf("metric %s: weight %v of a log-linear law, which is convex only with weights of at least 0: fit a linear law, or a metric of which less is better",
				t.Name, t.Weight)
		case len(v) != len(set.sources):
			return nil, fmt.Errorf("metric %s: %d coefficients for %d sources", t.Name, len(v), len(set.sources))
		}
	}
	for i, t := range sorted {
		if t.Exponents != nil {
			sorted[i].Exponents = set.sorted(t.Exponents)
		} else {
			sorted[i].Slopes = set.sorted(t.Slopes)
		}
	}
	return func(x, gradient []float64) float64 {
		x = set.sorted(x)
		g := make([]float64, len(x))
		var sum float64
		for _, t := range sorted {
			if t.Exponents == nil {
				sum += float64(t.Weight * dot(t.Slopes, x))
				for j, a := range t.Slopes {
					g[j] += float64(t.Weight * a)
				}
				continue
			}
			e := float64(t.Weight * elementary.Exp(dot(t.Exponents, x)))
			sum += e
			for j, a := range t.Exponents {
				g[j] += float64(e * a)
			}
		}
		copy(gradient, set.restored(g))
		return sum
	}, nil
}

func dot(a, b []float64) float64 {
	var sum float64
	for i, v := range a {
		sum += float64(v * b[i])
	}
	return sum
}
