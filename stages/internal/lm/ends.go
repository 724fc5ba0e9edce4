package lm

import (
	"gorgonia.org/gorgonia"

	"ablate/stages/internal/kernel"
)

// embed is x = rows of the table: tokens (N) -> (N, C). It has a gradient for the table only.
func (b *builder) embed(name string, ids *gorgonia.Node) *gorgonia.Node {
	C, p := b.e.cfg.DModel, b.pool
	o := (&op{name: "embed", diff: []bool{true, false}, over: -1}).matrix(b.N, C)
	o.run = func(y []float32, in []gorgonia.Value) error {
		kernel.Embed(p, y, f32(in[0]), i32(in[1]), C)
		return nil
	}
	o.sym = func(_ gorgonia.Nodes, _, dy *gorgonia.Node) gorgonia.Nodes {
		dw := b.gradient(name)
		d := &op{name: "embed d " + name, run: func(_ []float32, in []gorgonia.Value) error {
			kernel.EmbedBackward(p, dw, f32(in[0]), i32(in[1]), C)
			return nil
		}}
		return gorgonia.Nodes{b.apply(b.gradientOf(d, name), dy, ids), nil}
	}
	return b.apply(o, b.param(name), ids)
}

// headRows is how many rows of logits exist at a time: the (N, V) matrix of a large vocabulary would dwarf everything else
// (2048 rows of 50304 words are 412 MB). It changes no bit: every row's loss is its own, and each element of the head's
// gradient is one chain over the rows, continued from chunk to chunk.
const headRows = 512

// headLoss is the head and the cross entropy: h (N, C), W (V, C) -> sum of -log softmax(h Wᵀ)[target].
//
// Softmax, loss and both gradients of a chunk are computed while its logits are in hand, so in training the forward
// operation already leaves dh and adds to dW, for the scale of the batch; the gradient nodes only hand them out. They have
// the loss as child, so the order stays an edge of the graph.
func (b *builder) headLoss(name string, h, targets *gorgonia.Node) *gorgonia.Node {
	N, C, V, p, batch := b.N, b.e.cfg.DModel, b.e.cfg.Vocab, b.pool, b.batch
	R := min(N, headRows)
	logits, lse := newBuffer(R*V), newBuffer(R)
	o := &op{name: "head", diff: []bool{true, true, false}, touch: []*buffer{logits, lse}, over: -1, typ: scalarType}
	var dh *buffer
	var dw []float32
	if b.train {
		dh, dw = newBuffer(N*C), b.gradient(name)
		o.touch = append(o.touch, dh)
	}
	o.value = gorgonia.NewF32(0) // the loss itself is summed in float64 from batch.nats
	o.run = func(_ []float32, in []gorgonia.Value) error {
		h, w, targets := f32(in[0]), f32(in[1]), i32(in[2])
		for r := 0; r < N; r += R {
			n := min(R, N-r)
			hr, tr := h[r*C:(r+n)*C], targets[r:r+n]
			kernel.Gemm(p, false, true, n, V, C, hr, C, w, C, 0, logits.data, V)
			kernel.CrossEntropy(p, batch.nats[r:r+n], lse.data, logits.data, tr, n, V)
			if dh != nil {
				kernel.CrossEntropyBackward(p, logits.data, lse.data, tr, n, V, batch.scale)
				kernel.Gemm(p, false, false, n, C, V, logits.data, V, w, C, 0, dh.data[r*C:], C)
				kernel.Gemm(p, true, false, V, C, n, logits.data, V, hr, C, 1, dw, C)
			}
		}
		return nil
	}
	o.sym = func(_ gorgonia.Nodes, output, grad *gorgonia.Node) gorgonia.Nodes {
		d := &op{name: "head dx", over: -1, typ: tensorType(2), shape: []int{N, C}, buf: dh}
		d.run = func([]float32, []gorgonia.Value) error { return nil }
		return gorgonia.Nodes{b.apply(d, output, grad), b.extract(name, output), nil}
	}
	return b.apply(o, h, b.param(name), targets)
}
