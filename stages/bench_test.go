package stages

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"ablate/cache/table"
	"ablate/specs/arch"
	"ablate/stages/eval"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/train"
)

// benchModel has the size of the models of a study on a laptop: 1M parameters.
var benchModel = arch.Model{
	Vocab: 2048, DModel: 128, Layers: 4, Heads: 4, Context: 256, Block: "sequential", Norm: "layernorm", NormBias: true, NormEps: 1e-5,
	LinearBias: true, QKNorm: true, MLP: "swiglu", MLPHidden: 512, TiedHead: true, RopeBase: 10000, Rotary: 1, InitStd: 0.02,
}

// benchTokens writes documents of about length tokens each.
func benchTokens(b *testing.B, total, length int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "tokens.arrow")
	w, err := table.CreateTokens(path, benchModel.Vocab)
	if err != nil {
		b.Fatal(err)
	}
	x := uint32(1)
	for i := 0; total > 0; i++ {
		var doc []uint32
		for range min(total, length/2+i*37%length) {
			x = x*1664525 + 1013904223
			doc = append(doc, (x>>16)%2048)
		}
		total -= len(doc)
		if err := w.Append(fmt.Sprint(i), doc, int64(4*len(doc)), int64(4*len(doc)), int64(len(doc))); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

func benchJob(b *testing.B, k kind.Kind, params string, in []kind.Input) {
	b.Helper()
	job := &kind.Job{Params: []byte(params), Inputs: in, Dir: b.TempDir(), Threads: 2}
	if err := k.Run(b.Context(), job); err != nil {
		b.Fatal(err)
	}
	if err := os.RemoveAll(job.Dir); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkEval tells what an evaluation step costs: a fixed part (one token), and tokens per
// second.
func BenchmarkEval(b *testing.B) {
	model := benchTrain(b, 8192)
	for _, tokens := range []int{1, 50_000} {
		for _, models := range []int{1, 4} {
			b.Run(fmt.Sprintf("tokens=%d/models=%d", tokens, models), func(b *testing.B) {
				p := kind.EvalParams{Model: benchModel, Documents: 1000, EOS: 0}
				in := []kind.Input{{Role: "tokens", Path: benchTokens(b, tokens, 300)}}
				for i := range models {
					p.Weights = append(p.Weights, fmt.Sprintf("1/%d", models))
					in = append(in, kind.Input{Role: kind.Role("model", i), Path: model})
				}
				params := stagetest.Marshal(b, p)
				for b.Loop() {
					benchJob(b, eval.Kind, params, in)
				}
				b.ReportMetric(float64(tokens)*float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
			})
		}
	}
}

// BenchmarkTrain tells tokens per second with everything that a training step does.
func BenchmarkTrain(b *testing.B) {
	const tokens = 65536
	for b.Loop() {
		benchTrain(b, tokens)
	}
	b.ReportMetric(tokens*float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
}

// benchTrain trains a model and returns its checkpoint.
func benchTrain(b *testing.B, tokens int64) string {
	b.Helper()
	p := kind.TrainParams{
		Model: benchModel, Tokens: tokens, Batch: 8192, Sampling: kind.SamplingEqual, Seed: 1, Start: kind.StartRandom,
		Optimizer: kind.Optimizer{Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, WeightDecay: 0.1, Clip: 1, LR: 1e-3, Schedule: "constant"},
	}
	job := &kind.Job{
		Params: []byte(stagetest.Marshal(b, p)), Inputs: []kind.Input{{Role: "unit.0", Path: benchTokens(b, 100_000, 500)}}, Dir: b.TempDir(), Threads: 2,
	}
	if err := train.Kind.Run(b.Context(), job); err != nil {
		b.Fatal(err)
	}
	return filepath.Join(job.Dir, kind.OutModel)
}
