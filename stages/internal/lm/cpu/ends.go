package cpu

import (
	"gorgonia.org/gorgonia"

	"ablate/stages/internal/kernel"
)

// embed is x = rows of the table: tokens (N) -> (N, C). It has a gradient for the table only.
func (b *builder) embed(name string, ids *gorgonia.Node) *gorgonia.Node {
	C, p := b.e.arch.DModel, b.pool
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

// headRows is how many rows of logits exist at a time: the (N, V) matrix of a large vocabulary
// would dwarf everything else (2048 rows of 50304 words are 412 MB). It changes no bit: every row's
// loss is its own, and each element of the head's gradient is one chain over the rows, continued
// from chunk to chunk.
const headRows = 512

// headLoss is the head and the cross entropy: h (N, C), W (V, C) -> sum of -log softmax(h
// Wᵀ)[target].
//
// Softmax, loss and both gradients of a chunk are computed while its logits are in hand, so in
// training the forward operation already leaves dh and adds to dW, for the scale of the batch; the
// gradient nodes only hand them out. They have the loss as child, so the order stays an edge of the
// graph.
func (b *builder) headLoss(name string, h, targets *gorgonia.Node) *gorgonia.Node {
	N, C, batch := b.N, b.e.arch.DModel, b.batch
	k := newHeadKernel(b)
	o := &op{name: "head", diff: []bool{true, true, false}, over: -1, typ: scalarType}
	o.value = gorgonia.NewF32(0) // the loss itself is summed in float64 from batch.nats
	var dh *buffer
	if b.train {
		dh = newBuffer(N * C)
		dw := b.gradient(name)
		o.touch = []*buffer{k.logits, dh}
		o.run = func(_ []float32, in []gorgonia.Value) error {
			h, w, targets := f32(in[0]), f32(in[1]), i32(in[2])
			for r := 0; r < N; r += k.rows {
				n := min(k.rows, N-r)
				k.train(batch.nats[r:], dh.data[r*C:], dw, h[r*C:], w, targets[r:], n, batch.scale)
			}
			return nil
		}
	} else {
		scored := newBuffer(k.rows * C)
		o.touch = []*buffer{k.logits, scored}
		pick := picker{at: make([]int, k.rows), targets: make([]int32, k.rows), nats: make([]float32, k.rows)}
		o.run = func(_ []float32, in []gorgonia.Value) error {
			h, w, targets := f32(in[0]), f32(in[1]), i32(in[2])
			clear(batch.nats)
			for next := 0; next < N; {
				var n int
				if n, next = pick.rows(scored.data, h, targets, next, C); n == 0 {
					continue
				}
				k.evaluate(pick.nats, scored.data, w, pick.targets, n)
				for i, r := range pick.at[:n] {
					batch.nats[r] = pick.nats[i]
				}
			}
			return nil
		}
	}
	o.sym = func(_ gorgonia.Nodes, output, grad *gorgonia.Node) gorgonia.Nodes {
		d := &op{name: "head dx", over: -1, typ: tensorType(2), shape: []int{N, C}, buf: dh}
		d.run = func([]float32, []gorgonia.Value) error { return nil }
		return gorgonia.Nodes{b.apply(d, output, grad), b.extract(name, output), nil}
	}
	return b.apply(o, h, b.param(name), targets)
}

// headKernel computes one chunk of rows.
type headKernel struct {
	p          *kernel.Pool
	gemm       gemm
	rows, C, V int
	logits     *buffer // (rows, V)
}

func newHeadKernel(b *builder) headKernel {
	k := headKernel{p: b.pool, gemm: b.gemm, rows: min(b.N, headRows), C: b.e.arch.DModel, V: b.e.arch.Vocab}
	k.logits = newBuffer(k.rows * k.V)
	return k
}

func (k headKernel) multiply(h, w []float32, n int) {
	k.gemm(k.p, false, true, n, k.V, k.C, h, k.C, w, k.C, 0, k.logits.data, k.V)
}

func (k headKernel) evaluate(nats, h, w []float32, targets []int32, n int) {
	k.multiply(h, w, n)
	kernel.CrossEntropy(k.p, nats, k.logits.data, targets, n, k.V)
}

func (k headKernel) train(nats, dh, dw, h, w []float32, targets []int32, n int, scale float32) {
	k.multiply(h, w, n)
	kernel.CrossEntropyGradient(k.p, nats, k.logits.data, targets, n, k.V, scale)
	k.gemm(k.p, false, false, n, k.C, k.V, k.logits.data, k.V, w, k.C, 0, dh, k.C)
	k.gemm(k.p, true, false, k.V, k.C, n, k.logits.data, k.V, h, k.C, 1, dw, k.C)
}

// picker gathers the rows whose target is not ignored: an evaluation ignores the context of its
// windows and the padding of short rows, and the head, the largest matrix of a small model, need
// not see them.
type picker struct {
	at      []int // rows picked
	targets []int32
	nats    []float32
}

// rows copies scored rows of h, from row next on and as many as there is room for, to dst; it
// returns their number and where to go on.
func (k *picker) rows(dst, h []float32, targets []int32, next, C int) (n, after int) {
	for ; next < len(targets) && n < len(k.at); next++ {
		if targets[next] >= 0 {
			copy(dst[n*C:(n+1)*C], h[next*C:])
			k.at[n], k.targets[n] = next, targets[next]
			n++
		}
	}
	return n, next
}
