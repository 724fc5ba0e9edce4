// Package simplex finds shares of sources: vectors x >= 0 that sum to 1, within floors and caps of
// sources and of groups of sources.
//
// Minimise finds the shares at which a convex objective, plus a multiple of the distance from prior
// shares, is least. Its step is the exponentiated gradient (Kivinen and Warmuth 1997; mirror
// descent with the entropy, Beck and Teboulle 2003) followed by the projection of least
// Kullback-Leibler divergence onto the bounds. Proportional, Equal and UniMax are the shares that a
// proposal is compared with, and Decimals writes shares so that they sum to exactly 1.
//
// Results depend on the names of sources, never on their order, and have the same bits on every
// machine.
package simplex

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A Bound is a floor and a cap of the share of a source, or of the sum of the shares of a group of
// sources. A fixed share has both alike.
type Bound struct {
	Name       string   // of the source or group, for messages
	Sources    []string // what is bounded; groups may overlap
	Floor, Cap float64  // in [0, 1]
}

// A Set is the shares that keep all bounds.
type Set struct {
	sources []string // sorted
	given   []int    // of each source, its position as the caller has it
	low, up []float64
	groups  []group
	blame   []string // of each source, the bounds that its floor and cap come from
}

// A group is a bound of several sources, by their positions.
type group struct {
	name    string
	members []int
	low, up float64
}

// slack is what sums of bounds may be off by, since .1 + .2 + .7 is not 1 in binary.
const slack = 1e-9

// NewSet checks bounds and settles whether some shares keep them all. An error names the bounds
// that contradict each other.
func NewSet(sources []string, bounds ...Bound) (*Set, error) {
	s := &Set{given: byName(sources)}
	for i, k := range s.given {
		if i > 0 && sources[k] == s.sources[i-1] {
			return nil, fmt.Errorf("source %s is named twice", sources[k])
		}
		s.sources = append(s.sources, sources[k])
		s.low, s.up, s.blame = append(s.low, 0), append(s.up, 1), append(s.blame, "")
	}
	if len(sources) == 0 {
		return nil, fmt.Errorf("no sources")
	}
	sorted := slices.Clone(bounds)
	slices.SortStableFunc(sorted, compareBounds)
	for _, b := range sorted {
		if err := s.add(b); err != nil {
			return nil, err
		}
	}
	return s, s.feasible()
}

func compareBounds(a, b Bound) int {
	if c := strings.Compare(a.Name, b.Name); c != 0 {
		return c
	}
	return strings.Compare(strings.Join(sortedStrings(a.Sources), "\x00"), strings.Join(sortedStrings(b.Sources), "\x00"))
}

func sortedStrings(s []string) []string { return slices.Sorted(slices.Values(s)) }

// add takes a bound up.
func (s *Set) add(b Bound) error {
	if !(b.Floor >= 0 && b.Cap <= 1 && b.Floor <= b.Cap) {
		return fmt.Errorf("%s: floor %v and cap %v: want 0 <= floor <= cap <= 1", b.Name, b.Floor, b.Cap)
	}
	var members []int
	for _, name := range sortedStrings(b.Sources) {
		j, ok := slices.BinarySearch(s.sources, name)
		if !ok {
			return fmt.Errorf("%s: there is no source %s; the sources are %s", b.Name, name, strings.Join(s.sources, ", "))
		}
		if len(members) > 0 && members[len(members)-1] == j {
			return fmt.Errorf("%s: source %s is named twice", b.Name, name)
		}
		members = append(members, j)
	}
	switch len(members) {
	case 0:
		return fmt.Errorf("%s: bounds no source", b.Name)
	case 1:
		j := members[0]
		s.low[j], s.up[j] = max(s.low[j], b.Floor), min(s.up[j], b.Cap)
		s.blame[j] = joined(s.blame[j], b.Name)
		if s.low[j] > s.up[j] {
			return fmt.Errorf("%s: the floor %v of %s is above its cap %v", s.blame[j], s.low[j], s.sources[j], s.up[j])
		}
	default:
		s.groups = append(s.groups, group{b.Name, members, b.Floor, b.Cap})
	}
	return nil
}

func joined(names, name string) string {
	if names == "" || names == name {
		return name
	}
	return names + " and " + name
}

