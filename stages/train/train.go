package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"time"

	"ablate/stages/internal/lm"
	"ablate/stages/internal/lm/engines"
	"ablate/stages/internal/optim"
	"ablate/stages/internal/step"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// microTokens bounds how many tokens are in a forward and backward pass at a time; a batch is taken
// in as many equal passes as that asks for. It is a constant because another cut changes the last
// bits of some gradients (package cpu of the engine says which): it may change only with the
// version of the kind. 4096 tokens keep the kernels busy, and are two rows of the paper's models,
// whose activations take a few gigabytes.
const microTokens = 4096

// Checkpoints of a training under way are saved when the job's SaveEvery has passed and saving
// takes at most a twentieth of the time. When they are saved has no part in the result.
const saveShare = 20

// train trains one model.
func train(ctx context.Context, job *kind.Job) error {
	var p kind.TrainParams
	if err := job.Decode(&p); err != nil {
		return err
	}
	t, err := begun(job, p)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	defer t.close()
	if err := t.run(ctx); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return t.write()
}

// begun is a training brought to where it goes on. A checkpoint that another process removes while
// it is loaded leaves half of it in the engine, so that a fresh attempt is made, which finds a
// newer one.
func begun(job *kind.Job, p kind.TrainParams) (*training, error) {
	const attempts = 3 // each loses a race against a whole save of the other process
	for n := 1; ; n++ {
		t, err := newTraining(job, p)
		if err != nil {
			return nil, err
		}
		if err = t.begin(); err == nil {
			return t, nil
		}
		t.close()
		if n == attempts || !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
}

// training is a training under way: state is the engine's, plus the step it has reached and the
// curve up to there.
type training struct {
	*feed
	job    *kind.Job
	params kind.TrainParams
	engine lm.Engine

	micro int   // sequences of a forward and backward pass
	age   int64 // updates of the moments before this training

	step  int64 // steps done
	curve []tables.CurveRow

	inputs, targets, stretch []int32
}

func newTraining(job *kind.Job, p kind.TrainParams) (_ *training, err error) {
	f, err := newFeed(job.Numbered("unit"), p)
	if err != nil {
		return nil, err
	}
	t := &training{feed: f, job: job, params: p}
	defer func() {
		if err != nil {
			t.close()
		}
	}()
	if err := errors.Join(t.adamW().Validate(), t.schedule().Validate()); err != nil {
		return nil, err
	}
	redo, err := recompute(job, p)
	if err != nil {
		return nil, err
	}
	opt := lm.Options{Precision: p.Precision, Threads: max(1, job.Threads), Recompute: redo}
	if t.engine, err = engines.Open(p.Arithmetic, p.Model, opt); err != nil {
		return nil, err
	}
	t.micro = microSequences(t.sequences, p.Model.Context)
	rows := t.micro * p.Model.Context
	t.inputs, t.targets, t.stretch = make([]int32, rows), make([]int32, rows), make([]int32, p.Model.Context+1)
	return t, nil
}

// microSequences is the largest divisor of a batch's sequences that stays within microTokens, so
// that all passes have one shape.
func microSequences(sequences, context int) int {
	for n := min(sequences, max(1, microTokens/context)); ; n-- {
		if sequences%n == 0 {
			return n
		}
	}
}

func (t *training) adamW() optim.AdamW {
	o := t.params.Optimizer
	return optim.AdamW{Beta1: o.Beta1, Beta2: o.Beta2, Eps: o.Eps, WeightDecay: o.WeightDecay, Clip: o.Clip}
}

func (t *training) schedule() optim.Schedule {
	o := t.params.Optimizer
	return optim.Schedule{Kind: o.Schedule, Peak: o.LR, Final: o.FinalLR, Warmup: int(math.Round(o.Warmup * float64(t.steps)))}
}

func (t *training) close() {
	t.closeUnits()
	if t.engine != nil {
		t.engine.Close() // its workers; the result is in files or lost already
	}
}

// begin brings the engine to where training goes on: the newest whole checkpoint of an earlier
// attempt, or the start.
func (t *training) begin() error {
	resumed, err := t.resume()
	if err != nil || resumed {
		t.job.Resumed = t.step
		return err
	}
	p := t.params
	switch p.Start {
	case kind.StartRandom:
		return lm.Init(t.engine, uint64(p.Seed))
	case kind.StartModel, kind.StartState:
	default:
		return fmt.Errorf("internal error: start is %q", p.Start)
	}
	in, err := t.job.Input("start")
	if err != nil {
		return err
	}
	if err := t.loadModel(in.Path); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	if p.Start == kind.StartModel {
		return nil
	}
	if in, err = t.job.Input("moments"); err != nil {
		return err
	}
	if t.age, err = t.loadMoments(in.Path); err != nil {
		return fmt.Errorf("optimizer state: %w", err)
	}
	return nil
}

// run trains from the step reached to the last. When ctx ends it saves a checkpoint first.
func (t *training) run(ctx context.Context) error {
	t.order.seek(t.step * int64(t.sequences))
	saved, savedStep, cost := time.Now(), t.step, time.Duration(0)
	step.Progress(t.job, t.step*t.params.Batch, t.steps*t.params.Batch, "tokens")
	for t.step < t.steps {
		since := time.Since(saved)
		stop := ctx.Err()
		if t.step > savedStep && (stop != nil || since >= t.job.SaveEvery && since >= saveShare*cost) {
			begun := time.Now()
			if err := t.save(); err != nil {
				return errors.Join(stop, &kind.SaveError{Err: fmt.Errorf("save checkpoint of step %d: %w", t.step, err)})
			}
			saved, savedStep, cost = time.Now(), t.step, time.Since(begun)
		}
		if stop != nil {
			return stop
		}
		if e, ok := t.engine.(lm.Threaded); ok {
			e.SetThreads(t.job.Now())
		}
		if err := t.update(); err != nil {
			return err
		}
		step.Progress(t.job, t.step*t.params.Batch, t.steps*t.params.Batch, "tokens")
	}
	return nil
}

// update takes one optimizer step.
func (t *training) update() error {
	B, T := t.micro, t.params.Model.Context
	loss, lr := 0.0, t.schedule().LR(int(t.step), int(t.steps))
	for range t.sequences / B {
		for b := range B {
			t.sequence(t.stretch)
			copy(t.inputs[b*T:][:T], t.stretch)
			copy(t.targets[b*T:][:T], t.stretch[1:])
		}
		nats, err := t.engine.Accumulate(t.inputs, t.targets, B, T, 1/float64(t.params.Batch))
		if err != nil {
			return t.stopped(err, lr, math.NaN(), math.NaN())
		}
		loss += nats
	}
	norm, err := t.engine.Step(optim.Step{AdamW: t.adamW(), LR: lr, Number: int(t.age + t.step + 1)})
	if err != nil {
		return t.stopped(err, lr, loss, norm)
	}
	t.step++
	t.curve = append(t.curve, tables.CurveRow{
		Step: t.step, Tokens: t.step * t.params.Batch, LR: lr, Loss: loss / float64(t.params.Batch), GradNorm: norm,
	})
	return nil
}

// write leaves the outputs.
func (t *training) write() error {
	model, err := step.Out(t.job, kind.OutModel)
	if err != nil {
		return err
	}
	if err := t.writeModel(model); err != nil {
		return err
	}
	if t.params.Moments {
		path, err := step.Out(t.job, kind.OutOptimizer)
		if err != nil {
			return err
		}
		if err := t.writeMoments(path); err != nil {
			return err
		}
	}
	if err := step.Table(t.job, kind.OutCurve, t.curve); err != nil {
		return err
	}
	if len(t.params.Sources) > 0 {
		if err := step.Table(t.job, kind.OutSources, t.sources()); err != nil {
			return err
		}
	}
	return step.Table(t.job, kind.OutShares, t.shares())
}

func (t *training) shares() []tables.ShareRow {
	var rows []tables.ShareRow
	for u, n := range t.order.counts() {
		rows = append(rows, tables.ShareRow{
			Unit: int64(u), Digest: t.ins[u].Digest.String(), Size: t.units[u].Len(),
			Tokens: n * int64(t.params.Model.Context),
			Share:  float64(n) / float64(t.steps*int64(t.sequences)),
			Epochs: float64(n) / float64(t.chunks[u]),
		})
	}
	return rows
}
