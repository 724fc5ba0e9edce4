package simplex

import (
	"fmt"
	"math"
	"slices"

	"ablate/stages/internal/elementary"
)

// A projection finds the shares of a set that are nearest to weights y by the Kullback-Leibler
// divergence. They are
//
//	x_j = clip(y_j exp(sum of the multipliers of the groups that hold j), floor_j, cap_j)
//
// with one multiplier a group and one for the sum of all shares (the Lagrange conditions of the
// projection). Each multiplier in turn is set to the value that makes its own group keep its
// bounds, exactly; that is coordinate ascent of the concave dual, which is Dykstra's algorithm with
// Bregman projections (Dykstra 1985; Bauschke and Lewis 2000). Without groups one turn is enough.
// With groups, a Newton step for all multipliers that are not 0 follows each turn and is kept if
// the dual rises and the groups come nearer to their bounds, since turns alone converge slowly
// where groups overlap.
type projection struct {
	s          *Set
	groups     []group   // those of the set, and the sum of all shares last
	multiplier []float64 // kept from one projection to the next, which begins near
	z          []float64 // logarithms of the weights, moved by the multipliers
	x          []float64
	turns      []float64 // scratch

	logLow, logUp []float64 // of the floors and caps
}

func newProjection(s *Set) *projection {
	all := group{name: "the sum of all shares", low: 1, up: 1}
	for j := range s.sources {
		all.members = append(all.members, j)
	}
	groups := append(slices.Clone(s.groups), all)
	n := len(s.sources)
	p := &projection{s: s, groups: groups, multiplier: make([]float64, len(groups)), x: make([]float64, n), z: make([]float64, n)}
	for j := range n {
		p.logLow, p.logUp = append(p.logLow, elementary.Log(s.low[j])), append(p.logUp, elementary.Log(s.up[j]))
	}
	return p
}

// Turns end when no group is off by more than keeps; a few are enough. After mostTurns the bounds
// contradict each other.
const (
	keeps     = 1e-13
	nearly    = 1e-9 // what is accepted after mostTurns
	mostTurns = 5000
	farthest  = 2000 // multipliers beyond are those of a contradiction: they move any share from its floor to its cap
)

// project returns the nearest shares, or the bounds that no shares keep.
func (p *projection) project(y []float64) (x []float64, broken []string) {
	if slices.ContainsFunc(p.multiplier, func(m float64) bool { return math.IsNaN(m) || math.Abs(m) > farthest/2 }) {
		clear(p.multiplier)
	}
	for j, v := range y {
		p.z[j] = elementary.Log(v)
	}
	for i, g := range p.groups {
		p.shift(g, p.multiplier[i])
	}
	worst := math.Inf(1)
	for range mostTurns {
		for i, g := range p.groups {
			p.balance(i, g)
		}
		if worst = p.newton(); worst <= keeps || slices.ContainsFunc(p.multiplier, func(m float64) bool { return math.Abs(m) > farthest }) {
			break
		}
	}
	p.settle()
	if !(worst <= nearly) {
		return nil, p.names()
	}
	return slices.Clone(p.x), nil
}

// shift adds to the logarithms of a group's weights.
func (p *projection) shift(g group, by float64) {
	for _, j := range g.members {
		p.z[j] += by
	}
}

// share is that of source j when its logarithm is moved by an amount.
func (p *projection) share(j int, by float64) float64 {
	v := p.z[j] + by
	if v > 1 { // beyond any cap, and Exp may overflow
		return p.s.up[j]
	}
	return min(p.s.up[j], max(p.s.low[j], elementary.Exp(v)))
}

func (p *projection) total(g group, by float64) float64 {
	var sum float64
	for _, j := range g.members {
		sum += p.share(j, by)
	}
	return sum
}

// balance sets the multiplier of a group: 0 if the group keeps its bounds without, else that at
// which it reaches the bound that it broke.
func (p *projection) balance(i int, g group) {
	old := p.multiplier[i]
	free := p.total(g, -old)
	to := 0.0
	switch {
	case free < g.low-keeps/2:
		to = p.reach(g, -old, g.low)
	case free > g.up+keeps/2:
		to = p.reach(g, -old, g.up)
	}
	p.multiplier[i] = to
	p.shift(g, to-old)
}

// reach returns the multiplier at which a group's shares sum to want, or come nearest to it. base
// is what the logarithms of its weights are moved by without one. Between two neighbouring turns,
// at which a share meets its floor or cap, the sum is a constant plus a sum of weights times
// exp(multiplier), so that the multiplier is the logarithm of a quotient.
func (p *projection) reach(g group, base, want float64) float64 {
	turns := p.turns[:0]
	for _, j := range g.members {
		if low, up := p.turnsOf(j, base); !math.IsInf(low, 0) {
			turns = append(turns, low, up)
		} else if !math.IsInf(up, 0) {
			turns = append(turns, up)
		}
	}
	p.turns = turns
	slices.Sort(turns)
	if len(turns) == 0 {
		return 0
	}
	k, _ := slices.BinarySearchFunc(turns, want, func(m, want float64) int {
		if p.total(g, base+m) < want {
			return -1
		}
		return 1
	})
	if k == len(turns) { // all shares are at their caps
		return turns[k-1]
	}
	from, to := math.Inf(-1), turns[k]
	if k > 0 {
		from = turns[k-1]
	}
	var fixed, weight float64
	for _, j := range g.members {
		switch low, up := p.turnsOf(j, base); {
		case low >= to:
			fixed += p.s.low[j]
		case up <= from:
			fixed += p.s.up[j]
		default:
			weight += elementary.Exp(p.z[j] + base + to) // relative to the turn, so that it is of the size of shares
		}
	}
	rest := want - fixed
	if !(weight > 0) || !(rest > 0) {
		return to
	}
	return max(from, min(to, to+elementary.Log(rest/weight)))
}

