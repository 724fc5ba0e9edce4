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

// windows are the parts of a probe's time. The fastest counts: what else the machine does for a
// moment would make a study seem slower than it is.
const windows = 3

// Speed trains a model on tokens without meaning for about so long, and says how many tokens a
// second that is. The first step is not counted: it allocates.
func Speed(m arch.Model, threads int, about time.Duration) (tokensPerSecond float64, err error) {
	p, err := newProbe(m, threads)
	if err != nil {
		return 0, fmt.Errorf("measure speed: %w", err)
	}
	defer p.engine.Close()
	for range windows {
		start, tokens := time.Now(), 0
		for tokens == 0 || time.Since(start) < about/windows {
			if err := p.step(); err != nil {
				return 0, fmt.Errorf("measure speed: %w", err)
			}
			tokens += len(p.inputs)
		}
		tokensPerSecond = max(tokensPerSecond, float64(tokens)/time.Since(start).Seconds())
	}
	return tokensPerSecond, nil
}

// probe is a training that measures time alone.
type probe struct {
	engine          lm.Engine
	inputs, targets []int32
	rows, context   int
	number          int // of the steps that were done
}

func newProbe(m arch.Model, threads int) (*probe, error) {
	e, err := engines.Open(kind.Exact, m, lm.Options{Threads: max(1, threads)})
	if err != nil {
		return nil, err
	}
	p := &probe{engine: e, rows: max(1, probeTokens/m.Context), context: m.Context}
	p.inputs, p.targets = make([]int32, p.rows*p.context), make([]int32, p.rows*p.context)
	for i := range p.inputs {
		p.inputs[i], p.targets[i] = int32(i*7919%m.Vocab), int32((i+1)*7919%m.Vocab)
	}
	if err = lm.Init(e, 1); err == nil {
		err = p.step()
	}
	if err != nil {
		e.Close()
		return nil, err
	}
	return p, nil
}

// step trains on one batch.
func (p *probe) step() error {
	if _, err := p.engine.Accumulate(p.inputs, p.targets, p.rows, p.context, 1/float64(len(p.inputs))); err != nil {
		return err
	}
	p.number++
	_, err := p.engine.Step(optim.Step{AdamW: optim.AdamW{Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, Clip: 1}, LR: 1e-4, Number: p.number})
	return err
}
