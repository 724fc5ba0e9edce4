package stages

import (
	"encoding/json"
	"errors"
	"testing"

	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
)

// Kinds without a model are not counted; a model takes a quarter of its training's parameters to
// evaluate.
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

// What a kind needs of a machine is what its stage can use: the stages that compute on one core
// leave the others to steps beside them, and no engine of this program uses a device.
func TestNeedsOfKinds(t *testing.T) {
	params := map[string]any{kind.Eval: stagetest.EvalParams(), kind.Train: stagetest.TrainParams()}
	for name, cores := range map[string]int{
		kind.Tokenizer: 1, kind.Tokenize: 0, kind.Split: 1, kind.Train: 0, kind.Merge: 0, kind.Eval: 0, kind.Ensemble: 1, kind.Correlate: 1,
	} {
		text := []byte("{}")
		if p, ok := params[name]; ok {
			text = []byte(stagetest.Marshal(t, p))
		}
		n, err := Kinds().Needs(name, text, 8)
		if err = errors.Join(err, n.Check()); err != nil || n.Cores != cores || n.Devices != 0 || n.DeviceMemory != 0 || n.Time != 0 {
			t.Errorf("kind %s needs %+v (%v), want %d cores and no device", name, n, err, cores)
		}
	}
}
