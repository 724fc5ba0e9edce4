package train

import (
	"errors"
	"strings"
	"testing"

	"ablate/specs/arch"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
)

// A training that fails tells the step, and shows the curve up to there with that step at its end.
func TestTrainShowsWhereItDiverged(t *testing.T) {
	plain := stagetest.Model // without norms of queries and keys
	plain.Norm, plain.NormBias, plain.LinearBias, plain.QKNorm, plain.MLP, plain.AttentionOutput = "rmsnorm", false, false, false, "gelu", true
	for _, c := range []struct {
		name  string
		model arch.Model
		want  string
		last  string // row of the curve's table
	}{
		{"gradient", plain, "train: step 2 of 12: the gradients are not finite: their norm is", "2,128,1e+30,"},
		{"loss", stagetest.Model, "is NaN: every parameter is finite, but the output of blocks.0.att_proj, element 0, is", "2,128,1e+30,NaN,NaN\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := stagetest.TrainParams()
			p.Model, p.Optimizer.LR, p.Optimizer.Schedule, p.Optimizer.Warmup = c.model, 1e30, "constant", 0
			job := stagetest.NewJob(t, p, stagetest.Units(t))
			err := train(t.Context(), job)
			var failed *kind.FailedError
			if !errors.As(err, &failed) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %q and files", err, c.want)
			}
			files := map[string]string{}
			for _, f := range failed.Files {
				files[f.Name] = string(f.Data)
			}
			if csv := files["curve.csv"]; !strings.HasPrefix(csv, "step,tokens,lr,loss,grad_norm\n1,64,") || !strings.Contains(csv, "\n"+c.last) {
				t.Errorf("curve of\n%s\nwant one from step 1 to %q", csv, c.last)
			}
			if !strings.Contains(files["curve.svg"], "<svg") {
				t.Errorf("figure %q", files["curve.svg"])
			}
		})
	}
}

// Where a training was interrupted before the step it fails at, the curve still begins at step 1.
func TestTrainShowsAllOfAResumedCurve(t *testing.T) {
	p := stagetest.TrainParams()
	p.Optimizer.LR, p.Optimizer.Schedule, p.Optimizer.Warmup = 1e30, "constant", 0
	job := stagetest.NewJob(t, p, stagetest.Units(t))
	interrupt(t, job, 1)
	var failed *kind.FailedError
	if err := train(t.Context(), job); !errors.As(err, &failed) {
		t.Fatalf("error %v, want one with files", err)
	}
	for _, f := range failed.Files {
		if f.Name == "curve.csv" && !strings.Contains(string(f.Data), "\n1,64,") {
			t.Errorf("curve of\n%s\nlacks step 1", f.Data)
		}
	}
}
