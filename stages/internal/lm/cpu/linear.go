package cpu

import (
	"gorgonia.org/gorgonia"

	"ablate/stages/internal/kernel"
	"ablate/stages/internal/lm"
)

// residualKind says who returns the gradient of a residual input.
type residualKind uint8

const (
	// carried: a norm reads the residual too and adds this gradient to its own, see builder.carry.
	carried residualKind = iota
	// direct: nobody else reads it; its gradient is the gradient of the sum.
	direct
)

// linear is y = x Wᵀ + bias; x (N, in), W (out, in), y (N, out). shared says that another linear
// layer has taken charge of the gradient of x, and this one only adds its part (see builder.more).
func (b *builder) linear(name string, x *gorgonia.Node, in, out int, shared bool) *gorgonia.Node {
	return b.affine(name, x, nil, in, out, shared, direct)
}

// linearAdd is y = res + x Wᵀ + bias; res, y (N, out).
func (b *builder) linearAdd(name string, x, res *gorgonia.Node, in, out int, kind residualKind) *gorgonia.Node {
	return b.affine(name, x, res, in, out, false, kind)
}

func (b *builder) affine(name string, x, res *gorgonia.Node, in, out int, shared bool, kind residualKind) *gorgonia.Node {
	N, p := b.N, b.pool
	nodes := []*gorgonia.Node{x, b.param(name + ".weight")}
	o := (&op{name: name, diff: []bool{!shared, true}, over: -1, redo: lm.Layers}).matrix(N, out)
	bias, residual := -1, -1 // their places among the inputs
	if b.e.arch.LinearBias {
		bias = len(nodes)
		nodes, o.diff = append(nodes, b.param(name+".bias")), append(o.diff, true)
	}
	if res != nil {
		residual = len(nodes)
		nodes, o.diff = append(nodes, res), append(o.diff, kind == direct)
		o.over = residual
	}
	o.run = func(y []float32, in_ []gorgonia.Value) error {
		beta := float32(0)
		if residual >= 0 {
			copyRows(p, y, f32(in_[residual]))
			beta = 1
		}
		b.gemm(p, false, true, N, out, in, f32(in_[0]), in, f32(in_[1]), in, beta, y, out)
		if bias >= 0 {
			kernel.AddBias(p, y, f32(in_[bias]), N, out)
		}
		return nil
	}
	o.sym = func(inputs gorgonia.Nodes, _, dy *gorgonia.Node) gorgonia.Nodes {
		grads := make(gorgonia.Nodes, len(inputs))
		w := inputs[1]
		if shared {
			b.more[x] = func(dx *gorgonia.Node) *gorgonia.Node { return b.linearInput(name, dy, w, dx, in, out) }
		} else {
			grads[0] = b.linearInput(name, dy, w, nil, in, out)
		}
		grads[1] = b.linearWeight(name, dy, b.again(x, dy), in, out)
		if bias >= 0 {
			grads[bias] = b.linearBias(name, dy, out)
		}
		if residual >= 0 {
			if kind == direct {
				grads[residual] = dy
			} else {
				b.carry[res] = dy
			}
		}
		return grads
	}
	return b.apply(o, nodes...)
}

// linearInput is dx = dy W, or dx = before + dy W.
func (b *builder) linearInput(name string, dy, w, before *gorgonia.Node, in, out int) *gorgonia.Node {
	N, p := b.N, b.pool
	nodes := []*gorgonia.Node{dy, w}
	o := (&op{name: name + " dx", over: -1}).matrix(N, in)
	if before != nil {
		nodes = append(nodes, before)
		o.over = 2
	}
	o.run = func(dx []float32, in_ []gorgonia.Value) error {
		beta := float32(0)
		if before != nil {
			copyRows(p, dx, f32(in_[2]))
			beta = 1
		}
		b.gemm(p, false, false, N, in, out, f32(in_[0]), out, f32(in_[1]), in, beta, dx, in)
		return nil
	}
	return b.apply(o, nodes...)
}

// linearWeight is dW += dyᵀ x.
func (b *builder) linearWeight(name string, dy, x *gorgonia.Node, in, out int) *gorgonia.Node {
	name += ".weight"
	N, p, dw := b.N, b.pool, b.gradient(name)
	o := &op{name: "d " + name, run: func(_ []float32, in_ []gorgonia.Value) error {
		b.gemm(p, true, false, out, in, N, f32(in_[0]), out, f32(in_[1]), in, 1, dw, in)
		return nil
	}}
	return b.apply(b.gradientOf(o, name), dy, x)
}

// linearBias is db += the column sums of dy.
func (b *builder) linearBias(name string, dy *gorgonia.Node, out int) *gorgonia.Node {
	name += ".bias"
	N, p, db := b.N, b.pool, b.gradient(name)
	o := &op{name: "d " + name, run: func(_ []float32, in_ []gorgonia.Value) error {
		kernel.BiasBackward(p, db, f32(in_[0]), N, out)
		return nil
	}}
	return b.apply(b.gradientOf(o, name), dy)
}

// add is y = x + res; its gradient passes through to both.
func (b *builder) add(name string, x, res *gorgonia.Node, cols int, kind residualKind) *gorgonia.Node {
	p := b.pool
	o := (&op{name: name, diff: []bool{true, kind == direct}, over: 1, redo: lm.Cheap}).matrix(b.N, cols)
	o.run = func(y []float32, in []gorgonia.Value) error {
		kernel.Add(p, y, f32(in[1]), f32(in[0]))
		return nil
	}
	o.sym = func(_ gorgonia.Nodes, _, dy *gorgonia.Node) gorgonia.Nodes {
		if kind == direct {
			return gorgonia.Nodes{dy, dy}
		}
		b.carry[res] = dy
		return gorgonia.Nodes{dy, nil}
	}
	return b.apply(o, x, res)
}

// copyRows copies src to dst on all workers, unless they are the same memory.
func copyRows(p *kernel.Pool, dst, src []float32) {
	if &dst[0] != &src[0] {
		inBlocks(p, len(dst), func(lo, hi int) { copy(dst[lo:hi], src[lo:hi]) })
	}
}

// inBlocks calls f for consecutive parts of [0, n) on all workers.
func inBlocks(p *kernel.Pool, n int, f func(lo, hi int)) {
	const block = 1 << 15 // 128 KiB of float32s: large enough that handing it out costs nothing
	p.Run((n+block-1)/block, func(i int) { f(i*block, min((i+1)*block, n)) })
}
