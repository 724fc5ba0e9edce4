package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

func TestTrainLearns(t *testing.T) {
	p := stagetest.TrainParams()
	p.Tokens = 60 * 64
	r := stagetest.Run(t, Kind, p, stagetest.Units(t))
	if diff := cmp.Diff([]string{kind.OutCurve, kind.OutModel, kind.OutOptimizer, kind.OutShares}, r.Names(t)); diff != "" {
		t.Errorf("outputs, - want, + got:\n%s", diff)
	}
	curve := stagetest.ReadTable[tables.CurveRow](t, r, kind.OutCurve)
	if len(curve) != 60 {
		t.Fatalf("curve of %d steps, want 60", len(curve))
	}
	// Before it has learnt anything a model of 64 words is near ln 64 = 4.16 nats.
	if first := curve[0].Loss; math.Abs(first-math.Log(64)) > 0.1 {
		t.Errorf("first loss %g, want about %g", first, math.Log(64))
	}
	if last := curve[59]; last.Loss > 3 || last.Step != 60 || last.Tokens != 60*64 || math.Abs(last.LR-1e-3) > 1e-12 || last.GradNorm <= 0 {
		t.Errorf("last step %+v, want a loss below 3 at step 60", last)
	}
	shares := stagetest.ReadTable[tables.ShareRow](t, r, kind.OutShares)
	// 240 sequences over 3 units of (122-1)/16 = 7, (62-1)/16 = 3 and (201-1)/16 = 12 sequences.
	for i, want := range []tables.ShareRow{
		{Unit: 0, Size: 122, Tokens: 80 * 16, Share: 1. / 3, Epochs: 80. / 7},
		{Unit: 1, Size: 62, Tokens: 80 * 16, Share: 1. / 3, Epochs: 80. / 3},
		{Unit: 2, Size: 201, Tokens: 80 * 16, Share: 1. / 3, Epochs: 80. / 12},
	} {
		if want.Digest = shares[i].Digest; len(want.Digest) != 64 {
			t.Errorf("unit %d: digest %q", i, want.Digest)
		}
		if diff := cmp.Diff(want, shares[i], cmp.AllowUnexported(tables.ShareRow{})); diff != "" {
			t.Errorf("share of unit %d, - want, + got:\n%s", i, diff)
		}
	}
}

// A training in bf16 is another training: it learns as well and leaves another model.
func TestTrainInBF16(t *testing.T) {
	p := stagetest.TrainParams()
	plain := stagetest.Run(t, Kind, p, stagetest.Units(t)).Outputs(t)
	p.Precision = "bf16"
	first := stagetest.Run(t, Kind, p, stagetest.Units(t))
	again := stagetest.Run(t, Kind, p, stagetest.Units(t)).Outputs(t)
	got := first.Outputs(t)
	for _, name := range []string{kind.OutModel, kind.OutOptimizer, kind.OutCurve} {
		if got[name] == plain[name] {
			t.Errorf("%s is that of float32", name)
		}
		if got[name] != again[name] {
			t.Errorf("%s differs from that of another run", name)
		}
	}
}

func TestTrainOnAnyNumberOfThreads(t *testing.T) {
	in := stagetest.Units(t)
	var first stagetest.Result
	for _, threads := range []int{1, 2, 3} {
		job := stagetest.NewJob(t, stagetest.TrainParams(), in)
		job.Threads = threads
		if err := train(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		if threads == 1 {
			first = stagetest.Result(job.Dir)
		}
		stagetest.SameOutputs(t, first, stagetest.Result(job.Dir))
	}
}

// interrupt runs a training until so many steps are done.
func interrupt(t *testing.T, job *kind.Job, steps int64) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	job.Progress = func(done, total int64, unit string) {
		if unit != "tokens" || total != 12*64 {
			t.Errorf("progress of %d %s", total, unit)
		}
		if done >= steps*64 {
			cancel()
		}
	}
	if err := train(ctx, job); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted at step %d: %v", steps, err)
	}
	if left := stagetest.Result(job.Dir).Names(t); len(left) != 0 {
		t.Errorf("an interrupted training leaves %v", left)
	}
	job.Progress = nil
}

