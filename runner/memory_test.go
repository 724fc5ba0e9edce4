package runner

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"ablate/stages/kind"
)

// Steps at once never have more memory than there is; one that wants more than there is alone has
// it all and says itself what it lacks.
func TestMemoryIsShared(t *testing.T) {
	const MB = 1e6
	needs := map[string]kind.Needs{kind.Train: {Memory: 60 * MB, LeastMemory: 50 * MB}, kind.Eval: {Memory: 30 * MB, LeastMemory: 30 * MB}}
	for _, c := range []struct {
		name     string
		memory   int64
		training []int64 // what a training may be given
		warning  string  // the first, if there must be one
	}{
		{"no bound", 0, []int64{0}, ""},
		{"enough for one training at a time", 100 * MB, []int64{60 * MB}, ""},
		{"enough for two, one of them slower", 115 * MB, []int64{55 * MB, 60 * MB}, ""},
		{"short for one", 55 * MB, []int64{55 * MB}, "step seed has 55 of the 60 MB"},
		{"too little", 20 * MB, []int64{20 * MB}, "step seed has 20 of the 60 MB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			var mu sync.Mutex
			var active, most int64
			trainings := map[int64]bool{}
			for _, step := range b.plan.Steps {
				b.do[step.ID] = func(_ context.Context, job *kind.Job) error {
					mu.Lock()
					active += job.Memory
					most = max(most, active)
					if step.Kind == kind.Train {
						trainings[job.Memory] = true
					}
					mu.Unlock()
					for range 100 {
						job.Now() // others get their chance to start
					}
					mu.Lock()
					active -= job.Memory
					mu.Unlock()
					return nil
				}
			}
			b.needs = needs
			opt := Options{Slots: 8, Memory: c.memory}
			if _, err := b.run(t.Context(), opt); err != nil {
				t.Fatal(err)
			}
			if most > c.memory {
				t.Errorf("steps at once had %d bytes, want at most %d", most, c.memory)
			}
			for n := range trainings {
				if !slices.Contains(c.training, n) {
					t.Errorf("a training had %d bytes, want one of %d", n, c.training)
				}
			}
			var told []string
			for _, e := range b.events {
				if e.What == Warning {
					told = append(told, e.Message)
				}
			}
			if c.warning != "" && (len(told) != 1 || !strings.Contains(told[0], c.warning)) || len(c.training) == 1 && c.warning == "" && len(told) > 0 {
				t.Errorf("warnings %q, want %q", told, c.warning)
			}
		})
	}
}
