package cpu

import (
	"gorgonia.org/gorgonia"

	"ablate/specs/arch"
	"ablate/stages/internal/kernel"
	"ablate/stages/internal/lm"
)

// normParams are the input nodes of a norm: its weight and, if the model has one, its bias.
func (b *builder) normParams(name string) []*gorgonia.Node {
	nodes := []*gorgonia.Node{b.param(name + ".weight")}
	if b.e.arch.NormBias {
		nodes = append(nodes, b.param(name+".bias"))
	}
	return nodes
}

// normKernel binds one norm to its sizes: rows of C, x's rows xs apart and y's ys.
type normKernel struct {
	p          *kernel.Pool
	rms        bool
	eps        float32
	rows, C    int
	xs, ys     int
	mean, rstd *buffer // (rows), kept for the backward pass
}

func (b *builder) normKernel(stride int) normKernel {
	k := normKernel{p: b.pool, rms: b.e.arch.Norm == arch.RMSNorm, eps: float32(b.e.arch.NormEps), rows: b.N, C: b.e.arch.DModel, xs: stride, ys: stride}
	k.mean, k.rstd = newBuffer(b.N), newBuffer(b.N)
	return k
}

func (k normKernel) buffers() []*buffer { return []*buffer{k.mean, k.rstd} }

func (k normKernel) forward(y, x, w, bias []float32) {
	if k.rms {
		kernel.RMSNormStrided(k.p, y, k.rstd.data, x, w, bias, k.rows, k.C, k.eps, k.xs, k.ys)
	} else {
		kernel.LayerNormStrided(k.p, y, k.mean.data, k.rstd.data, x, w, bias, k.rows, k.C, k.eps, k.xs, k.ys)
	}
}

func (k normKernel) backward(dx, dw, db, dy, x, w, carry []float32) {
	if k.rms {
		kernel.RMSNormBackwardStrided(k.p, dx, dw, db, dy, x, k.rstd.data, w, carry, k.rows, k.C, k.xs, k.ys)
	} else {
		kernel.LayerNormBackwardStrided(k.p, dx, dw, db, dy, x, k.mean.data, k.rstd.data, w, carry, k.rows, k.C, k.xs, k.ys)
	}
}

// norm is y = norm(x), rows of C; see LayerNorm and RMSNorm. Its backward pass adds what a residual
// path carries to x.
func (b *builder) norm(name string, x *gorgonia.Node) *gorgonia.Node {
	return b.normBeside(name, x, nil)
}

// normBeside is norm for one of two norms that read x, other being the value of the one made before
// (GPT-NeoX's blocks). Of the two only the other returns a gradient of x: this one declares none
// and carries its part to the other, see builder.carry. For that its backward pass must be built
// first, so that other is an input, which nothing reads.
func (b *builder) normBeside(name string, x, other *gorgonia.Node) *gorgonia.Node {
	C := b.e.arch.DModel
	k := b.normKernel(C)
	params := b.normParams(name)
	inputs := append([]*gorgonia.Node{x}, params...)
	o := (&op{name: name, diff: allTrue(len(inputs)), touch: k.buffers(), over: -1, redo: lm.Cheap}).matrix(b.N, C)
	if b.train && other != nil {
		inputs, o.diff, o.after = append(inputs, other), append(o.diff, false), 1
		o.diff[0] = false
	}
	o.run = func(y []float32, in []gorgonia.Value) error {
		k.forward(y, f32(in[0]), f32(in[1]), optional(in, 2))
		return nil
	}
	o.sym = func(inputs gorgonia.Nodes, output, dy *gorgonia.Node) gorgonia.Nodes {
		if more := b.more[output]; more != nil {
			dy = more(dy)
		}
		dx := b.normBackward(name, k, dy, x, inputs[1])
		grads := gorgonia.Nodes{dx, b.extract(name+".weight", dx)}
		if len(params) > 1 {
			grads = append(grads, b.extract(name+".bias", dx))
		}
		if other != nil {
			b.carry[x], grads[0], grads = dx, nil, append(grads, nil)
		}
		return grads
	}
	return b.apply(o, inputs...)
}

func (b *builder) normBackward(name string, k normKernel, dy, x, w *gorgonia.Node) *gorgonia.Node {
	dw, db := b.gradient(name+".weight"), b.optionalGradient(name+".bias")
	nodes := []*gorgonia.Node{dy, b.again(x, dy), w}
	if carry := b.carry[x]; carry != nil {
		nodes = append(nodes, carry)
	}
	o := (&op{name: name + " dx", touch: k.buffers(), over: 0}).matrix(b.N, k.C)
	o.run = func(dx []float32, in []gorgonia.Value) error {
		k.backward(dx, dw, db, f32(in[0]), f32(in[1]), f32(in[2]), optional(in, 3))
		return nil
	}
	return b.apply(o, nodes...)
}

// optional is the data of input i, nil if there is none.
func optional(in []gorgonia.Value, i int) []float32 {
	if i >= len(in) {
		return nil
	}
	return f32(in[i])
}

func allTrue(n int) []bool {
	all := make([]bool, n)
	for i := range all {
		all[i] = true
	}
	return all
}
