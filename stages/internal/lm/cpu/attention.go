package cpu

import (
	"gorgonia.org/gorgonia"

	"ablate/stages/internal/kernel"
	"ablate/stages/internal/lm"
)

// attention is y = res + attn_out(softmax(q kᵀ / sqrt(D)) v) over the heads, causal; q, k, v =
// att_proj(h). h, res, y (N, C).
func (b *builder) attention(name string, h, res *gorgonia.Node) *gorgonia.Node {
	c := b.e.arch
	C := c.DModel
	qkv := b.linear(name+"att_proj", h, C, 3*C, false) // (N, 3C), rows [q | k | v], each H heads of D
	if c.QKNorm {
		qkv = b.qkNorm(name, qkv)
	}
	o := b.heads(name+"attention", b.rope(name+"rope", qkv))
	if c.AttentionOutput {
		return b.linearAdd(name+"attn_out", o, res, C, C, carried)
	}
	return b.add(name+"attn_add", o, res, C, carried)
}

// qkNorm normalises q and k, each over all of its C channels; v passes.
func (b *builder) qkNorm(name string, qkv *gorgonia.Node) *gorgonia.Node {
	N, C, p := b.N, b.e.arch.DModel, b.pool
	q, k := b.normKernel(3*C), b.normKernel(3*C)
	params := append(b.normParams(name+"q_norm"), b.normParams(name+"k_norm")...)
	each := len(params) / 2 // parameters of one norm
	o := (&op{name: name + "qk_norm", diff: allTrue(1 + len(params)), touch: append(q.buffers(), k.buffers()...), over: 0, redo: lm.Cheap}).matrix(N, 3*C)
	o.run = func(y []float32, in []gorgonia.Value) error {
		x := f32(in[0])
		q.forward(y, x, f32(in[1]), optional(in[:1+each], 2))
		k.forward(y[C:], x[C:], f32(in[1+each]), optional(in, 2+each))
		if &y[0] != &x[0] {
			p.Run(N, func(i int) { copy(y[i*3*C+2*C:(i+1)*3*C], x[i*3*C+2*C:]) })
		}
		return nil
	}
	o.sym = func(inputs gorgonia.Nodes, _, dy *gorgonia.Node) gorgonia.Nodes {
		dx := b.qkNormBackward(name, q, k, dy, qkv, inputs[1], inputs[1+each])
		grads := gorgonia.Nodes{dx}
		for _, norm := range []string{"q_norm", "k_norm"} {
			grads = append(grads, b.extract(name+norm+".weight", dx))
			if each > 1 {
				grads = append(grads, b.extract(name+norm+".bias", dx))
			}
		}
		return grads
	}
	return b.apply(o, append([]*gorgonia.Node{qkv}, params...)...)
}

func (b *builder) qkNormBackward(name string, q, k normKernel, dy, qkv, qw, kw *gorgonia.Node) *gorgonia.Node {
	N, C, p := b.N, b.e.arch.DModel, b.pool
	dqw, dqb := b.gradient(name+"q_norm.weight"), b.optionalGradient(name+"q_norm.bias")
	dkw, dkb := b.gradient(name+"k_norm.weight"), b.optionalGradient(name+"k_norm.bias")
	o := (&op{name: name + "qk_norm dx", touch: append(q.buffers(), k.buffers()...), over: 0}).matrix(N, 3*C)
	o.run = func(dx []float32, in []gorgonia.Value) error {
		dy, x := f32(in[0]), f32(in[1])
		q.backward(dx, dqw, dqb, dy, x, f32(in[2]), nil)
		k.backward(dx[C:], dkw, dkb, dy[C:], x[C:], f32(in[3]), nil)
		if &dx[0] != &dy[0] {
			p.Run(N, func(i int) { copy(dx[i*3*C+2*C:(i+1)*3*C], dy[i*3*C+2*C:]) })
		}
		return nil
	}
	return b.apply(o, dy, b.again(qkv, dy), qw, kw)
}

// rope turns q and k by the angles of their positions; v passes. Its backward pass turns back.
func (b *builder) rope(name string, qkv *gorgonia.Node) *gorgonia.Node {
	o := b.rotation(name, false)
	o.diff, o.redo = []bool{true}, lm.Cheap
	o.sym = func(_ gorgonia.Nodes, _, dy *gorgonia.Node) gorgonia.Nodes {
		return gorgonia.Nodes{b.apply(b.rotation(name+" dx", true), dy)}
	}
	return b.apply(o, qkv)
}

func (b *builder) rotation(name string, inverse bool) *op {
	B, T, C, H, p, table := b.B, b.T, b.e.arch.DModel, b.e.arch.Heads, b.pool, b.e.rope
	o := (&op{name: name, over: 0}).matrix(b.N, 3*C)
	o.run = func(y []float32, in []gorgonia.Value) error {
		copyRows(p, y, f32(in[0]))
		kernel.Rope(p, y, table, B, T, 3*C, 2*H, C/H, inverse) // q's heads and k's lie side by side
		return nil
	}
	return o
}

// heads is causal attention of every head: (N, 3C) -> (N, C).
func (b *builder) heads(name string, qkv *gorgonia.Node) *gorgonia.Node {
	B, T, C, H, p := b.B, b.T, b.e.arch.DModel, b.e.arch.Heads, b.pool
	o := (&op{name: name, diff: []bool{true}, over: -1, redo: lm.Layers}).matrix(b.N, C)
	lse := &buffer{} // log of the softmax's denominator per head and query, for the backward pass alone
	if b.train {
		lse = newBuffer(b.N * H)
		o.touch = []*buffer{lse}
	}
	o.run = func(y []float32, in []gorgonia.Value) error {
		kernel.Attention(p, y, lse.data, f32(in[0]), B, T, H, C/H)
		return nil
	}
	o.sym = func(_ gorgonia.Nodes, output, dy *gorgonia.Node) gorgonia.Nodes {
		d := (&op{name: name + " dx", touch: []*buffer{lse}, over: -1}).matrix(b.N, 3*C)
		d.run = func(dx []float32, in []gorgonia.Value) error {
			kernel.AttentionBackward(p, dx, f32(in[0]), f32(in[1]), lse.data, f32(in[2]), B, T, H, C/H)
			return nil
		}
		return gorgonia.Nodes{b.apply(d, dy, b.again(output, dy), b.again(qkv, dy))}
	}
	return b.apply(o, qkv)
}