func TestTrainResumed(t *testing.T) {
	in := stagetest.Units(t)
	whole := stagetest.Run(t, Kind, stagetest.TrainParams(), in)
	for _, stops := range [][]int64{{1}, {5}, {11}, {2, 3, 9}} {
		t.Run(fmt.Sprint(stops), func(t *testing.T) {
			job := stagetest.NewJob(t, stagetest.TrainParams(), in)
			for _, step := range stops {
				interrupt(t, job, step)
			}
			first := int64(-1)
			job.Progress = func(done, _ int64, _ string) {
				if first < 0 {
					first = done
				}
			}
			if err := train(t.Context(), job); err != nil {
				t.Fatal(err)
			}
			if want := stops[len(stops)-1] * 64; first != want {
				t.Errorf("resumed after %d tokens, want %d", first, want)
			}
			stagetest.SameOutputs(t, whole, stagetest.Result(job.Dir))
			saved, err := os.ReadDir(job.Partial)
			if err != nil || len(saved) > keepSaved {
				t.Errorf("%d checkpoints left, %v, want at most %d", len(saved), err, keepSaved)
			}
		})
	}
}

func TestTrainPassesOverTornCheckpoints(t *testing.T) {
	in := stagetest.Units(t)
	whole := stagetest.Run(t, Kind, stagetest.TrainParams(), in)
	newest := filepath.Join(stepPrefix + "7")
	for _, c := range []struct {
		name string
		tear func(t *testing.T, partial string)
		from int64 // step that training goes on from
	}{
		{"cut short", func(t *testing.T, partial string) {
			if err := os.Truncate(filepath.Join(partial, newest, kind.OutModel), 100); err != nil {
				t.Fatal(err)
			}
		}, 4},
		{"a changed byte", func(t *testing.T, partial string) {
			path := filepath.Join(partial, newest, kind.OutOptimizer)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b[len(b)-9] ^= 1
			if err := os.WriteFile(path, b, 0o666); err != nil {
				t.Fatal(err)
			}
		}, 4},
		{"no state", func(t *testing.T, partial string) {
			if err := os.Remove(filepath.Join(partial, newest, stateFile)); err != nil {
				t.Fatal(err)
			}
		}, 4},
		{"never renamed", func(t *testing.T, partial string) {
			if err := os.Rename(filepath.Join(partial, newest), filepath.Join(partial, "tmp-7")); err != nil {
				t.Fatal(err)
			}
		}, 4},
		{"both", func(t *testing.T, partial string) {
			for _, step := range []string{"4", "7"} {
				if err := os.Truncate(filepath.Join(partial, stepPrefix+step, kind.OutCurve), 10); err != nil {
					t.Fatal(err)
				}
			}
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			job := stagetest.NewJob(t, stagetest.TrainParams(), in)
			interrupt(t, job, 4)
			interrupt(t, job, 7)
			c.tear(t, job.Partial)
			first := int64(-1)
			job.Progress = func(done, _ int64, _ string) {
				if first < 0 {
					first = done
				}
			}
			if err := train(t.Context(), job); err != nil {
				t.Fatal(err)
			}
			if first != c.from*64 {
				t.Errorf("went on after %d tokens, want %d", first, c.from*64)
			}
			stagetest.SameOutputs(t, whole, stagetest.Result(job.Dir))
		})
	}
}

