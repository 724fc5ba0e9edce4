package reporting

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/stages"
	"ablate/stages/kind"
	"ablate/stages/report"
)

// Three units and their evaluation, one of which an earlier run left.
func TestStepsByKind(t *testing.T) {
	step := func(id, of, role string, tokens int64, from ...int) *pipeline.Step {
		s := &pipeline.Step{ID: id, About: pipeline.About{Role: role}, Kind: of, Cost: pipeline.Cost{Tokens: tokens}, Inputs: []pipeline.Input{{Role: "file", File: &pipeline.File{}}}}
		for _, f := range from {
			s.Inputs = append(s.Inputs, pipeline.Input{Step: f, Output: "model"}, pipeline.Input{Step: f, Output: "moments"})
		}
		return s
	}
	s := &pipeline.State{Kinds: stages.Kinds(), Plan: &pipeline.Plan{Steps: []*pipeline.Step{
		step("tokenize/go", kind.Tokenize, kind.RoleCorpus, 0), step("tokenize/eval/go", kind.Tokenize, kind.RoleEvalSet, 0),
		step("split/areas", kind.Split, kind.RoleUnits, 0, 0), step("seed", kind.Train, kind.RoleSeed, 100),
		step("unit/areas/a/0", kind.Train, kind.RoleUnit, 10, 2, 3), step("unit/areas/b/0", kind.Train, kind.RoleUnit, 10, 2, 3),
		step("eval/unit/areas/a/0/far", kind.Eval, "", 0, 4, 1), step("eval/unit/areas/b/0/far", kind.Eval, "", 0, 5, 1),
	}}}
	for i := range s.Plan.Steps {
		run := "2026-01-02T00:00:00.000000000Z"
		if i < 5 {
			run = "2026-01-01T23:00:00.500000000Z"
		}
		s.Entries = append(s.Entries, &cache.Entry{Outputs: []cache.Output{{Size: 7}}, Provenance: cache.Provenance{Run: run, WallSeconds: 2}})
	}
	steps, flow, err := StepsByKind(s)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]report.Steps{
		{Kind: "tokenize", Of: "corpora", Count: 1, Found: 1, Bytes: 7, Seconds: 2},
		{Kind: "tokenize", Of: "evaluation text", Count: 1, Found: 1, Bytes: 7, Seconds: 2},
		{Kind: "train", Of: "seed model", Count: 1, Found: 1, Tokens: 100, Bytes: 7, Seconds: 2},
		{Kind: "split", Of: "units and held-out text", Count: 1, Found: 1, Bytes: 7, Seconds: 2},
		{Kind: "train", Of: "unit models", Count: 2, Found: 1, Tokens: 20, Bytes: 14, Seconds: 4},
		{Kind: "eval", Count: 2, Bytes: 14, Seconds: 4},
	}, steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]report.Flow{{From: 0, To: 3, Times: 1}, {From: 1, To: 5, Times: 2}, {From: 2, To: 4, Times: 2}, {From: 3, To: 4, Times: 2}, {From: 4, To: 5, Times: 2}}, flow); diff != "" {
		t.Errorf("flow (-want +got):\n%s", diff)
	}
}
