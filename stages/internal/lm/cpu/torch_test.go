package cpu

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"ablate/specs/arch"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/optim"
)

// This file holds the engine to PyTorch's losses as written down; torch_python_test.go asks a
// PyTorch of this machine.

// golden is testdata/torch/golden.json, which TestTorchTrainings writes with -update.
type golden struct {
	Made string               `json:"made"` // how, in words
	Runs map[string]goldenRun `json:"runs"`
}

type goldenRun struct {
	Training torchTraining            `json:"training"`
	Weights  string                   `json:"initial_weights"` // their digest
	Float64  torchAnswer              `json:"float64"`
	Rounding map[string]roundingError `json:"float32_off_by"` // by version of PyTorch
}

// roundingError is how far PyTorch's float32 was from its float64, at the worst step of the worst
// of several trainings that differ by the last bit of their initial weights: each is another sample
// of what rounding does.
type roundingError struct {
	Loss float64 `json:"loss"`
	Norm float64 `json:"norm"`
}

func (r roundingError) String() string { return fmt.Sprintf("%.1e and %.1e", r.Loss, r.Norm) }

// torchAnswer is what PyTorch found: mean loss and norm of all gradients before clipping, of each
// step.
type torchAnswer struct {
	Losses []float64 `json:"losses"`
	Norms  []float64 `json:"norms,omitempty"`
}

// torchTraining is a training from Init, in words that Python understands.
type torchTraining struct {
	Config    arch.Model     `json:"config"`
	Seed      uint64         `json:"seed"`
	Optimizer optim.AdamW    `json:"optimizer"`
	Schedule  optim.Schedule `json:"schedule"`
	Steps     int            `json:"steps"`
	Rows      int            `json:"rows"`   // of a step's batch
	Tokens    int            `json:"tokens"` // of a row
}

// torchTrainings are the architectures that others train, small, and together every word of Config.
// InitStd is far above a real model's, so that attention is not uniform from the start.
func torchTrainings() map[string]torchTraining {
	base := torchTraining{
		Config: arch.Model{
			Vocab: 101, DModel: 48, Layers: 3, Heads: 4, Context: 24, Block: arch.Sequential, MLPHidden: 128,
			RopeBase: 10000, Rotary: 1, NormEps: 1e-5, InitStd: 0.1,
		},
		Seed: 17, Optimizer: adamw, Schedule: optim.Schedule{Kind: optim.Cosine, Peak: 3e-3, Final: 3e-4, Warmup: 4}, Steps: 20, Rows: 3, Tokens: 24,
	}
	gpt, authors, llama, neox, palm := base, base, base, base, base

	gpt.Config.Norm, gpt.Config.MLP, gpt.Config.AttentionOutput, gpt.Config.TiedHead = arch.RMSNorm, arch.GELU, true, true
	gpt.Schedule, gpt.Optimizer.Clip = optim.Schedule{Kind: optim.Constant, Peak: 1e-3}, 0

	a := &authors.Config // after their conversion to OLMo
	a.Norm, a.NormBias, a.LinearBias, a.QKNorm, a.MLP, a.TiedHead = arch.LayerNorm, true, true, true, arch.SwiGLU, true

	llama.Config.Norm, llama.Config.MLP, llama.Config.AttentionOutput = arch.RMSNorm, arch.SwiGLU, true
	llama.Schedule.Kind, llama.Optimizer.WeightDecay, llama.Optimizer.Beta2 = optim.Linear, 0, 0.999

	n := &neox.Config
	n.Block, n.Norm, n.NormBias, n.LinearBias, n.MLP, n.AttentionOutput, n.Heads, n.Rotary = arch.NeoX, arch.LayerNorm, true, true, arch.GELU, true, 3, 0.25

	p := &palm.Config
	p.Block, p.Norm, p.MLP, p.QKNorm = arch.Parallel, arch.RMSNorm, arch.SwiGLU, true
	return map[string]torchTraining{"gpt": gpt, "authors": authors, "llama": llama, "neox": neox, "palm": palm}
}

// torchToken is the token at place p of an endless text, and torchBatch the batch of one step, the
// places following on: one target in eleven is ignored. testdata/torch/judge.py says the same.
func torchToken(p, V int) int32 { return int32((p*p/3 + p) % V) }

func torchBatch(V, rows, T, step int) (inputs, targets []int32) {
	for p := step * rows * T; p < (step+1)*rows*T; p++ {
		inputs = append(inputs, torchToken(p, V))
		target := torchToken(p+1, V)
		if p%11 == 5 {
			target = -1
		}
		targets = append(targets, target)
	}
	return inputs, targets
}

// known counts the targets that are not ignored.
func known(targets []int32) (n float64) {
	for _, t := range targets {
		if t >= 0 {
			n++
		}
	}
	return n
}

