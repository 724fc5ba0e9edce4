package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"ablate/specs/arch"
	"ablate/stages/internal/lm"
)

// tiny is a small model with odd sizes; the variants change its words.
func tiny() arch.Model {
	return arch.Model{
		Vocab: 13, DModel: 12, Layers: 2, Heads: 3, Context: 8, Block: arch.Sequential, Norm: arch.LayerNorm, MLP: arch.SwiGLU, MLPHidden: 20,
		RopeBase: 100, Rotary: 1, NormEps: 1e-5, InitStd: 0.02,
	}
}

// variants are all 384 combinations of the architecture's words and switches. In half of them heads
// turn in part.
func variants() []arch.Model {
	var all []arch.Model
	for i := range 128 {
		on := func(bit int) bool { return i>>bit&1 == 1 }
		for _, block := range []string{arch.Sequential, arch.Parallel, arch.NeoX} {
			c := tiny()
			c.Block = block
			if on(0) {
				c.Norm = arch.RMSNorm
			}
			if on(1) {
				c.MLP = arch.GELU
			}
			c.NormBias, c.LinearBias, c.QKNorm, c.AttentionOutput, c.TiedHead = on(2), on(3), on(4), on(5), on(6)
			if on(0) != on(1) != on(6) {
				c.Rotary = 0.5
			}
			all = append(all, c)
		}
	}
	return all
}

func label(c arch.Model) string {
	return fmt.Sprintf("%s %s %s normbias=%t linearbias=%t qknorm=%t attnout=%t tied=%t rotary=%g",
		c.Block, c.Norm, c.MLP, c.NormBias, c.LinearBias, c.QKNorm, c.AttentionOutput, c.TiedHead, c.Rotary)
}

// training is a model and the precision of its training.
type training struct {
	arch.Model
	precision string
}

func (x training) open(t testing.TB, threads int) *engine {
	t.Helper()
	return openedWith(t, x.Model, lm.Options{Precision: x.precision, Threads: threads})
}

// opened is an engine for a test, in float32.
func opened(t testing.TB, m arch.Model, threads int) *engine {
	t.Helper()
	return openedWith(t, m, lm.Options{Threads: threads})
}

func openedWith(t testing.TB, m arch.Model, opt lm.Options) *engine {
	t.Helper()
	e, err := newEngine(m, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// scramble gives every parameter a value at which nothing vanishes or saturates: Init's zeros and
// ones would hide errors.
func scramble(e *engine, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	for i, t := range e.part(lm.Weights) {
		for j := range t.Data {
			x := r.NormFloat64()
			switch e.specs[i].Role {
			case arch.Gain:
				t.Data[j] = float32(1 + 0.2*x)
			default:
				t.Data[j] = float32(0.3 * x)
			}
		}
	}
}

// tokens returns random inputs and targets, one target in eight ignored.
func tokens(seed uint64, n, V int) (inputs, targets []int32) {
	r := rand.New(rand.NewPCG(seed, 2))
	for range n {
		inputs = append(inputs, int32(r.IntN(V)))
		target := int32(r.IntN(V))
		if r.IntN(8) == 0 {
			target = -1
		}
		targets = append(targets, target)
	}
	return inputs, targets
}

func (e *engine) gradients() []lm.Tensor { return e.views(e.grads) }

// compare holds losses and all gradients of one batch to the float64 reference.
//
// Tolerances. float32 has a relative step of 6e-8. A loss is a few nats after some ten roundings
// deep, so 1e-5 is a few hundred steps. A gradient tensor is compared by norm: |g-ref| <= 1e-4
// |ref|, some 1000 steps, the loss of digits in norms and softmaxes included; a wrong or missing
// term is far above 1e-3.
func compare(t *testing.T, cfg arch.Model, B, T int, scale float64) {
	t.Helper()
	e := opened(t, cfg, 2)
	scramble(e, 7)
	inputs, targets := tokens(3, B*T, cfg.Vocab)
	ref := newReference(cfg, e.part(lm.Weights))
	want := ref.run(inputs, targets, B, T, scale)

	loss, err := e.Accumulate(inputs, targets, B, T, scale)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, B*T)
	if err := e.Losses(inputs, targets, B, T, got); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i := range want {
		sum += want[i]
		if math.Abs(float64(got[i])-want[i]) > 1e-5 {
			t.Errorf("loss of token %d: %v, want %v", i, got[i], want[i])
		}
	}
	if math.Abs(loss-sum) > 1e-5*float64(B*T) {
		t.Errorf("loss %v, want %v", loss, sum)
	}
	for _, g := range e.gradients() {
		var diff, norm float64
		for i, x := range ref.gradient(g.Name) {
			diff += (float64(g.Data[i]) - x) * (float64(g.Data[i]) - x)
			norm += x * x
		}
		// No tensor's gradient vanishes (the softmax would cancel a bias of k, but RoPE turns it
		// with the position), so a zero is an error too.
		if norm == 0 || math.Sqrt(diff) > 1e-4*math.Sqrt(norm) {
			t.Errorf("gradient of %s: off by %.3g of norm %.3g", g.Name, math.Sqrt(diff), math.Sqrt(norm))
		}
	}
}

func TestVariantsAgainstReference(t *testing.T) {
	for _, cfg := range variants() {
		t.Run(label(cfg), func(t *testing.T) { compare(t, cfg, 2, 5, 0.3) })
	}
}

// Shapes: two tokens, whole vectors, tails, heads of an odd width, more rows than headRows.
func TestShapesAgainstReference(t *testing.T) {
	big := tiny()
	big.DModel, big.Heads, big.MLPHidden, big.Vocab, big.Context, big.Layers = 48, 3, 72, 37, 40, 1
	big.QKNorm, big.LinearBias, big.NormBias, big.TiedHead = true, true, true, true
	long := tiny()
	long.DModel, long.Heads, long.MLPHidden, long.Layers, long.Vocab, long.Context = 4, 2, 4, 1, 5, 300
	odd := tiny()
	odd.DModel, odd.Heads, odd.Rotary, odd.Block = 15, 3, 0.8, arch.NeoX // heads 5 wide, 4 channels of which turn
	for _, c := range []struct {
		name string
		cfg  arch.Model
		B, T int
	}{
		{"two tokens", tiny(), 3, 2},
		{"wide", big, 2, 19},
		{"odd heads", odd, 2, 7},
		{"more rows than a chunk of the head", long, 300, 2},
	} {
		t.Run(c.name, func(t *testing.T) { compare(t, c.cfg, c.B, c.T, 1) })
	}
}
