package train

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"ablate/stages/internal/lm"
	"ablate/stages/internal/lm/engines"
	"ablate/stages/internal/optim"
	"ablate/stages/internal/pace"
	"ablate/stages/kind"
)

// passesOfTraining is the cost of a forward and backward pass to that of a forward pass.
const passesOfTraining = 3

// alike names what the speed of a training depends on: its model, its batch and how it computes.
func alike(params json.RawMessage) (string, error) {
	var p kind.TrainParams
	if err := json.Unmarshal(params, &p); err != nil {
		return "", fmt.Errorf("internal error: parameters %s: %w", params, err)
	}
	class, err := json.Marshal(kind.TrainParams{Model: p.Model, Batch: p.Batch, Precision: p.Precision, Arithmetic: p.Arithmetic})
	return string(class), err
}

// speed trains the model of a job on tokens without meaning: some passes and some updates. A model
// that takes too long is measured as a smaller one of its shape; time goes with pace.Operations.
func speed(_ context.Context, job *kind.Job, budget time.Duration) (kind.Speed, error) {
	var p kind.TrainParams
	if err := job.Decode(&p); err != nil {
		return kind.Speed{}, err
	}
	T := p.Model.Context
	if T < 1 || p.Batch < int64(T) {
		return kind.Speed{}, fmt.Errorf("measure speed: batch of %d tokens in rows of %d", p.Batch, T)
	}
	small, rows := pace.Shrunk(p.Model, microSequences(int(p.Batch)/T, T), passesOfTraining, budget/8)
	full, _ := p.Model.Parameters()
	own, _ := small.Parameters()
	perToken := pace.Operations(p.Model) / pace.Operations(small)
	// An update of all parameters is spread over the tokens of a batch.
	perUpdate := float64(full) / float64(own)
	one, all, err := pace.Rates(job.Threads, budget, func(threads int) (pace.Runner, error) {
		e, err := engines.Open(p.Arithmetic, small, lm.Options{Precision: p.Precision, Threads: threads})
		if err != nil {
			return pace.Runner{}, err
		}
		if err := lm.Init(e, 1); err != nil {
			e.Close()
			return pace.Runner{}, err
		}
		b := &bench{engine: e, rows: rows, context: small.Context, vocab: small.Vocab, batch: float64(p.Batch), perToken: perToken, perUpdate: perUpdate}
		return pace.Runner{Piece: b.piece, Close: func() { e.Close() }}, nil
	})
	if err != nil {
		return kind.Speed{}, fmt.Errorf("measure speed of training: %w", err)
	}
	return kind.Speed{One: one, All: all, Setup: setup(full)}, nil
}

// setup is what a training takes besides its tokens, in seconds: the engine, the start and the
// checkpoint. It is a guess, and no measurement: 16 bytes a parameter (weights, gradients and two
// moments) at a gigabyte a second.
func setup(parameters int64) float64 { return 0.008 + float64(16e-9*float64(parameters)) }

// bench is a training that measures time alone.
type bench struct {
	engine               lm.Engine
	rows, context, vocab int
	number               int // of updates
	batch                float64
	perToken, perUpdate  float64 // costs of the model that is meant to those of the one that is measured

	inputs, targets []int32
}

// piece does a pass and an update, and returns how many tokens of the model that is meant could
// have been trained on in that time.
func (b *bench) piece() (float64, error) {
	n := b.rows * b.context
	if b.inputs == nil {
		b.inputs, b.targets = make([]int32, n), make([]int32, n)
		for i := range b.inputs {
			b.inputs[i], b.targets[i] = int32(i*7919%b.vocab), int32((i+1)*7919%b.vocab)
		}
	}
	began := time.Now()
	if _, err := b.engine.Accumulate(b.inputs, b.targets, b.rows, b.context, 1/float64(n)); err != nil {
		return 0, err
	}
	pass := time.Since(began)
	began = time.Now()
	b.number++
	if _, err := b.engine.Step(optim.Step{AdamW: optim.AdamW{Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, Clip: 1}, LR: 1e-4, Number: b.number}); err != nil {
		return 0, err
	}
	update := time.Since(began)
	each := float64(pass.Seconds()*b.perToken/float64(n)) + float64(update.Seconds()*b.perUpdate/b.batch)
	return (pass + update).Seconds() / each, nil
}