// settleNothing fixes at 0 the sources that groups leave no share, which the projection would only
// tend to. A group's bounds are also those of all sources outside of it, as all shares sum to 1.
func (s *Set) settleNothing() {
	every := make([]int, len(s.sources))
	for j := range every {
		every[j] = j
	}
	groups := slices.Clone(s.groups)
	for _, g := range s.groups {
		others := slices.DeleteFunc(slices.Clone(every), func(j int) bool { return slices.Contains(g.members, j) })
		groups = append(groups, group{members: others, low: 1 - g.up, up: 1 - g.low})
	}
	for _, g := range groups {
		floors := s.sum(g.members, s.low)
		for _, j := range g.members {
			if g.up-(floors-s.low[j]) < slack {
				s.up[j] = s.low[j]
			}
		}
	}
}

// feasible says why no shares keep all bounds. Sums of floors and caps tell most contradictions; of
// groups that overlap, the projection tells the rest, since it does not end.
func (s *Set) feasible() error {
	var all []int
	for j := range s.sources {
		all = append(all, j)
	}
	if floors := s.sum(all, s.low); floors > 1+slack {
		return fmt.Errorf("the floors sum to %.6g, which is above 1: %s", floors, s.list(all, s.low, 0))
	}
	if caps := s.sum(all, s.up); caps < 1-slack {
		return fmt.Errorf("the caps sum to %.6g, which is below 1: %s", caps, s.list(all, s.up, -1))
	}
	for _, g := range s.groups {
		if floors := s.sum(g.members, s.low); floors > g.up+slack {
			return fmt.Errorf("%s: its cap is %v, and the floors of its sources sum to %.6g: %s", g.name, g.up, floors, s.list(g.members, s.low, 0))
		}
		if caps := s.sum(g.members, s.up); caps < g.low-slack {
			return fmt.Errorf("%s: its floor is %v, and the caps of its sources sum to %.6g: %s", g.name, g.low, caps, s.list(g.members, s.up, -1))
		}
	}
	s.settleNothing()
	start := make([]float64, len(all))
	for j := range start {
		start[j] = 1
	}
	p := newProjection(s)
	if _, broken := p.project(start); broken != nil {
		return fmt.Errorf("no shares keep these bounds together: %s", strings.Join(broken, "; "))
	}
	return nil
}

func (s *Set) sum(members []int, v []float64) float64 {
	var sum float64
	for _, j := range members {
		sum += v[j]
	}
	return sum
}

// list names the bounds of members that are not the trivial one.
func (s *Set) list(members []int, v []float64, trivial float64) string {
	var out []string
	for _, j := range members {
		if v[j] != trivial {
			out = append(out, fmt.Sprintf("%s %v", s.sources[j], v[j]))
		}
	}
	return strings.Join(out, ", ")
}

// Contains says whether shares, in the order of the sources as they were given, keep all bounds
// within a tolerance.
func (s *Set) Contains(shares []float64, within float64) bool {
	x := s.sorted(shares)
	all := group{low: 1, up: 1}
	for j, v := range x {
		if !(v >= s.low[j]-within && v <= s.up[j]+within) {
			return false
		}
		all.members = append(all.members, j)
	}
	for _, g := range append(slices.Clone(s.groups), all) {
		if sum := s.sum(g.members, x); !(sum >= g.low-within && sum <= g.up+within) {
			return false
		}
	}
	return true
}

// Project returns the shares of the set that are nearest to positive weights y, in the order of the
// sources as they were given, by the divergence sum_j x_j log(x_j / y_j).
func (s *Set) Project(y []float64) ([]float64, error) {
	v := s.sorted(y)
	for j, w := range v {
		if !(w >= 0) || math.IsInf(w, 0) || w == 0 && s.low[j] > 0 {
			return nil, fmt.Errorf("%s: weight %v and floor %v", s.sources[j], w, s.low[j])
		}
	}
	x, broken := newProjection(s).project(v)
	if broken != nil {
		return nil, fmt.Errorf("no shares of sources of positive weight keep these bounds together: %s", strings.Join(broken, "; "))
	}
	return s.restored(x), nil
}

// sorted is v, given in the caller's order, in that of the names.
func (s *Set) sorted(v []float64) []float64 {
	out := make([]float64, len(v))
	for i, k := range s.given {
		out[i] = v[k]
	}
	return out
}

// restored undoes sorted.
func (s *Set) restored(v []float64) []float64 {
	out := make([]float64, len(v))
	for i, k := range s.given {
		out[k] = v[i]
	}
	return out
}

func byName(names []string) []int {
	order := make([]int, len(names))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(names[a], names[b]) })
	return order
}
