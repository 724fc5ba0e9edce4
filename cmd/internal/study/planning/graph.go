package planning

import (
	"ablate/cmd/internal/study"
	"ablate/pipeline"
)

// Drawing is how a plan is drawn.
type Drawing struct {
	Steps bool                         // every step and every edge; else steps of one kind and group are one node
	Why   func(pipeline.Reason) string // says in a node why a step of it would run; nil: nothing does
}

// Graph is a plan to draw. Unless every step is drawn, edges that a longer path implies are left
// out.
func Graph(p *study.Compiled, how Drawing) (*pipeline.Collapsed, error) {
	g, err := p.Plan.EachStep()
	if !how.Steps {
		if g, err = p.Plan.Collapse(); err == nil {
			g, err = g.Reduced()
		}
	}
	if err != nil {
		return nil, err
	}
	if how.Why != nil {
		reason := Reasons(p)
		p.State.Note(g, func(step int) string { return how.Why(reason(step)) })
	}
	return g, nil
}
