package main

import (
	"cmp"
	"slices"
	"strings"

	"ablate/pipeline"
	"ablate/stages"
	"ablate/stages/kind"
)

// sorts tell steps of one kind apart by the first part of their IDs, in the words of the report.
var sorts = map[string]string{
	"seed": "seed model", "unit": "unit models", "part": "partition models", "seq": "reference models",
	"pack": "text of the seed model", "split": "units and held-out text",
}

// sortOf says which steps of a kind a step is one of.
func sortOf(s *pipeline.Step) string {
	first, rest, _ := strings.Cut(s.ID, "/")
	switch s.Kind {
	case kind.Train, kind.Split:
		if words, ok := sorts[first]; ok {
			return words
		}
		return first
	case kind.Tokenize:
		if strings.HasPrefix(rest, "eval/") {
			return "evaluation text"
		}
		return "corpora"
	}
	return ""
}

// stepsByKind is the plan collapsed by kind, in its order, and how often steps of one kind take what those of another left. Steps of the
// last run that did any of the work are told from those that were in the cache then; it is the entries that say so, so that a run that
// finds everything shows the same.
func stepsByKind(s *pipeline.State) ([]stages.ReportSteps, []stages.ReportFlow) {
	last := ""
	for _, e := range s.Entries {
		last = max(last, e.Provenance.Run)
	}
	var out []stages.ReportSteps
	at := make([]int, len(s.Plan.Steps))
	for i, step := range s.Plan.Steps {
		of := sortOf(step)
		n := slices.IndexFunc(out, func(r stages.ReportSteps) bool { return r.Kind == step.Kind && r.Of == of })
		if n < 0 {
			n = len(out)
			out = append(out, stages.ReportSteps{Kind: step.Kind, Of: of})
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
	var flow []stages.ReportFlow
	for k, n := range times {
		flow = append(flow, stages.ReportFlow{From: k[0], To: k[1], Times: n})
	}
	slices.SortFunc(flow, func(a, b stages.ReportFlow) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return out, flow
}