// A training that dies without a word goes on from what it saved in time, and saving leaves no
// trace in the result.
func TestTrainKilled(t *testing.T) {
	in := stagetest.Units(t)
	whole := stagetest.Run(t, Kind, stagetest.TrainParams(), in)
	job := stagetest.NewJob(t, stagetest.TrainParams(), in)
	job.SaveEvery = 1 // nanosecond: after the first step at the latest
	job.Progress = func(done, _ int64, _ string) {
		if done == 9*64 {
			panic("killed")
		}
	}
	func() {
		defer func() {
			if r := recover(); r != "killed" {
				t.Fatalf("recovered %v", r)
			}
		}()
		t.Errorf("the training ended: %v", train(t.Context(), job))
	}()
	first := int64(-1)
	job.Progress = func(done, _ int64, _ string) {
		if first < 0 {
			first = done
		}
	}
	if err := train(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if first < 64 {
		t.Errorf("went on after %d tokens, want at least one step of 64", first)
	}
	stagetest.SameOutputs(t, whole, stagetest.Result(job.Dir))
}

// Two processes that do the same training share the Partial folder.
func TestTrainSharesPartial(t *testing.T) {
	in := stagetest.Units(t)
	whole := stagetest.Run(t, Kind, stagetest.TrainParams(), in)
	for _, c := range []struct {
		name string
		at   int64 // step of the first training at which the second one acts
		act  func(t *testing.T, second *kind.Job)
	}{
		{"the second saves a step first", 2, func(t *testing.T, second *kind.Job) { interrupt(t, second, 6) }},
		{"the second leaves a torn checkpoint of it", 2, func(t *testing.T, second *kind.Job) {
			interrupt(t, second, 6)
			if err := os.Truncate(filepath.Join(second.Partial, stepPrefix+"6", kind.OutModel), 100); err != nil {
				t.Fatal(err)
			}
		}},
		{"the second is far ahead", 2, func(t *testing.T, second *kind.Job) {
			for _, step := range []int64{7, 8, 9} {
				interrupt(t, second, step)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			first, second := stagetest.NewJob(t, stagetest.TrainParams(), in), stagetest.NewJob(t, stagetest.TrainParams(), in)
			second.Partial = first.Partial
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			first.Progress = func(done, _ int64, _ string) {
				switch done {
				case c.at * 64:
					c.act(t, second)
				case 6 * 64:
					cancel()
				}
			}
			if err := train(ctx, first); !errors.Is(err, context.Canceled) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
				t.Fatalf("the first training ended with %v, want only that it was interrupted", err)
			}
			first.Progress = nil
			for _, job := range []*kind.Job{first, second} {
				if err := train(t.Context(), job); err != nil {
					t.Fatal(err)
				}
				stagetest.SameOutputs(t, whole, stagetest.Result(job.Dir))
			}
		})
	}
}

// When another process has committed the same training the Partial folder is gone; the runner knows
// by the error to look for the result.
func TestTrainWithoutPartial(t *testing.T) {
	job := stagetest.NewJob(t, stagetest.TrainParams(), stagetest.Units(t))
	job.SaveEvery = 1
	job.Progress = func(done, _ int64, _ string) {
		if done == 2*64 {
			if err := os.RemoveAll(job.Partial); err != nil {
				t.Error(err)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	job.Share = func() int { // asked at every step
		if _, err := os.Stat(job.Partial); err != nil {
			cancel()
		}
		return 1
	}
	if err := train(ctx, job); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("error %v, want %v", err, fs.ErrNotExist)
	}
	if left := stagetest.Result(job.Dir).Names(t); len(left) != 0 {
		t.Errorf("it leaves %v", left)
	}
}

func TestTrainDoesNotResumeAnotherTraining(t *testing.T) {
	in := stagetest.Units(t)
	job := stagetest.NewJob(t, stagetest.TrainParams(), in)
	interrupt(t, job, 5)
	other := stagetest.TrainParams()
	other.Seed = 2
	want := stagetest.Run(t, Kind, other, in)
	job2 := stagetest.NewJob(t, other, in)
	job2.Partial = job.Partial
	if err := train(t.Context(), job2); err != nil {
		t.Fatal(err)
	}
	stagetest.SameOutputs(t, want, stagetest.Result(job2.Dir))
}

// A training of 12 steps at a constant rate in two halves, the second started from the first one's
// state, gives the weights of one whole if both read the same sequences: here each batch is the
// unit's only sequence, four times.
func TestTrainStartsFromState(t *testing.T) {
	in := stagetest.Roles{}.Numbered("unit", stagetest.TokenFile(t, 1, true, 16))
	p := stagetest.TrainParams()
	p.Optimizer.Schedule, p.Optimizer.Warmup = "constant", 0
	whole := stagetest.Run(t, Kind, p, in)
	p.Tokens /= 2
	half := stagetest.Run(t, Kind, p, in)
	next := maps.Clone(in)
	next["start"], next["moments"] = half.Path(kind.OutModel), half.Path(kind.OutOptimizer)
	p.Start = kind.StartState
	second := stagetest.Run(t, Kind, p, next)
	for _, name := range []string{kind.OutModel, kind.OutOptimizer} {
		if whole.Outputs(t)[name] != second.Outputs(t)[name] {
			t.Errorf("%s of two halves differs from the whole's", name)
		}
	}
	p.Start = kind.StartModel
	if reset := stagetest.Run(t, Kind, p, next); reset.Outputs(t)[kind.OutModel] == second.Outputs(t)[kind.OutModel] {
		t.Error("start model and start state give the same weights")
	}
	p.Moments = false
	if diff := cmp.Diff([]string{kind.OutCurve, kind.OutModel, kind.OutShares}, stagetest.Run(t, Kind, p, next).Names(t)); diff != "" {
		t.Errorf("outputs without moments, - want, + got:\n%s", diff)
	}
	p.Model.DModel, p.Model.Heads = 32, 4
	stagetest.Fail(t, Kind, p, next, "start:", "checkpoint is of another model: d_model 16, want 32; heads 2, want 4")
}

func TestTrainRefuses(t *testing.T) {
	units := stagetest.Units(t)
	for _, c := range []struct {
		name   string
		change func(*kind.TrainParams)
		in     stagetest.Roles
		want   []string
	}{
		{"a batch of part of a sequence", func(p *kind.TrainParams) { p.Batch = 40 }, units, []string{"batch of 40 tokens", "context of 16"}},
		{"less than a batch", func(p *kind.TrainParams) { p.Tokens = 63 }, units, []string{"63 tokens is less than one batch of 64"}},
		{"a unit without a sequence", func(p *kind.TrainParams) {}, stagetest.Roles{}.Numbered("unit", stagetest.TokenFile(t, 1, true, 50), stagetest.TokenFile(t, 1, true, 15)), []string{"unit.1 has 16 tokens, fewer than the 17"}},
		{"a vocabulary too small", func(p *kind.TrainParams) { p.Model.Vocab = 63 }, units, []string{"vocabulary of 64, the model has 63 rows"}},
		{"no units", func(p *kind.TrainParams) {}, stagetest.Roles{}, []string{"internal error: no input unit.0"}},
		{"a model that cannot be", func(p *kind.TrainParams) { p.Model.Heads = 3 }, units, []string{"heads 3 do not divide d_model 16"}},
		{"another precision", func(p *kind.TrainParams) { p.Precision = "fp16" }, units, []string{`precision is "fp16"`}},
		{"another start", func(p *kind.TrainParams) { p.Start = "middle" }, units, []string{`internal error: start is "middle"`}},
		{"a rate that explodes", func(p *kind.TrainParams) { p.Optimizer.LR, p.Optimizer.Warmup = 1e30, 0 }, units, []string{"step 2 of 12"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := stagetest.TrainParams()
			c.change(&p)
			stagetest.Fail(t, Kind, p, c.in, c.want...)
		})
	}
}

func TestMicroSequences(t *testing.T) {
	for _, c := range []struct{ sequences, context, want int }{
		{1, 8192, 1}, {4, 16, 4}, {32, 256, 16}, {30, 256, 15}, {31, 256, 1}, {1024, 2048, 2},
	} {
		if got := microSequences(c.sequences, c.context); got != c.want {
			t.Errorf("%d sequences of %d tokens: %d at a time, want %d", c.sequences, c.context, got, c.want)
		}
	}
}
