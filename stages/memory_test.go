package stages

import (
	"encoding/json"
	"testing"

	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
)

// Kinds without a model are not counted; a model takes a quarter of its training's parameters to evaluate.
func TestMemoryOfKinds(t *testing.T) {
	for name, params := range map[string]any{kind.Eval: stagetest.EvalParams(), kind.Train: stagetest.TrainParams(), kind.Merge: kind.MergeParams{}} {
		text, err := json.Marshal(params)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Kinds().Needs(name, text, 1)
		if err != nil || m.LeastMemory > m.Memory || (m.Memory == 0) != (name == kind.Merge) {
			t.Errorf("%s: %+v, error %v", name, m, err)
		}
	}
	if _, err := Kinds().Needs(kind.Train, []byte(`{"surprise": 1}`), 1); err == nil {
		t.Error("parameters that are not a training's pass")
	}
}
