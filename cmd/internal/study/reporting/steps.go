package reporting

import (
	"fmt"

	"ablate/pipeline"
	"ablate/stages/report"
)

// StepsByKind is the plan collapsed by kind, in topological order, and how often steps of one kind
// take what those of another left. Steps of the last run that did any of the work are told from
// those that were in the cache then. The entries say so, and a run that finds everything shows the
// same.
func StepsByKind(s *pipeline.State) ([]report.Steps, []report.Flow, error) {
	last := ""
	for _, e := range s.Entries {
		last = max(last, e.Provenance.Run)
	}
	titles := make([]string, len(s.Plan.Steps))
	for i, step := range s.Plan.Steps {
		k, err := s.Kinds.Named(step.Kind)
		if err != nil {
			return nil, nil, fmt.Errorf("step %s: %w", step.ID, err)
		}
		titles[i] = k.Titles[step.About.Role]
	}
	c, err := s.Plan.CollapseBy(func(i int) string { return s.Plan.Steps[i].Kind + "\x00" + titles[i] })
	if err != nil {
		return nil, nil, err
	}
	var out []report.Steps
	for _, n := range c.Nodes {
		first := n.Steps[0]
		r := report.Steps{Kind: s.Plan.Steps[first].Kind, Of: titles[first], Count: len(n.Steps)}
		for _, i := range n.Steps {
			e := s.Entries[i]
			if e.Provenance.Run != last {
				r.Found++
			}
			for _, o := range e.Outputs {
				r.Bytes += o.Size
			}
			r.Tokens += s.Plan.Steps[i].Cost.Tokens
			r.Seconds += e.Provenance.WallSeconds
		}
		out = append(out, r)
	}
	var flow []report.Flow
	for _, e := range c.Edges {
		flow = append(flow, report.Flow(e))
	}
	return out, flow, nil
}
