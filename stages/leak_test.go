package stages

import (
	"runtime"
	"testing"

	"ablate/stages/eval"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/train"
)

// TestStepsLeaveNoMemory runs evaluations one after another, as a study does by the hundred: what
// one used must be free for the next.
func TestStepsLeaveNoMemory(t *testing.T) {
	tokens, model := stagetest.TokenFile(t, 4, false, stagetest.EvalLengths...), stagetest.Trained(t, train.Kind, 1).Path(kind.OutModel)
	live := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	run := func(n int) {
		for range n {
			stagetest.Run(t, eval.Kind, stagetest.EvalParams(), stagetest.Roles{"tokens": tokens}.Numbered("model", model))
		}
	}
	run(3)
	before := live()
	run(20)
	if after := live(); after > before+20*100<<10 {
		t.Errorf("20 evaluations left %d KB live, want less than 100 KB each", (after-before)>>10)
	}
}
