package eval

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"ablate/stages/internal/lm"
	"ablate/stages/internal/lm/engines"
	"ablate/stages/internal/pace"
	"ablate/stages/kind"
)

// alike names what the speed of an evaluation depends on: its model and how it computes. What more
// models of a recipe cost is said by Speed.Input.
func alike(params json.RawMessage) (string, error) {
	var p kind.EvalParams
	if err := json.Unmarshal(params, &p); err != nil {
		return "", fmt.Errorf("internal error: parameters %s: %w", params, err)
	}
	class, err := json.Marshal(kind.EvalParams{Model: p.Model, Arithmetic: p.Arithmetic})
	return string(class), err
}

// lengths are those of the documents that a speed is measured on, in tokens: between a line and a
// few pages, evenly on a scale of factors, so that windows have about all padded lengths.
var lengths = []int{20, 30, 45, 60, 75, 95, 120, 160, 200, 250, 320, 400, 500, 640, 800, 1000}

// loading is how many bytes of checkpoints a second are read, averaged and put into an engine, on
// one thread. It is a guess, and no measurement.
const loading = 1.5e9

// speed scores documents without meaning by the model of a job. A model that takes too long is
// measured as a smaller one of its shape; time goes with pace.Operations.
func speed(_ context.Context, job *kind.Job, budget time.Duration) (kind.Speed, error) {
	var p kind.EvalParams
	if err := job.Decode(&p); err != nil {
		return kind.Speed{}, err
	}
	small, rows := pace.Shrunk(p.Model, max(1, evalBatchTokens/p.Model.Context), 1, budget/16)
	full, _ := p.Model.Parameters()
	ratio := pace.Operations(p.Model) / pace.Operations(small)
	setup := time.Duration(1<<62 - 1)
	one, all, err := pace.Rates(job.Threads, budget, func(threads int) (pace.Runner, error) {
		began := time.Now()
		e, err := engines.Open(p.Arithmetic, small, lm.Options{Threads: threads})
		if err != nil {
			return pace.Runner{}, err
		}
		if err := lm.Init(e, 1); err != nil {
			e.Close()
			return pace.Runner{}, err
		}
		b := &bench{engine: e, ratio: ratio, list: benchBatches(small.Context, rows)}
		first, err := b.round(began)
		if err == nil {
			var second time.Duration
			second, err = b.round(time.Now())
			setup = min(setup, max(0, first-second))
		}
		if err != nil {
			e.Close()
			return pace.Runner{}, err
		}
		return pace.Runner{Piece: b.piece, Close: func() { e.Close() }}, nil
	})
	if err != nil {
		return kind.Speed{}, fmt.Errorf("measure speed of evaluation: %w", err)
	}
	layers := float64(p.Model.Layers) / float64(small.Layers) // a graph has as many nodes
	return kind.Speed{One: one, All: all, Setup: setup.Seconds() * layers, Input: 4 * float64(full) / loading}, nil
}

// benchBatches are documents in batches, of at most so many rows of the context.
func benchBatches(context, rows int) []evalBatch {
	var all []docWindow
	tokens := 0
	for i, n := range lengths {
		if i > 2 && tokens+n > rows*context*2 {
			break
		}
		tokens += n
		for _, w := range windows(n, context) {
			all = append(all, docWindow{window: w})
		}
	}
	return batches(all, context)
}

// bench is an evaluation that measures time alone.
type bench struct {
	engine lm.Engine
	ratio  float64 // of the cost of the model that is meant to that of the one that is measured
	list   []evalBatch
	next   int

	inputs, targets []int32
	nats            []float32
}

// round does all batches once and says how long ago began was then.
func (b *bench) round(began time.Time) (time.Duration, error) {
	for range b.list {
		if _, err := b.piece(); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

// piece does the next batch and returns how many tokens of the model that is meant could have been
// scored in that time.
func (b *bench) piece() (float64, error) {
	batch := b.list[b.next%len(b.list)]
	b.next++
	n := batch.rows * batch.length
	if cap(b.inputs) < n {
		b.inputs, b.targets, b.nats = make([]int32, n), make([]int32, n), make([]float32, n)
	}
	inputs, targets := b.inputs[:n], b.targets[:n]
	for i := range inputs {
		inputs[i], targets[i] = int32(i%b.engine.Model().Vocab), -1
	}
	scored := 0
	for r, w := range batch.windows {
		for i := w.Len - w.Scored; i < w.Len; i++ {
			targets[r*batch.length+i] = int32(i % b.engine.Model().Vocab)
		}
		scored += w.Scored
	}
	return float64(scored) / b.ratio, b.engine.Losses(inputs, targets, batch.rows, batch.length, b.nats[:n])
}