// turnsOf are the multipliers at which a source leaves its floor and reaches its cap; infinite
// where it never does. A weight of 0 stays 0.
func (p *projection) turnsOf(j int, base float64) (low, up float64) {
	if at := p.z[j] + base; !math.IsInf(at, -1) {
		return p.logLow[j] - at, p.logUp[j] - at
	}
	return math.Inf(1), math.Inf(1)
}

// settle computes the shares.
func (p *projection) settle() {
	for j := range p.x {
		p.x[j] = p.share(j, 0)
	}
}

// worst is the most by which a group is off its bounds, or off the bound that its multiplier holds
// it to.
func (p *projection) worst() float64 {
	var worst float64
	for i, g := range p.groups {
		worst = max(worst, math.Abs(p.off(i, g)))
	}
	return worst
}

// off is what a group lacks to where its multiplier has to bring it.
func (p *projection) off(i int, g group) float64 {
	sum := p.total(g, 0)
	switch m := p.multiplier[i]; {
	case sum < g.low || m > 0:
		return g.low - sum
	case sum > g.up || m < 0:
		return g.up - sum
	}
	return 0
}

// newton solves the equations sum of shares = bound, for all groups whose multiplier is not 0, to
// the first order: the derivative of the sum of one group by the multiplier of another is the sum
// of the shares of both that lie between floor and cap. It returns how far off the groups are.
func (p *projection) newton() float64 {
	worst := p.worst()
	if worst <= keeps || len(p.groups) == 1 {
		return worst
	}
	var active []int
	var lacks []float64
	for i, g := range p.groups {
		if p.multiplier[i] != 0 {
			active, lacks = append(active, i), append(lacks, p.off(i, g))
		}
	}
	step := solve(p.derivatives(active), lacks)
	if step == nil {
		return worst
	}
	before, z, dual := slices.Clone(p.multiplier), slices.Clone(p.z), p.dual()
	for k, i := range active {
		p.multiplier[i] += step[k]
		p.shift(p.groups[i], step[k])
	}
	if now := p.worst(); now < worst/2 && p.dual() >= dual-1e-14 { // which is its rounding
		return now
	}
	copy(p.multiplier, before)
	copy(p.z, z)
	return worst
}

// dual is the sum of each multiplier times the bound that it holds its group to, less the maxima
// over the shares of x_j z_j - x_j log x_j + x_j. It is concave, and greatest at the multipliers
// that are sought.
func (p *projection) dual() float64 {
	var sum float64
	for i, g := range p.groups {
		if m := p.multiplier[i]; m > 0 {
			sum += float64(m * g.low)
		} else {
			sum += float64(m * g.up)
		}
	}
	for j, z := range p.z {
		if x := p.share(j, 0); x > 0 {
			sum -= float64(x*z) - float64(x*elementary.Log(x)) + x
		}
	}
	return sum
}

func (p *projection) derivatives(active []int) [][]float64 {
	a := make([][]float64, len(active))
	in := make([]bool, len(p.x))
	for r, i := range active {
		a[r] = make([]float64, len(active))
		clear(in)
		for _, j := range p.groups[i].members {
			in[j] = true
		}
		for c, k := range active {
			for _, j := range p.groups[k].members {
				if x := p.share(j, 0); in[j] && x > p.s.low[j] && x < p.s.up[j] {
					a[r][c] += x
				}
			}
		}
		a[r][r] += 1e-10 // of multipliers that several groups could have, a small one
	}
	return a
}

// solve returns x with a x = b, by Gauss's elimination with the largest pivots; nil where a has no
// inverse to speak of.
func solve(a [][]float64, b []float64) []float64 {
	n := len(b)
	for c := range n {
		best := c
		for r := c + 1; r < n; r++ {
			if math.Abs(a[r][c]) > math.Abs(a[best][c]) {
				best = r
			}
		}
		if !(math.Abs(a[best][c]) > 1e-14) {
			return nil
		}
		a[c], a[best], b[c], b[best] = a[best], a[c], b[best], b[c]
		for r := c + 1; r < n; r++ {
			f := a[r][c] / a[c][c]
			for k := c; k < n; k++ {
				a[r][k] -= float64(f * a[c][k])
			}
			b[r] -= float64(f * b[c])
		}
	}
	for c := n - 1; c >= 0; c-- {
		for k := c + 1; k < n; k++ {
			b[c] -= float64(a[c][k] * b[k])
		}
		b[c] /= a[c][c]
	}
	return b
}

// names are the bounds that push against each other: those of groups with a multiplier.
func (p *projection) names() []string {
	var out []string
	for i, g := range p.groups[:len(p.groups)-1] {
		switch m := p.multiplier[i]; {
		case m > 1:
			out = append(out, fmt.Sprintf("%s has floor %v", g.name, g.low))
		case m < -1:
			out = append(out, fmt.Sprintf("%s has cap %v", g.name, g.up))
		}
	}
	for j, name := range p.s.sources {
		if p.s.low[j] > 0 && p.x[j] == p.s.low[j] || p.s.up[j] < 1 && p.x[j] == p.s.up[j] {
			out = append(out, fmt.Sprintf("%s has floor %v and cap %v", name, p.s.low[j], p.s.up[j]))
		}
	}
	if len(out) == 0 {
		out = append(out, "sources of weight 0")
	}
	return out
}
