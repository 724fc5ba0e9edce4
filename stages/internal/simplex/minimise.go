package simplex

import (
	"fmt"
	"math"
	"slices"

	"ablate/stages/internal/elementary"
)

// A Problem asks for the shares x of Set at which
//
//	Objective(x) + KL sum_j x_j log(x_j / Prior_j)
//
// is least. All vectors are in the order of the set's sources as they were given.
type Problem struct {
	Set       *Set
	Objective Objective // convex
	Prior     []float64 // sums to 1; nil: equal. A source of prior 0 gets no share where KL is above 0
	KL        float64   // at least 0; nats of divergence cost KL each
}

// An Objective returns its value at x and writes its gradient. Its last bits may not depend on the
// order of the sources: see Laws.
type Objective func(x, gradient []float64) float64

// A Solution is where the search ended.
type Solution struct {
	Shares     []float64
	Value      float64 // of the objective and the divergence
	Divergence float64 // sum_j x_j log(x_j / prior_j), in nats
	Steps      int
	Residual   float64 // the most by which a share would move in one more step; 0 at an optimum
}

// The search ends when a step, of length 1 or more, would move no share by more than still, when
// steps have no length any more, or after mostSteps. A step length is halved until the step is
// gentle, and grows by grows after each step.
const (
	still     = 1e-10
	mostSteps = 20_000
	grows     = 1.5
	shortest  = 1e-18
)

// Minimise solves a problem.
func Minimise(p Problem) (Solution, error) {
	m, err := newSearch(p)
	if err != nil {
		return Solution{}, err
	}
	if err := m.run(); err != nil {
		return Solution{}, err
	}
	return Solution{Shares: p.Set.restored(m.x), Value: m.value + float64(p.KL*m.divergence(m.x)), Divergence: m.divergence(m.x), Steps: m.steps, Residual: m.residual}, nil
}

// search is a problem with sources in the order of their names.
type search struct {
	p          Problem
	prior      []float64
	projection *projection

	x, gradient []float64
	value       float64 // of the objective
	steps       int
	residual    float64
}

func newSearch(p Problem) (*search, error) {
	n := len(p.Set.sources)
	if !(p.KL >= 0) || math.IsInf(p.KL, 0) {
		return nil, fmt.Errorf("the weight of the prior is %v, want a finite number of at least 0", p.KL)
	}
	m := &search{p: p, projection: newProjection(p.Set), gradient: make([]float64, n)}
	if p.Prior == nil {
		m.prior = slices.Repeat([]float64{1 / float64(n)}, n)
	} else {
		if len(p.Prior) != n {
			return nil, fmt.Errorf("a prior of %d shares for %d sources", len(p.Prior), n)
		}
		m.prior = p.Set.sorted(p.Prior)
	}
	var sum float64
	start := make([]float64, n)
	for j, q := range m.prior {
		if !(q >= 0) {
			return nil, fmt.Errorf("the prior share of %s is %v", p.Set.sources[j], q)
		}
		if q == 0 && p.KL > 0 && p.Set.low[j] > 0 {
			return nil, fmt.Errorf("%s has a floor of %v and a prior share of 0: any share of it is infinitely far from the prior", p.Set.sources[j], p.Set.low[j])
		}
		sum += q
		start[j] = q
		if q == 0 && p.KL == 0 {
			start[j] = 1 / float64(n) // what begins at 0 stays there
		}
	}
	if math.Abs(sum-1) > 1e-6 {
		return nil, fmt.Errorf("the prior shares sum to %.9g, want 1", sum)
	}
	x, broken := m.projection.project(start)
	if broken != nil {
		return nil, fmt.Errorf("no shares of sources with a prior share keep the bounds: %v", broken)
	}
	m.x = x
	return m, nil
}

