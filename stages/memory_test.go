package stages

import (
	"encoding/json"
	"fmt"
	"testing"

	"ablate/stages/internal/lm"
	"ablate/stages/kind"
)

// A training with less memory computes parts of its passes again, leaves the same bytes, and fails with both numbers where even that is
// not enough.
func TestTrainingWithinMemory(t *testing.T) {
	const threads = 2 // of newJob
	p := trainParams()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Memory(kind.Train, text, threads)
	if err != nil {
		t.Fatal(err)
	}
	cheap, err := trainingMemory(p, threads, lm.Cheap)
	if err != nil {
		t.Fatal(err)
	}
	if !(want.Least < cheap && cheap < want.Most) {
		t.Fatalf("least %d, with cheap recomputation %d, most %d: want them to grow", want.Least, cheap, want.Most)
	}
	unbounded := runKind(t, kind.Train, p, testUnits(t))
	for redo, memory := range map[lm.Recompute]int64{lm.None: want.Most, lm.Cheap: want.Most - 1, lm.Layers: cheap - 1} {
		got, err := recompute(&kind.Job{Memory: memory, Threads: threads}, p)
		if err != nil || got != redo {
			t.Errorf("%d bytes: recomputes %s, error %v, want %s", memory, got, err, redo)
		}
		job := newJob(t, p, testUnits(t))
		job.Memory = memory
		if err := train(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		sameOutputs(t, unbounded, result(job.Dir))
	}
	small := want.Least - 1
	if _, err := recompute(&kind.Job{Memory: small, Threads: threads}, p); err == nil || err.Error() !=
		fmt.Sprintf("the model needs %d MB at least (every layer computed again in the backward pass), and the step may take %d MB: raise --memory, or shorten model.context",
			(want.Least+1e6-1)/1e6, small/1e6) {
		t.Errorf("%d bytes: error %v, want one with both numbers", small, err)
	}
}

// Kinds without a model are not counted; a model takes a quarter of its training's parameters to evaluate.
func TestMemoryOfKinds(t *testing.T) {
	for name, params := range map[string]any{kind.Eval: evalParams(), kind.Train: trainParams(), kind.Merge: kind.MergeParams{}} {
		text, err := json.Marshal(params)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Memory(name, text, 1)
		if err != nil || m.Least > m.Most || (m.Most == 0) != (name == kind.Merge) {
			t.Errorf("%s: %+v, error %v", name, m, err)
		}
	}
	if _, err := Memory(kind.Train, []byte(`{"surprise": 1}`), 1); err == nil {
		t.Error("parameters that are not a training's pass")
	}
}
