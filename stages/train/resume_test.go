package train

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"

	"ablate/stages/internal/kernel"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
)

// paths are the kernel paths that this machine can run.
func paths(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, path := range []string{"avx512", "avx2", "fused", "portable"} {
		if err := kernel.Select(path); err != nil {
			t.Logf("not compared: %v", err)
			continue
		}
		all = append(all, path)
	}
	t.Cleanup(func() {
		if err := kernel.Select(""); err != nil {
			t.Error(err)
		}
	})
	return all
}

// machine sets a job's threads and the kernels of the engines made from now on: another pair for
// each n.
func machine(t *testing.T, job *kind.Job, paths []string, n int) {
	t.Helper()
	if err := kernel.Select(paths[n%len(paths)]); err != nil {
		t.Fatal(err)
	}
	job.Threads = []int{1, 2, 7}[n/len(paths)%3]
}

// stopAt runs a training until so many steps are done, and cancels it there, which saves that step,
// or kills it there, which saves nothing.
func stopAt(t *testing.T, job *kind.Job, batch, step int64, kill bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	type killed struct{}
	job.Progress = func(done, _ int64, _ string) {
		switch {
		case done < step*batch:
		case kill:
			panic(killed{})
		default:
			cancel()
		}
	}
	defer func() {
		job.Progress = nil
		if r := recover(); r != nil && r != any(killed{}) {
			panic(r)
		}
	}()
	if err := train(ctx, job); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted at step %d: %v", step, err)
	}
}

// A training that is interrupted after any step, or killed after any step with any earlier one
// saved, and that goes on with other kernels and another number of threads, leaves the bytes of one
// that nobody disturbed: weights, moments, curve and shares.
func TestTrainResumedAtEveryStep(t *testing.T) {
	units := stagetest.Units(t)
	random := stagetest.TrainParams()
	random.Tokens = 7 * random.Batch
	seed := stagetest.Run(t, Kind, random, units)
	from := maps.Clone(units)
	from["start"], from["moments"] = seed.Path(kind.OutModel), seed.Path(kind.OutOptimizer)

	kept := random
	kept.Start, kept.Seed, kept.Sampling = kind.StartState, 2, kind.SamplingProportional
	kept.Optimizer.Schedule, kept.Optimizer.Warmup = "constant", 0
	reset := random
	reset.Start, reset.Seed, reset.Moments = kind.StartModel, 3, false
	reset.Optimizer.Schedule, reset.Optimizer.Warmup, reset.Optimizer.Clip = "linear", 0.5, 0
	plain := random // the other choices of the architecture
	plain.Model.Block, plain.Model.Norm, plain.Model.NormBias, plain.Model.LinearBias = "parallel", "rmsnorm", false, false
	plain.Model.QKNorm, plain.Model.MLP, plain.Model.AttentionOutput, plain.Model.TiedHead = false, "gelu", true, false
	shares := random
	shares.Sampling, shares.Sources = "", []kind.Source{{Share: "2/3", Units: 2}, {Share: "1/3", Units: 1}}
	passes := random // 257 rows are a prime number, so that each is a pass of its own
	passes.Batch, passes.Tokens = 257*16, 3*257*16

	all := paths(t)
	for _, c := range []struct {
		name   string
		params kind.TrainParams
		in     stagetest.Roles
	}{
		{"from random weights, cosine", random, units},
		{"from a model and its moments, constant", kept, from},
		{"from a model without its moments, linear", reset, from},
		{"another architecture", plain, units},
		{"sources with shares", shares, units},
		{"several passes a step", passes, units},
	} {
		t.Run(c.name, func(t *testing.T) {
			batch, steps := c.params.Batch, c.params.Tokens/c.params.Batch
			if passes := c.params.Batch / 16 / int64(microSequences(int(c.params.Batch/16), 16)); (passes > 1) != (c.name == "several passes a step") {
				t.Fatalf("a step takes %d passes", passes)
			}
			if err := kernel.Select(all[0]); err != nil {
				t.Fatal(err)
			}
			whole := stagetest.Run(t, Kind, c.params, c.in)
			n := 0
			check := func(t *testing.T, saved, killed int64) {
				job := stagetest.NewJob(t, c.params, c.in)
				for _, stop := range []struct {
					step int64
					kill bool
				}{{saved, false}, {killed, true}} {
					if stop.step > 0 {
						machine(t, job, all, n)
						n++
						stopAt(t, job, batch, stop.step, stop.kill)
					}
				}
				machine(t, job, all, n)
				n++
				first := int64(-1)
				job.Progress = func(done, _ int64, _ string) {
					if first < 0 {
						first = done
					}
				}
				if err := train(t.Context(), job); err != nil {
					t.Fatal(err)
				}
				if first != saved*batch {
					t.Errorf("went on after %d tokens, want %d", first, saved*batch)
				}
				stagetest.SameOutputs(t, whole, stagetest.Result(job.Dir))
			}
			for k := int64(1); k < steps; k++ {
				t.Run(fmt.Sprintf("interrupted after step %d", k), func(t *testing.T) { check(t, k, 0) })
			}
			for k := int64(1); k <= steps; k++ {
				for saved := range k {
					t.Run(fmt.Sprintf("killed after step %d with step %d saved", k, saved), func(t *testing.T) { check(t, saved, k) })
				}
			}
		})
	}
}
