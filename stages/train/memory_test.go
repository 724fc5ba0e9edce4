package train

import (
	"fmt"
	"testing"

	"ablate/stages/internal/lm"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
)

// A training with less memory computes parts of its passes again, leaves the same bytes, and fails
// with both numbers where even that is not enough.
func TestTrainingWithinMemory(t *testing.T) {
	const threads = 2 // of newJob
	p := stagetest.TrainParams()
	job := stagetest.NewJob(t, p, nil)
	job.Threads = threads
	want, err := needs(job)
	if err != nil {
		t.Fatal(err)
	}
	cheap, err := trainingMemory(p, threads, lm.Cheap)
	if err != nil {
		t.Fatal(err)
	}
	if !(want.LeastMemory < cheap && cheap < want.Memory) {
		t.Fatalf("least %d, with cheap recomputation %d, most %d: want them to grow", want.LeastMemory, cheap, want.Memory)
	}
	unbounded := stagetest.Run(t, Kind, p, stagetest.Units(t))
	for redo, memory := range map[lm.Recompute]int64{lm.None: want.Memory, lm.Cheap: want.Memory - 1, lm.Layers: cheap - 1} {
		got, err := recompute(&kind.Job{Memory: memory, Threads: threads}, p)
		if err != nil || got != redo {
			t.Errorf("%d bytes: recomputes %s, error %v, want %s", memory, got, err, redo)
		}
		job := stagetest.NewJob(t, p, stagetest.Units(t))
		job.Memory = memory
		if err := train(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		stagetest.SameOutputs(t, unbounded, stagetest.Result(job.Dir))
	}
	small := want.LeastMemory - 1
	if _, err := recompute(&kind.Job{Memory: small, Threads: threads}, p); err == nil || err.Error() !=
		fmt.Sprintf("the model needs at least %d MB (with activation checkpointing of every layer), and the step may take %d MB: raise --memory, or shorten model.context",
			(want.LeastMemory+1e6-1)/1e6, small/1e6) {
		t.Errorf("%d bytes: error %v, want one with both numbers", small, err)
	}
}

func TestDisk(t *testing.T) {
	p := stagetest.TrainParams()
	for _, moments := range []bool{false, true} {
		p.Moments = moments
		got, err := needs(stagetest.NewJob(t, p, nil))
		n, _ := p.Model.Parameters()
		want := 4 * n
		if moments {
			want *= 3
		}
		if err != nil || n < 64*16 || got.Leaves != want || got.Aside != 24*n {
			t.Errorf("moments %v, %d parameters: %d and %d bytes, %v; want %d and %d", moments, n, got.Leaves, got.Aside, err, want, 24*n)
		}
	}
}
