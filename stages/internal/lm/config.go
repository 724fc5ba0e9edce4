package lm

import (
	"errors"
	"fmt"
	"math"
)

// The words of Config's text fields.
const (
	Sequential = "sequential" // x = x + attn(norm(x)); x = x + mlp(norm(x))
	Parallel   = "parallel"   // h = norm(x); x = x + attn(h) + mlp(h): one norm for both (PaLM, arXiv:2204.02311, section 2)
	NeoX       = "neox"       // x = x + attn(norm(x)) + mlp(norm(x)): each its own norm (GPT-NeoX, arXiv:2204.06745, section 2.1)
	LayerNorm  = "layernorm"  // (x - mean) / sqrt(var + eps) * w + b (arXiv:1607.06450)
	RMSNorm    = "rmsnorm"    // x / sqrt(mean(x^2) + eps) * w + b (arXiv:1910.07467)
	GELU       = "gelu"       // the tanh form, as GPT-2 (arXiv:1606.08415)
	BF16       = "bf16"       // see Config.Precision
	SwiGLU     = "swiglu"     // value * silu(gate), value = first half, gate = second half (arXiv:2002.05202)
)

// Config says what the model is. Every field changes the result, so all of them belong to the key of a training.
type Config struct {
	Vocab   int `json:"vocab"` // rows of the embedding table, >= the tokenizer's ids
	DModel  int `json:"d_model"`
	Layers  int `json:"layers"`
	Heads   int `json:"heads"`
	Context int `json:"context"` // most tokens in a row

	Block      string `json:"block"`       // sequential, parallel or neox
	Norm       string `json:"norm"`        // layernorm or rmsnorm
	NormBias   bool   `json:"norm_bias"`   // of every norm
	LinearBias bool   `json:"linear_bias"` // on every linear layer except the head
	QKNorm     bool   `json:"qk_norm"`     // normalise q and k over all of d_model, before the split into heads and RoPE
	MLP        string `json:"mlp"`         // gelu or swiglu
	MLPHidden  int    `json:"mlp_hidden"`  // columns of the up projection; swiglu halves them
	AttnOut    bool   `json:"attn_out"`    // a linear layer after the heads; without it they are added to the residual as they are
	TiedHead   bool   `json:"tied_head"`   // the head is the embedding table

	RopeBase float64 `json:"rope_base"` // base of the rotary angles, half-rotation as in GPT-NeoX (arXiv:2104.09864)
	Rotary   float64 `json:"rotary"`    // share of each head that turns, its first channels; 1: all of it
	NormEps  float64 `json:"norm_eps"`
	InitStd  float64 `json:"init_std"`

	// Precision is that of training: bf16, or empty for float32. With bf16 the operands of the linear layers' and the head's products are
	// rounded to bf16 in Accumulate, forward and backward, and summed in float32 (kernel.GemmBF16); attention's own products, norms,
	// softmax, losses, gradients, weights and moments stay float32. Losses are those of float32 always: what a model is judged by
	// depends on its weights, not on how they came to be.
	Precision string `json:"precision,omitempty"`
}

// Bounds far above any model in use; they keep products of sizes inside an int64 and a mistyped study from listing millions
// of tensors.
const (
	maxDim    = 1 << 24
	maxLayers = 1 << 12
)

// Validate returns everything that is wrong with c, with both numbers of each contradiction.
func (c Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("model: "+format, args...)) }
	for _, f := range []struct {
		name   string
		n, max int
	}{
		{"vocab", c.Vocab, maxDim}, {"d_model", c.DModel, maxDim}, {"layers", c.Layers, maxLayers},
		{"heads", c.Heads, maxDim}, {"context", c.Context, maxDim}, {"mlp_hidden", c.MLPHidden, maxDim},
	} {
		if f.n < 1 || f.n > f.max {
			bad("%s is %d, want 1 to %d", f.name, f.n, f.max)
		}
	}
	if len(errs) == 0 {
		if c.DModel%c.Heads != 0 {
			bad("d_model %d is not divisible by heads %d", c.DModel, c.Heads)
		} else if c.Rotary > 0 && c.Rotary <= 1 {
			width := c.DModel / c.Heads
			if turned := float64(c.Rotary * float64(width)); math.Abs(turned-float64(c.turned())) > 1e-6 || c.turned()%2 != 0 || c.turned() == 0 {
				bad("d_model %d / heads %d gives heads %d wide, of which rotary %g turns %g channels, want an even whole number, at least 2",
					c.DModel, c.Heads, width, c.Rotary, turned)
			}
		}
	}
	oneOf := func(name, got string, want ...string) {
		for _, w := range want {
			if got == w {
				return
			}
		}
		bad("%s is %q, want one of %q", name, got, want)
	}
	oneOf("block", c.Block, Sequential, Parallel, NeoX)
	oneOf("norm", c.Norm, LayerNorm, RMSNorm)
	oneOf("mlp", c.MLP, GELU, SwiGLU)
	oneOf("precision", c.Precision, "", BF16)
	if c.MLP == SwiGLU && c.MLPHidden%2 != 0 {
		bad("mlp_hidden is %d, but %s halves it and needs an even number", c.MLPHidden, SwiGLU)
	}
	for _, f := range []struct {
		name       string
		x, lo, hi  float64
		inclusiveL bool
	}{{"rope_base", c.RopeBase, 1, 1e12, false}, {"rotary", c.Rotary, 0, 1, false}, {"norm_eps", c.NormEps, 0, 1, false}, {"init_std", c.InitStd, 0, 10, true}} {
		if !(f.x > f.lo || f.inclusiveL && f.x == f.lo) || f.x > f.hi || math.IsNaN(f.x) {
			bad("%s is %g, want more than %g and at most %g", f.name, f.x, f.lo, f.hi)
		}
	}
	return errors.Join(errs...)
}

