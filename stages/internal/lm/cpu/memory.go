package cpu

import (
	"errors"
	"fmt"

	"ablate/specs/arch"
	"ablate/stages/internal/kernel"
	"ablate/stages/internal/lm"
)

// TrainingMemory says what a training takes whose passes are B sequences of T tokens. It allocates
// nothing of the kind.
func TrainingMemory(c arch.Model, B, T int, opt lm.Options) (lm.Memory, error) {
	return memory(c, B, T, true, opt)
}

// EvaluationMemory says what an evaluation takes whose passes are B sequences of T tokens.
func EvaluationMemory(c arch.Model, B, T int, opt lm.Options) (lm.Memory, error) {
	return memory(c, B, T, false, opt)
}

func memory(c arch.Model, B, T int, train bool, opt lm.Options) (m lm.Memory, err error) {
	opt.Threads = max(1, opt.Threads)
	if err := errors.Join(c.Validate(), opt.Validate()); err != nil {
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
	m.Scratch = int64(opt.Threads) * scratch(c, T)
	if train && opt.Precision == lm.BF16 {
		m.Scratch += kernel.BF16Scratch
	}
	return m, nil
}

// scratch bounds what the kernels keep for one thread: for attention two blocks of 32 rows of
// scores and four packed operands of one head; for matrix products a packed block and a panel; a
// row of logits.
func scratch(c arch.Model, T int) int64 {
	const slack = 64 // rows and columns are rounded up to whole panels
	t, d := int64(T)+slack, int64(c.DModel/c.Heads)+slack
	return 4 * (2*32*t + 4*t*d + 1<<18 + int64(c.Vocab))
}
