package arch

import (
	"fmt"
	"math"
)

// Role says what a tensor is to the model, and with that how it is initialised: the first three
// from normal(0, InitStd), Residual from normal(0, InitStd / sqrt(2 Layers)).
type Role uint8

const (
	Embedding Role = iota // of tokens
	Head                  // the output layer, where it is not the embedding
	Matrix                // of a linear layer
	Residual              // of a linear layer that writes to the residual stream: attn_out, ff_out
	Gain                  // a norm's weight, 1 at first
	Bias                  // of a norm or a linear layer, 0 at first
)

// Tensor is a parameter of the model without its values.
type Tensor struct {
	Name  string
	Shape []int // a matrix is (out, in)
	Role  Role
}

// Size is the number of values.
func (t Tensor) Size() int64 {
	n := int64(1)
	for _, d := range t.Shape {
		n *= int64(d)
	}
	return n
}

// Tensors lists the parameters in the order of the forward pass, which is that of checkpoints. The
// names are those of the authors' checkpoints after their conversion to OLMo, less the prefix
// "transformer." (paper/FACTS.md, export); "head" is OLMo's outer ff_out.
func (m Model) Tensors() []Tensor {
	C, F := m.DModel, m.MLPHidden
	var all []Tensor
	add := func(name string, r Role, shape ...int) { all = append(all, Tensor{name, shape, r}) }
	norm := func(name string) {
		add(name+".weight", Gain, C)
		if m.NormBias {
			add(name+".bias", Bias, C)
		}
	}
	linear := func(name string, r Role, out, in int) {
		add(name+".weight", r, out, in)
		if m.LinearBias {
			add(name+".bias", Bias, out)
		}
	}
	add("wte.weight", Embedding, m.Vocab, C)
	for l := range m.Layers {
		block := fmt.Sprintf("blocks.%d.", l)
		norm(block + "attn_norm")
		linear(block+"att_proj", Matrix, 3*C, C) // rows: q, k, v; each is heads of HeadWidth rows
		if m.QKNorm {
			norm(block + "q_norm")
			norm(block + "k_norm")
		}
		if m.AttentionOutput {
			linear(block+"attn_out", Residual, C, C)
		}
		if m.Block != Parallel {
			norm(block + "ff_norm")
		}
		linear(block+"ff_proj", Matrix, F, C)
		linear(block+"ff_out", Residual, C, m.MLPOut())
	}
	norm("ln_f")
	if !m.TiedHead {
		add("head.weight", Head, m.Vocab, C)
	}
	return all
}

// Parameters counts the model's parameters, and how many of them are the embedding's and an untied
// head's. A tied head counts once.
func (m Model) Parameters() (all, embedding int64) {
	for _, t := range m.Tensors() {
		all += t.Size()
		if t.Role == Embedding || t.Role == Head {
			embedding += t.Size()
		}
	}
	return all, embedding
}

// FLOPsPerToken counts the floating-point operations of a forward pass for one token in a full row
// of Context tokens: 2 per weight of each matrix product and, for causal attention, 4 DModel per
// visible token, (Context+1)/2 of them on average. The embedding is looked up and multiplies only
// as a tied head. Norms, activations and softmax are left out. A backward pass takes twice as many.
func (m Model) FLOPsPerToken() float64 {
	var weights int64
	for _, t := range m.Tensors() {
		if len(t.Shape) == 2 && (t.Role != Embedding || m.TiedHead) {
			weights += t.Size()
		}
	}
	return float64(2*weights) + float64(float64(m.Layers*4*m.DModel)*float64(m.Context+1)/2)
}

func nearest(x float64) int { return int(math.Round(x)) }