func weightsDigest(ts []lm.Tensor) string {
	h := sha256.New()
	for _, t := range ts {
		fmt.Fprintln(h, t.Name, t.Shape)
		if err := binary.Write(h, binary.LittleEndian, t.Data); err != nil {
			panic(err)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// run trains the engine as PyTorch did.
func (r torchTraining) run(t *testing.T) (weights string, got torchAnswer) {
	t.Helper()
	e := opened(t, r.Config, 2)
	lm.Init(e, r.Seed)
	weights = weightsDigest(e.views(e.weights))
	for step := range r.Steps {
		inputs, targets := torchBatch(r.Config.Vocab, r.Rows, r.Tokens, step)
		loss, err := e.Accumulate(inputs, targets, r.Rows, r.Tokens, 1/known(targets))
		if err != nil {
			t.Fatal(err)
		}
		norm, err := e.Step(optim.Step{AdamW: r.Optimizer, LR: r.Schedule.LR(step, r.Steps), Number: step + 1})
		if err != nil {
			t.Fatal(err)
		}
		got.Losses, got.Norms = append(got.Losses, loss/known(targets)), append(got.Norms, norm)
	}
	return weights, got
}

// compareTorch holds losses and norms to PyTorch's float64. Tolerance: three times the worst of
// PyTorch's own float32. Trainings that are another training in any word are further off
// (TestTorchNotices).
func (want goldenRun) compareTorch(got torchAnswer) error {
	var allowed roundingError
	for _, r := range want.Rounding {
		allowed.Loss, allowed.Norm = max(allowed.Loss, 3*r.Loss), max(allowed.Norm, 3*r.Norm)
	}
	for i := range got.Losses {
		if off := math.Abs(got.Losses[i] - want.Float64.Losses[i]); !(off <= allowed.Loss) {
			return fmt.Errorf("step %d: loss %.9f, PyTorch in float64 %.9f, want at most %.2g apart", i, got.Losses[i], want.Float64.Losses[i], allowed.Loss)
		}
		if off := math.Abs(got.Norms[i] - want.Float64.Norms[i]); !(off <= allowed.Norm) {
			return fmt.Errorf("step %d: norm of the gradients %.9f, PyTorch in float64 %.9f, want at most %.2g apart",
				i, got.Norms[i], want.Float64.Norms[i], allowed.Norm)
		}
	}
	return nil
}

// off is the distance of a from a training in float64.
func (a torchAnswer) off(exact torchAnswer) roundingError {
	return roundingError{farthest(a.Losses, exact.Losses), farthest(a.Norms, exact.Norms)}
}

// farthest is the largest difference of two equally long lists.
func farthest(a, b []float64) (most float64) {
	for i := range a {
		most = max(most, math.Abs(a[i]-b[i]))
	}
	return most
}

const goldenPath = "testdata/torch/golden.json"

const regenerate = "write the file again with PyTorch (testdata/torch/README.md): go test ./stages/internal/lm -run TestTorchTrainings -update"

func readGolden(t *testing.T) golden {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(goldenPath))
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatalf("%s: %v", goldenPath, err)
	}
	if have, want := slices.Sorted(maps.Keys(g.Runs)), slices.Sorted(maps.Keys(torchTrainings())); !slices.Equal(have, want) {
		t.Fatalf("%s holds trainings %q, want %q; %s", goldenPath, have, want, regenerate)
	}
	return g
}

// The engine's trainings against those of PyTorch as written down. This needs no Python.
func TestTorchGolden(t *testing.T) {
	g := readGolden(t)
	for name, r := range torchTrainings() {
		t.Run(name, func(t *testing.T) {
			want := g.Runs[name]
			if r != want.Training {
				t.Fatalf("the file's training is %+v, want %+v; %s", want.Training, r, regenerate)
			}
			weights, got := r.run(t)
			if weights != want.Weights { // Init draws with float64 logarithms, which may differ on another architecture: kernel/doc.go
				t.Fatalf("Init gives weights of digest %s, PyTorch trained from %s; if Init changed, %s", weights, want.Weights, regenerate)
			}
			if len(want.Float64.Losses) != r.Steps || len(want.Float64.Norms) != r.Steps || len(want.Rounding) == 0 {
				t.Fatalf("the file has %d losses and %d norms of %d steps; %s", len(want.Float64.Losses), len(want.Float64.Norms), r.Steps, regenerate)
			}
			if err := want.compareTorch(got); err != nil {
				t.Error(err)
			}
			t.Logf("losses %.4f to %.4f, loss and norm off by %v; PyTorch's float32 by %v", got.Losses[0], got.Losses[r.Steps-1], got.off(want.Float64), want.Rounding)
		})
	}
}

// The comparison above notices a training that is slightly another one.
func TestTorchNotices(t *testing.T) {
	g := readGolden(t)
	for _, c := range []struct {
		name, of string
		change   func(*torchTraining)
	}{
		{"weight decay", "authors", func(r *torchTraining) { r.Optimizer.WeightDecay *= 1.05 }},
		{"eps of the norms", "gpt", func(r *torchTraining) { r.Config.NormEps *= 2 }},
		{"base of the angles", "llama", func(r *torchTraining) { r.Config.RopeBase *= 1.01 }},
		{"beta2", "palm", func(r *torchTraining) { r.Optimizer.Beta2 += 0.0001 }},
		{"clipping", "palm", func(r *torchTraining) { r.Optimizer.Clip = 0 }}, // by another factor AdamW would hardly notice
		{"warm-up", "neox", func(r *torchTraining) { r.Schedule.Warmup++ }},
		{"last rate", "authors", func(r *torchTraining) { r.Schedule.Final *= 1.1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := torchTrainings()[c.of]
			c.change(&r)
			_, got := r.run(t)
			if err := g.Runs[c.of].compareTorch(got); err == nil {
				t.Error("the losses still agree with PyTorch's")
			} else {
				t.Log(err)
			}
		})
	}
}
