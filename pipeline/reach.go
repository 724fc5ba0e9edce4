package pipeline

import (
	"fmt"
	"slices"

	"github.com/dominikbraun/graph"
)

// Part is some steps of a node of the collapsed plan.
type Part struct {
	Name  string `json:"steps"` // the node's name
	Count int    `json:"count"`
}

// InWords is a part as messages name it: "unit/areas (4)", or the name alone of a single step.
func (p Part) InWords() string { return Node{Name: p.Name, Steps: make([]int, p.Count)}.Label() }

// Reach is what a step depends on and what depends on it, by nodes of the collapsed plan in
// topological order.
type Reach struct {
	Upstream   []Part `json:"upstream_runs,omitempty"` // steps that would run among those the step depends on, directly or through others
	Downstream []Part `json:"downstream,omitempty"`    // steps that depend on the step, directly or through others
}

// Reach finds what lies upstream and downstream of step i.
func (s *State) Reach(i int) (Reach, error) {
	p := s.Plan
	c, err := p.CollapseBy(func(j int) string {
		if j == i {
			return "" // a node of its own
		}
		return p.Steps[j].family()
	})
	if err != nil {
		return Reach{}, err
	}
	up, err := c.reachable(c.of[i], true)
	if err != nil {
		return Reach{}, err
	}
	down, err := c.reachable(c.of[i], false)
	if err != nil {
		return Reach{}, err
	}
	// The library finds the nodes. A node may also hold steps that have nothing to do with step i,
	// so its steps are looked at one by one.
	above, below := make([]bool, len(p.Steps)), make([]bool, len(p.Steps))
	above[i], below[i] = true, true
	for j := i; j >= 0; j-- {
		for _, in := range p.Steps[j].Inputs {
			if in.File == nil && above[j] {
				above[in.Step] = true
			}
		}
	}
	for j := i + 1; j < len(p.Steps); j++ {
		below[j] = down[c.of[j]] && slices.ContainsFunc(p.Steps[j].Inputs, func(in Input) bool { return in.File == nil && below[in.Step] })
	}
	var r Reach
	for n, node := range c.Nodes {
		if n == c.of[i] {
			continue
		}
		count := func(counts func(j int) bool) int {
			k := 0
			for _, j := range node.Steps {
				if counts(j) {
					k++
				}
			}
			return k
		}
		if up[n] {
			if k := count(func(j int) bool { return above[j] && s.Status[j] == Run }); k > 0 {
				r.Upstream = append(r.Upstream, Part{node.Name, k})
			}
		}
		if down[n] {
			if k := count(func(j int) bool { return below[j] }); k > 0 {
				r.Downstream = append(r.Downstream, Part{node.Name, k})
			}
		}
	}
	return r, nil
}

// reachable marks the nodes that can be reached from node n along the edges or, with against,
// against them. n is one of them.
func (c *Collapsed) reachable(n int, against bool) ([]bool, error) {
	edges := slices.Clone(c.Edges)
	if against {
		for k, e := range edges {
			edges[k].From, edges[k].To = e.To, e.From
		}
	}
	g, err := c.library(edges, nil)
	if err != nil {
		return nil, err
	}
	reached := make([]bool, len(c.Nodes))
	var lost error
	err = graph.BFS(g, c.key(n), func(key string) bool {
		var at int
		at, lost = g.Vertex(key)
		if lost == nil {
			reached[at] = true
		}
		return lost != nil
	})
	if err == nil {
		err = lost
	}
	if err != nil {
		return nil, fmt.Errorf("internal error: search in the collapsed plan: %w", err)
	}
	return reached, nil
}
