package cpu

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"ablate/specs/arch"
)

// model builds the forward graph and returns the loss node, a scalar.
func (b *builder) model() *gorgonia.Node {
	x := b.embed("wte.weight", b.ids) // (N, C), the residual stream
	for l := range b.e.arch.Layers {
		x = b.keep(b.block(fmt.Sprintf("blocks.%d.", l), x))
	}
	head := "head.weight"
	if b.e.arch.TiedHead {
		head = "wte.weight"
	}
	return b.headLoss(head, b.norm("ln_f", x), b.targets)
}

// block is one transformer layer: x -> x + attention + mlp, see Sequential, Parallel and NeoX.
func (b *builder) block(name string, x *gorgonia.Node) *gorgonia.Node {
	switch b.e.arch.Block {
	case arch.NeoX:
		h := b.norm(name+"ff_norm", x)
		y := b.attention(name, b.normBeside(name+"attn_norm", x, h), x)
		return b.mlp(name, h, y)
	case arch.Parallel:
		h := b.norm(name+"attn_norm", x)
		return b.mlp(name, h, b.attention(name, h, x))
	default:
		y := b.attention(name, b.norm(name+"attn_norm", x), x)
		return b.mlp(name, b.norm(name+"ff_norm", y), y)
	}
}