// run steps until nothing moves.
func (m *search) run() error {
	if m.value = m.evaluate(m.x, m.gradient); math.IsNaN(m.value) || math.IsInf(m.value, 0) {
		return fmt.Errorf("the objective is %v at its start", m.value)
	}
	length := m.firstLength()
	next := make([]float64, len(m.gradient))
	for m.steps = 0; m.steps < mostSteps; m.steps++ {
		if m.residual = distance(m.x, m.stepped(max(1, length))); m.residual <= still {
			return nil
		}
		var x []float64
		var value float64
		for ; length > shortest; length /= 2 {
			x = m.stepped(length)
			value = m.evaluate(x, next)
			if !math.IsNaN(value) && m.gentle(x, next, length) {
				break
			}
		}
		if length <= shortest {
			return nil // only rounding is left
		}
		m.x, m.value = x, value
		m.gradient, next = next, m.gradient
		length *= grows
	}
	return nil
}

// firstLength is that at which the gradient moves logarithms of shares by about 1, whatever the
// scale of the objective.
func (m *search) firstLength() float64 {
	if spread := slices.Max(m.gradient) - slices.Min(m.gradient); spread > 0 {
		return 1 / spread
	}
	return 1
}

// evaluate calls the objective in the caller's order.
func (m *search) evaluate(x, gradient []float64) float64 {
	s := m.p.Set
	g := make([]float64, len(x))
	value := m.p.Objective(s.restored(x), g)
	copy(gradient, s.sorted(g))
	return value
}

// stepped returns the shares that minimise the objective's linear model, the divergence from the
// prior times KL and the divergence from where the search is, divided by the length of the step.
// Before projection they are x^(1/(1+k)) prior^(k/(1+k)) exp(-length gradient/(1+k)), with k = KL
// times length, so that any weight of the prior is taken in one step.
func (m *search) stepped(length float64) []float64 {
	k := min(float64(m.p.KL*length), 1e18)
	a := make([]float64, len(m.x))
	top := math.Inf(-1)
	for j, x := range m.x {
		a[j] = math.Inf(-1)
		if x > 0 && (m.prior[j] > 0 || k == 0) {
			a[j] = (elementary.Log(x) - float64(length*m.gradient[j])) / (1 + k)
			if k > 0 {
				a[j] += float64(k / (1 + k) * elementary.Log(m.prior[j]))
			}
			top = max(top, a[j])
		}
	}
	for j := range a {
		// A share so small that it would vanish could not come back.
		a[j] = elementary.Exp(max(a[j]-top, smallestLog))
		if m.x[j] == 0 || k > 0 && m.prior[j] == 0 {
			a[j] = 0
		}
	}
	x, broken := m.projection.project(a)
	if broken != nil {
		return slices.Clone(m.x) // no progress; feasible has shown that bounds can be kept
	}
	return x
}

const smallestLog = -200 // e^-200 is 1e-87

// gentle says whether the gradient changes so little over a step that the step lowers the value:
// for a convex objective, if
//
//	(gradient at to - gradient here) . (to - here) <= divergence of to from here / length
//
// Values themselves would not do, since near an optimum they differ by less than their rounding.
func (m *search) gentle(to, gradient []float64, length float64) bool {
	var change, away float64
	for j, x := range to {
		change += float64((gradient[j] - m.gradient[j]) * (x - m.x[j]))
		away += apart(x, m.x[j])
	}
	return change <= away/length
}

// apart is x log(x/y) - x + y, the divergence of one share.
func apart(x, y float64) float64 {
	if x == 0 || y == 0 {
		return y // a share of 0 stays 0
	}
	r := (x - y) / y
	if math.Abs(r) < 1e-3 { // (1+r) log(1+r) - r, of which rounding would leave nothing
		return y * r * r * (0.5 - float64(r*(1.0/6-r/12)))
	}
	return float64(x*elementary.Log(x/y)) - x + y
}

func (m *search) divergence(x []float64) float64 {
	var sum float64
	for j, v := range x {
		switch {
		case v == 0:
		case m.prior[j] == 0:
			return math.Inf(1)
		default:
			sum += float64(v * elementary.Log(v/m.prior[j]))
		}
	}
	return sum
}

func distance(a, b []float64) float64 {
	var most float64
	for j, v := range a {
		most = max(most, math.Abs(v-b[j]))
	}
	return most
}
