package survey

import (
	"fmt"
	"time"

	"ablate/specs/arch"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/lm/engines"
	"ablate/stages/internal/optim"
	"ablate/stages/kind"
)

// probeTokens is about how many tokens a step of a probe has: a batch of a small study.
const probeTokens = 2048

// Speed trains a model on tokens without meaning for about so long, and says how many tokens a second
// that is. The first step is not counted: it allocates.
func Speed(m arch.Model, threads int, about time.Duration) (tokensPerSecond float64, err error) {
	e, err := engines.Open(kind.Exact, m, lm.Options{Threads: max(1, threads)})
	if err != nil {
		return 0, fmt.Errorf("measure speed: %w", err)
	}
	defer e.Close()
	if err := lm.Init(e, 1); err != nil {
		return 0, fmt.Errorf("measure speed: %w", err)
	}
	rows := max(1, probeTokens/m.Context)
	inputs, targets := make([]int32, rows*m.Context), make([]int32, rows*m.Context)
	for i := range inputs {
		inputs[i], targets[i] = int32(i*7919%m.Vocab), int32((i+1)*7919%m.Vocab)
	}
	o := optim.Step{AdamW: optim.AdamW{Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, Clip: 1}, LR: 1e-4}
	var start time.Time
	for n := 0; ; n++ {
		if n == 1 {
			start = time.Now()
		}
		if _, err := e.Accumulate(inputs, targets, rows, m.Context, 1/float64(len(inputs))); err != nil {
			return 0, fmt.Errorf("measure speed: %w", err)
		}
		o.Number = n + 1
		if _, err := e.Step(o); err != nil {
			return 0, fmt.Errorf("measure speed: %w", err)
		}
		if took := time.Since(start); n > 0 && took >= about {
			return float64(n*len(inputs)) / took.Seconds(), nil
		}
	}
}
