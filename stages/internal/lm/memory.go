package lm

import (
	"fmt"

	"ablate/stages/internal/kernel"
)

// Memory is what an engine of a model takes, in bytes.
type Memory struct {
	Parameters  int64 // 4 each to evaluate; 16 to train: weights, gradients and two moments
	Activations int64 // of one pass, as planned
	Scratch     int64 // of the kernels, on all threads
}

// Total is all of it.
func (m Memory) Total() int64 { return m.Parameters + m.Activations + m.Scratch }

// TrainingMemory says what a training takes whose passes are B sequences of T tokens. It allocates nothing of the kind.
func TrainingMemory(c Config, B, T int, opt Options) (Memory, error) {
	return memory(c, B, T, true, opt)
}

// EvaluationMemory says what an evaluation takes whose passes are B sequences of T tokens.
func EvaluationMemory(c Config, B, T int, opt Options) (Memory, error) {
	return memory(c, B, T, false, opt)
}

func memory(c Config, B, T int, train bool, opt Options) (m Memory, err error) {
	if err := c.Validate(); err != nil {
		return m, err
	}
	building.Lock()
	defer building.Unlock()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("internal error: plan memory: %v", r)
		}
	}()
	e, size := planned(c, opt)
	b := e.derive(B, T, train, 0)
	if err := b.layout(); err != nil {
		return m, fmt.Errorf("plan memory: %w", err)
	}
	m.Parameters, m.Activations = 4*int64(size), 4*int64(b.graph.size)
	if train {
		m.Parameters *= 4
	}
	m.Scratch = int64(max(1, opt.Threads)) * scratch(c, T)
	if train && c.Precision == BF16 {
		m.Scratch += kernel.BF16Scratch
	}
	return m, nil
}

// scratch bounds what the kernels keep for one thread: for attention two blocks of 32 rows of scores and four packed operands of one
// head; for matrix products a packed block and a panel; a row of logits.
func scratch(c Config, T int) int64 {
	const slack = 64 // rows and columns are rounded up to whole panels
	t, d := int64(T)+slack, int64(c.DModel/c.Heads)+slack
	return 4 * (2*32*t + 4*t*d + 1<<18 + int64(c.Vocab))
}
