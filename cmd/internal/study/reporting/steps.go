package reporting

import (
	"cmp"
	"fmt"
	"slices"

	"ablate/pipeline"
	"ablate/stages/report"
)

// StepsByKind is the plan collapsed by kind, in its order, and how often steps of one kind take what those of another left. Steps of the
// last run that did any of the work are told from those that were in the cache then; it is the entries that say so, so that a run that
// finds everything shows the same.
func StepsByKind(s *pipeline.State) ([]report.Steps, []report.Flow, error) {
	last := ""
	for _, e := range s.Entries {
		last = max(last, e.Provenance.Run)
	}
	var out []report.Steps
	at := make([]int, len(s.Plan.Steps))
	for i, step := range s.Plan.Steps {
		k, err := s.Kinds.Named(step.Kind)
		if err != nil {
			return nil, nil, fmt.Errorf("step %s: %w", step.ID, err)
		}
		of := k.Titles[step.About.Role]
		n := slices.IndexFunc(out, func(r report.Steps) bool { return r.Kind == step.Kind && r.Of == of })
		if n < 0 {
			n = len(out)
			out = append(out, report.Steps{Kind: step.Kind, Of: of})
		}
		at[i] = n
		e := s.Entries[i]
		out[n].Count++
		if e.Provenance.Run != last {
			out[n].Found++
		}
		for _, o := range e.Outputs {
			out[n].Bytes += o.Size
		}
		out[n].Tokens += step.Cost.Tokens
		out[n].Seconds += e.Provenance.WallSeconds
	}
	times := map[[2]int]int{}
	for i, step := range s.Plan.Steps {
		from := map[int]bool{} // a step that takes two outputs of another takes from it once
		for _, in := range step.Inputs {
			if in.File == nil && !from[in.Step] && at[in.Step] != at[i] {
				from[in.Step] = true
				times[[2]int{at[in.Step], at[i]}]++
			}
		}
	}
	var flow []report.Flow
	for k, n := range times {
		flow = append(flow, report.Flow{From: k[0], To: k[1], Times: n})
	}
	slices.SortFunc(flow, func(a, b report.Flow) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return out, flow, nil
}
