package pipeline

import (
	"errors"
	"fmt"
	"slices"

	"github.com/dominikbraun/graph"

	"ablate/cache"
)

// dag gathers the steps of a plan by definition: two names for one computation meet there, which is
// how studies and proxies share work. Steps are added after their inputs, so the order of adding is
// a topological one and needs only be checked. A library graph of the plan is built where that
// fails, to name the cycle: one of a hundred thousand steps takes a second and a quarter of a GB
// (v0.23.0).
type dag struct {
	definition map[cache.Digest]int
}

func newDAG() *dag { return &dag{definition: map[cache.Digest]int{}} }

// add appends s to the plan, or returns the step with the same definition. Where another step has
// the ID, that is returned, and which one it is.
func (d *dag) add(p *Plan, s *Step) (i int, other *Step) {
	s.definition = definition(p, s)
	if i, ok := d.definition[s.definition]; ok {
		return i, nil
	}
	if i, ok := p.index[s.ID]; ok {
		return i, p.Steps[i]
	}
	i = len(p.Steps)
	p.Steps = append(p.Steps, s)
	p.index[s.ID], d.definition[s.definition] = i, i
	return i, nil
}

// definition identifies a step before its inputs are known: its kind and parameters, with inputs
// named by the definition they come from. It never leaves the program.
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

// finish checks that every step stands after its inputs, so that there is no cycle, and works out
// the heights.
func finish(p *Plan) error {
	for i := len(p.Steps) - 1; i >= 0; i-- {
		s := p.Steps[i]
		s.criticalPathCost += 1 + s.Cost.Tokens
		for _, in := range s.Inputs {
			if in.File != nil {
				continue
			}
			if in.Step >= i {
				return disorder(p, i)
			}
			p.Steps[in.Step].criticalPathCost = max(p.Steps[in.Step].criticalPathCost, s.criticalPathCost)
		}
	}
	return nil
}

// disorder says what is wrong in a plan where step i stands before an input of it.
func disorder(p *Plan, i int) error {
	g := graph.New(graph.IntHash, graph.Directed())
	var errs []error
	for i := range p.Steps {
		errs = append(errs, g.AddVertex(i+1)) // the library never takes vertex 0 for a component of its own
	}
	for i, s := range p.Steps {
		for _, in := range s.Inputs {
			if in.File != nil {
				continue
			}
			if err := g.AddEdge(in.Step+1, i+1); err != nil && !errors.Is(err, graph.ErrEdgeAlreadyExists) {
				errs = append(errs, fmt.Errorf("input %s of step %s: %w", in.Role, s.ID, err))
			}
		}
	}
	cycles, err := graph.StronglyConnectedComponents(g)
	if err := errors.Join(append(errs, err)...); err != nil {
		return fmt.Errorf("internal error: %w", err)
	}
	for _, c := range cycles {
		if len(c) > 1 {
			var ids []string
			for _, i := range slices.Sorted(slices.Values(c)) {
				ids = append(ids, p.Steps[i-1].ID)
			}
			return fmt.Errorf("internal error: steps wait for one another: %s", listSome(ids, 5))
		}
	}
	return fmt.Errorf("internal error: step %s stands before its inputs", p.Steps[i].ID)
}
