package cpu

import (
	"gorgonia.org/gorgonia"

	"ablate/specs/arch"
	"ablate/stages/internal/kernel"
	"ablate/stages/internal/lm"
)

// mlp is y = res + ff_out(act(ff_proj(h))); h, res, y (N, C).
func (b *builder) mlp(name string, h, res *gorgonia.Node) *gorgonia.Node {
	c := b.e.arch
	kind := carried
	if c.Block != arch.Sequential { // the residual is the attention's sum, which no norm reads
		kind = direct
	}
	u := b.linear(name+"ff_proj", h, c.DModel, c.MLPHidden, c.Block == arch.Parallel) // there attention reads h too
	return b.linearAdd(name+"ff_out", b.activation(name+c.MLP, u), res, c.MLPOut(), c.DModel, kind)
}

// activation is GELU or SwiGLU: (N, F) -> (N, mlpOut).
func (b *builder) activation(name string, u *gorgonia.Node) *gorgonia.Node {
	N, F, A, p := b.N, b.e.arch.MLPHidden, b.e.arch.MLPOut(), b.pool
	swiglu := b.e.arch.MLP == arch.SwiGLU
	o := (&op{name: name, diff: []bool{true}, over: -1, redo: lm.Cheap}).matrix(N, A)
	d := (&op{name: name + " dx", over: 1}).matrix(N, F)
	if swiglu {
		o.run = func(y []float32, in []gorgonia.Value) error {
			kernel.SwiGLU(p, y, f32(in[0]), N, A)
			return nil
		}
		d.run = func(dx []float32, in []gorgonia.Value) error {
			kernel.SwiGLUBackward(p, dx, f32(in[0]), f32(in[1]), N, A)
			return nil
		}
	} else {
		o.over, d.over = 0, 0
		o.run = func(y []float32, in []gorgonia.Value) error {
			kernel.GELU(p, y, f32(in[0]))
			return nil
		}
		d.run = func(dx []float32, in []gorgonia.Value) error {
			kernel.GELUBackward(p, dx, f32(in[0]), f32(in[1]))
			return nil
		}
	}
	o.sym = func(_ gorgonia.Nodes, _, dy *gorgonia.Node) gorgonia.Nodes {
		return gorgonia.Nodes{b.apply(d, dy, b.again(u, dy))}
	}
	return b.apply(o, u)
}
