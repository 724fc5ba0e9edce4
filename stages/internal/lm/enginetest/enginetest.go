// Package enginetest holds an engine to what package lm promises of every engine. Only tests import
// it. The processor's engine passes with zero tolerance; an engine on a device passes with the
// tolerances of its arithmetic, and exactly where an engine is compared with itself: saving,
// loading, resuming, running again.
//
// It sees an engine through its door alone. A gradient is seen as the first moment after a step
// with Beta1 = 0.
//
// It does not test arithmetic from the ground up: what it compares with is the processor's engine
// of one thread, which package cpu's own tests compare with a float64 model, and the twenty losses
// that model gave.
package enginetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"ablate/specs/arch"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/lm/cpu"
	"ablate/stages/internal/optim"
)

// Tolerance is how far an engine may be from the processor's. Zero: not at all.
type Tolerance struct {
	Loss     float64 // of a token, nats
	Gradient float64 // of a tensor: norm of the difference, as a share of its norm
	Training float64 // of the mean losses of twenty steps, nats, and no less than the float64 model needs: 1e-4 in float32
}

// Open makes the engine under test.
type Open func(arch.Model) (lm.Engine, error)

// Test runs all checks.
func Test(t *testing.T, open Open, tol Tolerance) {
	for name, m := range models() {
		t.Run(name, func(t *testing.T) {
			s := suite{open, m, tol}
			t.Run("parts", s.parts)
			t.Run("losses", s.losses)
			t.Run("gradients", s.gradients)
			t.Run("accumulation", s.accumulation)
			t.Run("step", s.step)
			t.Run("resume", s.resume)
			t.Run("merge", s.merge)
			t.Run("not finite", s.notFinite)
			t.Run("refusals", s.refusals)
		})
	}
	t.Run("training", func(t *testing.T) { suite{open, full(), tol}.training(t) })
}

type suite struct {
	open  Open
	model arch.Model
	tol   Tolerance
}

// full has every optional part, on odd sizes.
func full() arch.Model {
	return arch.Model{
		Vocab: 13, DModel: 12, Layers: 2, Heads: 3, Context: 8, Block: arch.Sequential, Norm: arch.LayerNorm, NormBias: true, LinearBias: true,
		QKNorm: true, MLP: arch.SwiGLU, MLPHidden: 20, AttentionOutput: true, TiedHead: true, RopeBase: 100, Rotary: 1, NormEps: 1e-5, InitStd: 0.02,
	}
}

func models() map[string]arch.Model {
	bare := full()
	bare.Block, bare.Norm, bare.MLP = arch.Parallel, arch.RMSNorm, arch.GELU
	bare.NormBias, bare.LinearBias, bare.QKNorm, bare.AttentionOutput, bare.TiedHead = false, false, false, false, false
	neox := full()
	neox.Block, neox.Rotary, neox.MLP, neox.QKNorm, neox.TiedHead = arch.NeoX, 0.5, arch.GELU, false, false
	wide := full() // wide enough to be shared out among threads or blocks
	wide.DModel, wide.Heads, wide.MLPHidden, wide.Vocab, wide.AttentionOutput = 96, 6, 384, 301, false
	return map[string]arch.Model{"full": full(), "bare": bare, "neox": neox, "wide": wide}
}

// engine is the engine under test, with parameters at which nothing vanishes or saturates.
func (s suite) engine(t *testing.T) lm.Engine {
	t.Helper()
	e, err := s.open(s.model)
	return started(t, e, err)
}

// processor is what it is compared with.
func (s suite) processor(t *testing.T) lm.Engine {
	t.Helper()
	e, err := cpu.New(s.model, lm.Options{Threads: 1})
	return started(t, e, err)
}

func started(t *testing.T, e lm.Engine, err error) lm.Engine {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	r := rand.New(rand.NewPCG(11, 1))
	fill(t, e, lm.Weights, func(x lm.Tensor) {
		for i := range x.Data {
			v := r.NormFloat64()
			if strings.HasSuffix(x.Name, "norm.weight") || x.Name == "ln_f.weight" {
				x.Data[i] = float32(1 + 0.2*v)
			} else {
				x.Data[i] = float32(0.3 * v)
			}
		}
	})
	return e
}

