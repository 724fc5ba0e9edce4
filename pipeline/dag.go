package pipeline

import (
	"container/heap"
	"errors"
	"fmt"

	"github.com/dominikbraun/graph"

	"ablate/cache"
)

// dag keeps the plan's steps in a library graph whose vertices are named by definition: two names for one computation meet there, which is how
// studies and proxies share work. The library's own sorts are quadratic (v0.23.0), so the order comes from one heap-based pass of Kahn's
// algorithm (Communications of the ACM 5, 1962), and a cycle is named by the library's strongly connected components.
type dag struct {
	g          graph.Graph[int, int]
	definition map[cache.Digest]int
}

func newDAG() *dag {
	return &dag{g: graph.New(graph.IntHash, graph.Directed()), definition: map[cache.Digest]int{}}
}

// add appends s to the plan, or returns the step with the same definition.
func (d *dag) add(p *Plan, s *Step) (int, error) {
	s.definition = definition(p, s)
	if i, ok := d.definition[s.definition]; ok {
		return i, nil
	}
	i := len(p.Steps)
	if other, ok := p.index[s.ID]; ok {
		return other, fmt.Errorf("internal error: two different steps are called %s", s.ID)
	}
	if err := d.g.AddVertex(i); err != nil {
		return i, fmt.Errorf("internal error: step %s: %w", s.ID, err)
	}
	for _, in := range s.Inputs {
		if in.File != nil {
			continue
		}
		err := d.g.AddEdge(in.Step, i)
		if err != nil && !errors.Is(err, graph.ErrEdgeAlreadyExists) {
			return i, fmt.Errorf("internal error: step %s: input %s: %w", s.ID, in.Role, err)
		}
	}
	p.Steps = append(p.Steps, s)
	p.index[s.ID], d.definition[s.definition] = i, i
	return i, nil
}

// definition identifies a step before its inputs are known: its kind and parameters, with inputs named by the definition they come from.
// It never leaves the program.
func definition(p *Plan, s *Step) cache.Digest {
	b := make([]byte, 0, 1024)
	b = append(append(append(b, s.Kind...), 0), s.Params...) // no NUL in either
	for _, in := range s.Inputs {
		b = append(append(append(b, 0), in.Role...), 0)
		if in.File != nil {
			b = append(append(b, 'f'), in.File.Digest[:]...)
			continue
		}
		b = append(append(b, 's'), p.Steps[in.Step].definition[:]...)
		b = append(b, in.Output...)
	}
	return cache.DigestOf(b)
}

// finish checks that the graph has no cycle, puts the steps into a stable topological order and works out their heights.
func (d *dag) finish(p *Plan) error {
	order, err := d.order(len(p.Steps))
	if err != nil {
		return err
	}
	for pos, i := range order {
		if pos != i { // steps are added after their inputs, and Kahn's pass takes the lowest number first
			return fmt.Errorf("internal error: step %s stands before its inputs", p.Steps[i].ID)
		}
	}
	for i := len(p.Steps) - 1; i >= 0; i-- {
		s := p.Steps[i]
		s.height += 1 + s.Cost.Tokens
		for _, in := range s.Inputs {
			if in.File == nil {
				p.Steps[in.Step].height = max(p.Steps[in.Step].height, s.height)
			}
		}
	}
	return nil
}

// order is Kahn's algorithm with a heap, so that the order is the same every time.
func (d *dag) order(n int) ([]int, error) {
	adjacent, err := d.g.AdjacencyMap()
	if err != nil {
		return nil, fmt.Errorf("internal error: %w", err)
	}
	in := make([]int, n)
	next := make([][]int, n)
	for i := range n {
		for j := range adjacent[i] {
			next[i] = append(next[i], j)
			in[j]++
		}
	}
	var ready intHeap
	for i := range n {
		if in[i] == 0 {
			ready = append(ready, i)
		}
	}
	heap.Init(&ready)
	var order []int
	for len(ready) > 0 {
		i := heap.Pop(&ready).(int)
		order = append(order, i)
		for _, j := range next[i] {
			if in[j]--; in[j] == 0 {
				heap.Push(&ready, j)
			}
		}
	}
	if len(order) < n {
		components, _ := graph.StronglyConnectedComponents(d.g)
		for _, c := range components {
			if len(c) > 1 {
				return nil, fmt.Errorf("internal error: steps %v wait for one another", c)
			}
		}
	}
	return order, nil
}

type intHeap []int

func (h intHeap) Len() int           { return len(h) }
func (h intHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h intHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *intHeap) Push(x any)        { *h = append(*h, x.(int)) }
func (h *intHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
