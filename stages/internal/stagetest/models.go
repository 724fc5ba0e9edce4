package stagetest

import (
	"fmt"
	"path/filepath"
	"testing"

	"ablate/cache/table"
	"ablate/specs/arch"
	"ablate/stages/kind"
)

// EvalLengths are lengths of documents in tokens: none, short, a context and more.
var EvalLengths = []int{1, 5, 16, 17, 40, 0, 33, 8, 9, 100}

// EvalParams are those of an evaluation of one Model.
func EvalParams() kind.EvalParams {
	return kind.EvalParams{Model: Model, Recipe: kind.Recipe{Weights: []string{"1"}}, Documents: 1000, EOS: EOS}
}

// Model is as small as a model with every part can be.
var Model = arch.Model{
	Vocab: 64, DModel: 16, Layers: 2, Heads: 2, Context: 16, Block: "sequential", Norm: "layernorm", NormBias: true, NormEps: 1e-5,
	LinearBias: true, QKNorm: true, MLP: "swiglu", MLPHidden: 32, TiedHead: true, RopeBase: 10000, Rotary: 1, InitStd: 0.02,
}

// TrainParams is a training of 12 steps of 4 sequences.
func TrainParams() kind.TrainParams {
	return kind.TrainParams{
		Model: Model,
		Optimizer: kind.Optimizer{
			Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, WeightDecay: 0.1, Clip: 1, LR: 1e-2, Warmup: 0.1, Schedule: "cosine", FinalLR: 1e-3,
		},
		Tokens: 12 * 64, Batch: 64, Sampling: kind.SamplingEqual, Seed: 1, Start: kind.StartRandom, Moments: true,
	}
}

// EOS ends documents of token files.
const EOS = 0

// TokenFile writes documents of the given lengths that follow a rule, so that a model can learn
// them: each token is the one before plus a step of the document.
func TokenFile(t *testing.T, seed int, ends bool, lengths ...int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokens.arrow")
	w, err := table.CreateTokens(path, Model.Vocab)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range lengths {
		var doc []uint32
		for k := range n {
			doc = append(doc, uint32(1+(seed*7+i*5+k*(1+seed+i%3))%(Model.Vocab-1)))
		}
		if ends {
			doc = append(doc, EOS)
		}
		if err := w.Append(fmt.Sprintf("doc-%d-%d", seed, i), doc, int64(3*n), int64(2*n), int64(n/2)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// Units are the inputs of a training on three units, of 7, 3 and 12 sequences.
func Units(t *testing.T) Roles {
	t.Helper()
	return Roles{}.Numbered("unit", TokenFile(t, 1, true, 50, 3, 40, 25), TokenFile(t, 2, true, 30, 30), TokenFile(t, 3, true, 200))
}

// Trained is a model of its own for each seed.
func Trained(t *testing.T, train kind.Kind, seed int64) Result {
	t.Helper()
	p := TrainParams()
	p.Seed, p.Moments = seed, false
	return Run(t, train, p, Units(t))
}