// turned is how many channels of a head RoPE turns.
func (c Config) turned() int { return int(math.Round(c.Rotary * float64(c.DModel/c.Heads))) }

// mlpOut is the width after the activation: the columns of ff_out.
func (c Config) mlpOut() int {
	if c.MLP == SwiGLU {
		return c.MLPHidden / 2
	}
	return c.MLPHidden
}

// role says how a tensor is initialised.
type role uint8

const (
	weight   role = iota // normal(0, InitStd)
	residual             // attn_out, ff_out: normal(0, InitStd / sqrt(2 L))
	one
	zero
)

// spec is a tensor without data.
type spec struct {
	name  string
	shape []int
	role  role
}

func (s spec) size() int64 {
	n := int64(1)
	for _, d := range s.shape {
		n *= int64(d)
	}
	return n
}

// tensors lists the parameters in the order of the arena. The names are those of the authors' checkpoints after their
// conversion to OLMo, less the prefix "transformer." (paper/FACTS.md, export); "head" is OLMo's outer ff_out.
func (c Config) tensors() []spec {
	C, F := c.DModel, c.MLPHidden
	var all []spec
	add := func(name string, r role, shape ...int) { all = append(all, spec{name, shape, r}) }
	norm := func(name string) {
		add(name+".weight", one, C)
		if c.NormBias {
			add(name+".bias", zero, C)
		}
	}
	linear := func(name string, r role, out, in int) {
		add(name+".weight", r, out, in)
		if c.LinearBias {
			add(name+".bias", zero, out)
		}
	}
	add("wte.weight", weight, c.Vocab, C)
	for l := range c.Layers {
		block := fmt.Sprintf("blocks.%d.", l)
		norm(block + "attn_norm")
		linear(block+"att_proj", weight, 3*C, C) // rows: q, k, v; each is heads of D rows
		if c.QKNorm {
			norm(block + "q_norm")
			norm(block + "k_norm")
		}
		if c.AttnOut {
			linear(block+"attn_out", residual, C, C)
		}
		if c.Block != Parallel {
			norm(block + "ff_norm")
		}
		linear(block+"ff_proj", weight, F, C)
		linear(block+"ff_out", residual, C, c.mlpOut())
	}
	norm("ln_f")
	if !c.TiedHead {
		add("head.weight", weight, c.Vocab, C)
	}
	return all
}

// NumParams counts the parameters; a tied head counts once.
func (c Config) NumParams() int64 {
	var n int64
	for _, s := range c.tensors() {
		n += s.size()
	}
	return n
}

// FLOPsPerToken counts the floating-point operations of a forward pass for one token in a full row of Context tokens: 2 per
// weight of each matrix product and, for causal attention, 4 C per visible token, (Context+1)/2 of them on average. Norms,
// activations and softmax are left out. A backward pass takes twice as many.
func (c Config) FLOPsPerToken() float64 {
	C, F, L := float64(c.DModel), float64(c.MLPHidden), float64(c.Layers)
	perLayer := float64(3*C*C) + float64(F*C) + float64(C*float64(c.mlpOut()))
	if c.AttnOut {
		perLayer += float64(C * C)
	}
	return float64(2*(float64(L*perLayer)+float64(float64(c.Vocab)*C))) + float64(L*4*C*float64(c.Context+1)/2)
}