// fill calls f for each tensor of a part.
func fill(t *testing.T, e lm.Engine, part lm.Part, f func(lm.Tensor)) {
	t.Helper()
	if err := e.Fill(part, func(tensors []lm.Tensor) error {
		for _, x := range tensors {
			f(x)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// saved is a copy of a part.
func saved(t *testing.T, e lm.Engine, part lm.Part) []lm.Tensor {
	t.Helper()
	var all []lm.Tensor
	if err := e.Save(part, func(tensors []lm.Tensor) error {
		for _, x := range tensors {
			all = append(all, lm.Tensor{Name: x.Name, Shape: slices.Clone(x.Shape), Data: slices.Clone(x.Data)})
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// whole is a copy of all that an engine holds.
func whole(t *testing.T, e lm.Engine) []lm.Tensor {
	t.Helper()
	return slices.Concat(saved(t, e, lm.Weights), saved(t, e, lm.Moments))
}

// same fails unless a and b have the same names, shapes and bits.
func same(t *testing.T, what string, a, b []lm.Tensor) {
	t.Helper()
	if len(a) != len(b) {
		t.Fatalf("%s: %d tensors, want %d", what, len(a), len(b))
	}
	for i, x := range a {
		y := b[i]
		if x.Name != y.Name || !slices.Equal(x.Shape, y.Shape) || len(x.Data) != len(y.Data) {
			t.Fatalf("%s: tensor %s %d, want %s %d", what, x.Name, x.Shape, y.Name, y.Shape)
		}
		for j := range x.Data {
			if math.Float32bits(x.Data[j]) != math.Float32bits(y.Data[j]) {
				t.Errorf("%s: tensor %s, element %d: %v, want %v", what, x.Name, j, x.Data[j], y.Data[j])
				break
			}
		}
	}
}

// gradient takes the gradients out of an engine: m = g where Beta1 is 0, and a rate of 0 leaves the
// parameters. It overwrites the moments.
func gradient(t *testing.T, e lm.Engine) ([]lm.Tensor, float64) {
	t.Helper()
	norm, err := e.Step(optim.Step{AdamW: optim.AdamW{Eps: 1}, Number: 1})
	if err != nil {
		t.Fatal(err)
	}
	m := saved(t, e, lm.Moments)
	return m[:len(m)/2], norm
}

func length(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}

// near holds the tensors to within a share of the norm of each.
func near(t *testing.T, what string, got, want []lm.Tensor, share float64) {
	t.Helper()
	for i, w := range want {
		diff := make([]float32, len(w.Data))
		for j := range diff {
			diff[j] = got[i].Data[j] - w.Data[j]
		}
		if d, n := length(diff), length(w.Data); !(d <= share*n) {
			t.Errorf("%s: tensor %s is off by %.3g of %.3g, want at most %g of it", what, w.Name, d, n, share)
		}
	}
}

// tokens are random inputs and targets, one target in eight ignored.
func tokens(seed uint64, n, vocab int) (inputs, targets []int32) {
	r := rand.New(rand.NewPCG(seed, 2))
	for range n {
		inputs = append(inputs, int32(r.IntN(vocab)))
		target := int32(r.IntN(vocab))
		if r.IntN(8) == 0 {
			target = -1
		}
		targets = append(targets, target)
	}
	return inputs, targets
}

var adamw = optim.AdamW{Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, WeightDecay: 0.1, Clip: 1}

// train takes steps of a batch of 4 rows of 7 tokens and returns the mean losses.
func train(t *testing.T, e lm.Engine, from, to int) []float64 {
	t.Helper()
	var losses []float64
	for s := from; s < to; s++ {
		losses = append(losses, accumulate(t, e, uint64(100+s%5), 1)/28)
		if _, err := e.Step(optim.Step{AdamW: adamw, LR: 0.01, Number: s + 1}); err != nil {
			t.Fatal(err)
		}
	}
	return losses
}

// accumulate adds the gradient of the mean loss of such a batch, in parts of so many rows; with as
// many parts as rows, row by row.
func accumulate(t *testing.T, e lm.Engine, seed uint64, parts int) float64 {
	t.Helper()
	inputs, targets := tokens(seed, 28, e.Model().Vocab)
	sum, n := 0.0, 28/parts
	for i := 0; i < 28; i += n {
		loss, err := e.Accumulate(inputs[i:i+n], targets[i:i+n], 4/parts, 7, 1./28)
		if err != nil {
			t.Fatal(fmt.Errorf("part of %d tokens: %w", n, err))
		}
		sum += loss
	}
	return sum
}
