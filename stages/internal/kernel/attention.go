package kernel

import (
	"math"

	"ablate/stages/internal/kernel/arena"
	"ablate/stages/internal/kernel/matmul"
)

// queryBlock is the number of queries whose scores are held at once. It fills whole panels on every
// path, and is small, because the block on the diagonal is half wasted: 32 of 256 positions waste 6
// %.
const queryBlock = 32

// keyBlock is the number of keys that the backward pass takes at a time: packed keys and values,
// their gradients and two blocks of scores, of 64 channels, are 750 KB, so that they stay in L2
// while all queries pass. With every key at once 2048 of them take 3 MB.
const keyBlock = 512

// Attention is causal self-attention. qkv (B*T, 3*NH*HD), each row [q | k | v]; out (B*T, NH*HD);
// lse (B, NH, T), kept for AttentionBackward, may be nil. For each head:
//
//	s[i][j] = q[i].k[j] / sqrt(HD), j <= i;  lse[i] = log sum_j exp s[i][j]
//	out[i] = sum_j exp(s[i][j] - max s[i]) v[j] / sum_j exp(s[i][j] - max s[i])
//
// A worker takes one head of one sequence and holds the scores of queryBlock queries; T x T scores
// never exist.
func Attention(p *Pool, out, lse, qkv []float32, B, T, NH, HD int) {
	p.RunOn(B*NH, func(worker, i int) {
		i = p.headAt(i, B, NH)
		h := newHead(p, worker, i, T, NH, HD)
		var l []float32
		if lse != nil {
			l = lse[i*T : (i+1)*T]
		}
		h.forward(out[h.outAt:], l, qkv[h.at:])
	})
}

// AttentionBackward sets dqkv (B*T, 3*NH*HD) from dout and out (B*T, NH*HD), and from lse and qkv
// as they were in Attention. With P = exp(s - lse):
//
//	dV = P' dO;  D[i] = dO[i].out[i];  dS = P (dO V' - D) / sqrt(HD);  dQ = dS K;  dK = dS' Q
//
// (Dao et al., "FlashAttention", arXiv:2205.14135, appendix B.)
func AttentionBackward(p *Pool, dqkv, dout, out, lse, qkv []float32, B, T, NH, HD int) {
	p.RunOn(B*NH, func(worker, i int) {
		i = p.headAt(i, B, NH)
		h := newHead(p, worker, i, T, NH, HD)
		h.backward(dqkv[h.at:], dout[h.outAt:], out[h.outAt:], lse[i*T:(i+1)*T], qkv[h.at:])
	})
}

// headAt is the head that is taken i-th. Two heads of one sequence lie in the same rows, and
// workers that write into neighbouring lines at the same time disturb each other: so several take
// the first head of each sequence, then the second, and so on (the gradient on two cores: 2.0 times
// one instead of 1.6). One alone finds the rows near if it takes a sequence at a time.
func (p *Pool) headAt(i, B, NH int) int {
	if p.Active() == 1 {
		return i
	}
	return i%B*NH + i/B
}

// head is the work on one head of one sequence. Its slices of qkv and out begin at its own first
// element, with rows stride and C apart.
type head struct {
	k         *path
	w         *worker
	products  *matmul.Scratch
	T, HD     int
	C, stride int // NH*HD; 3*C
	at, outAt int // first element in qkv and in out
	scale     float32

	ld     int       // row length of the scores; not a multiple of 4 KB, which would make all rows meet in one cache set
	scores []float32 // (queryBlock, ld)
	grads  []float32 // (queryBlock, ld)
	deltas []float32 // whole query blocks
	packed [4][]float32

	peaks, sums [queryBlock]float32 // here, because what assembly is given by pointer would be allocated for each block
}

func newHead(p *Pool, worker, i, T, NH, HD int) *head {
	w := &p.work[worker]
	h := &w.head
	b, n := i/NH, i%NH
	*h = head{k: p.k, w: w, products: p.products.Scratch(worker), T: T, HD: HD, C: NH * HD, stride: 3 * NH * HD, scale: float32(1 / math.Sqrt(float64(HD)))}
	h.at = b*T*h.stride + n*HD
	h.outAt = b*T*h.C + n*HD
	return h
}

// reserve divides the worker's scratch: two blocks of scores, a number for each query and four
// packed operands, of so many keys by HD channels or the reverse.
func (h *head) reserve(keys int) {
	h.ld = upTo(keys) + lanes
	queries := (h.T + queryBlock - 1) / queryBlock * queryBlock
	operand := max(h.k.PackedSize(keys, h.HD), h.k.PackedSize(h.HD, max(keys, queryBlock)))
	size := 2*queryBlock*h.ld + len(h.packed)*operand + queries
	h.w.attn = arena.Grow(h.w.attn, size)
	s := h.w.attn
	h.scores, s = s[:queryBlock*h.ld], s[queryBlock*h.ld:]
	h.grads, s = s[:queryBlock*h.ld], s[queryBlock*h.ld:]
	for i := range h.packed {
		h.packed[i], s = s[:operand], s[operand:]
	}
	h.deltas = s[:queries]
}

func (h *head) forward(out, lse, q []float32) {
	h.reserve(h.T)
	k, key, value := h.k, q[h.C:], q[2*h.C:]
	keyT, values := h.packed[0], h.packed[1]
	k.Pack(keyT, key, h.stride, true, h.T, h.HD)
	k.Pack(values, value, h.stride, false, h.HD, h.T)
	for q0 := 0; q0 < h.T; q0 += queryBlock {
		q1 := min(h.T, q0+queryBlock)
		m := q1 - q0
		k.CausalBlock(h.products, m, q1, h.HD, q[q0*h.stride:], h.stride, 1, keyT, h.HD, h.scores, h.ld, q0)
		peaks, sums := &h.peaks, &h.sums
		h.softmax(peaks, sums, q0, q1)
		if lse != nil {
			for i := range m {
				lse[q0+i] = logf(sums[i]) + peaks[i]
			}
		}
		o := out[q0*h.C:]
		k.Block(h.products, m, h.HD, q1, h.scores, h.ld, 1, values, h.T, false, o, h.C)
		for i := range m {
			sums[i] = 1 / sums[i]
		}
		h.scaleRows(o, sums, m)
	}
}

// backward takes the keys in blocks and for each of them all queries that see it. Blocks change no
// bit: what a query gathers is a chain over the keys, what a key gathers is a chain over the
// queries, and both go on where the block before left them.
func (h *head) backward(dq, dout, out, lse, q []float32) {
	h.reserve(min(h.T, keyBlock))
	for q0 := 0; q0 < h.T; q0 += queryBlock {
		h.dotRows((*[queryBlock]float32)(h.deltas[q0:]), dout[q0*h.C:], out[q0*h.C:], min(queryBlock, h.T-q0))
	}
	for k0 := 0; k0 < h.T; k0 += keyBlock {
		h.backwardKeys(k0, min(h.T, k0+keyBlock), dq, dout, lse, q)
	}
}

// backwardKeys is backward for the keys k0 to k1.
func (h *head) backwardKeys(k0, k1 int, dq, dout, lse, q []float32) {
	k, key, value := h.k, q[k0*h.stride+h.C:], q[k0*h.stride+2*h.C:]
	dkey, dvalue := dq[k0*h.stride+h.C:], dq[k0*h.stride+2*h.C:]
	keyT, valueT, keys, rows := h.packed[0], h.packed[1], h.packed[2], h.packed[3]
	k.Pack(keyT, key, h.stride, true, k1-k0, h.HD)
	k.Pack(valueT, value, h.stride, true, k1-k0, h.HD)
	k.Pack(keys, key, h.stride, false, h.HD, k1-k0)
	for q0 := k0; q0 < h.T; q0 += queryBlock {
		q1 := min(h.T, q0+queryBlock)
		m, n := q1-q0, min(q1, k1)-k0 // queries, and keys that the last of them sees
		qb, do := q[q0*h.stride:], dout[q0*h.C:]
		k.CausalBlock(h.products, m, n, h.HD, qb, h.stride, 1, keyT, h.HD, h.scores, h.ld, q0-k0)
		k.CausalBlock(h.products, m, n, h.HD, do, h.C, 1, valueT, h.HD, h.grads, h.ld, q0-k0)
		h.scoreGrad(lse[q0:q1], (*[queryBlock]float32)(h.deltas[q0:]), q0-k0, n)
		k.Pack(rows, do, h.C, false, h.HD, m)
		h.gather(dvalue, h.scores, rows, q0-k0, n, m)
		k.Block(h.products, m, h.HD, n, h.grads, h.ld, 1, keys, k1-k0, k0 > 0, dq[q0*h.stride:], h.stride)
		k.Pack(rows, qb, h.stride, false, h.HD, m)
		h.gather(dkey, h.grads, rows, q0-k0, n, m)
	}
}

// gather adds the product of n columns of x (m, ld), transposed, and m packed rows to the gradient
// of the keys. Those from number seen on have had no queries before: theirs is set.
func (h *head) gather(dkey, x, rows []float32, seen, n, m int) {
	seen = min(seen, n)
	if seen > 0 {
		h.k.Block(h.products, seen, h.HD, m, x, 1, h.ld, rows, m, true, dkey, h.stride)
	}
	if seen < n {
		h.k.Block(h.products, n-seen, h.HD, m, x[seen:], 1, h.ld, rows, m, false, dkey[seen*h.stride:], h.stride)
	}
}

// softmax turns the scores of queries q0 to q1 into exp(a s - peak), where a is the scale and peak
// is a times the row's largest, and gives each row's peak and sum. Query i has the keys up to i:
// the rest of its row, up to whole lanes, becomes 0.
func (h *head) softmax(peaks, sums *[queryBlock]float32, q0, q1 int) {
	k, m, done := h.k, q1-q0, 0
	if k.scores != nil {
		if done = m &^ 3; done > 0 {
			k.scores.softmax(&h.scores[0], h.ld, done, q0+1, upTo(q1), &peaks[0], &sums[0], h.scale)
		}
	}
	for i := done; i < m; i++ {
		s := h.masked(i, q0+i+1)
		peaks[i] = float32(k.rowMax(s) * h.scale) // the conversion forbids fusing
		sums[i] = k.rowExp(s, s, h.scale, peaks[i])
		clear(h.scores[i*h.ld+len(s) : i*h.ld+upTo(q1)])
	}
}

// scoreGrad turns the scores of the queries of lse and a block of n keys into P = exp(a s - lse),
// and the gradients d of P into those of the scores, P (d - delta) a. The first query has the keys
// up to number last of the block, each further one a key more. What lies in the future becomes 0 in
// both, whatever it was.
func (h *head) scoreGrad(lse []float32, delta *[queryBlock]float32, last, n int) {
	k, done := h.k, 0
	if k.scores != nil {
		if done = len(lse) &^ 3; done > 0 {
			k.scores.scoreGrad(&h.scores[0], &h.grads[0], h.ld, done, last+1, upTo(n), &lse[0], &delta[0], h.scale)
		}
	}
	for i := done; i < len(lse); i++ {
		seen := min(last+i+1, n)
		s := h.masked(i, seen)
		k.rowExp(s, s, h.scale, lse[i])
		clear(h.scores[i*h.ld+len(s) : i*h.ld+upTo(n)])
		d := h.grads[i*h.ld:][:upTo(n)]
		k.rowScoreGrad(d[:len(s)], s, delta[i], h.scale)
		clear(d[seen:])
	}
}

// scaleRows multiplies row i of o by by[i].
func (h *head) scaleRows(o []float32, by *[queryBlock]float32, m int) {
	if h.k.scores != nil && h.HD%lanes == 0 {
		h.k.scores.scale(&o[0], h.C, m, h.HD, &by[0])
		return
	}
	for i := range m {
		h.k.rowScale(o[i*h.C:i*h.C+h.HD], by[i])
	}
}

// dotRows sets dots[i] = x[i].y[i].
func (h *head) dotRows(dots *[queryBlock]float32, x, y []float32, m int) {
	if h.k.scores != nil && h.HD%lanes == 0 {
		h.k.scores.dot(&dots[0], &x[0], &y[0], h.C, m, h.HD)
		return
	}
	for i := range m {
		dots[i] = h.k.rowDot(x[i*h.C:i*h.C+h.HD], y[i*h.C:i*h.C+h.HD])
	}
}

// masked returns the first n scores of row i, filled up to whole lanes with -Inf, whose exponential
// adds 0 to a sum and changes no bit.
func (h *head) masked(i, n int) []float32 {
	s := h.scores[i*h.ld : i*h.ld+upTo(n)]
	for j := n; j < len(s); j++ {
		s[j] = negInf
	}
	return s
}

// upTo rounds n up to whole lanes.
func upTo(n int) int { return whole(n + lanes - 1) }

// rowScoreGrad sets d[i] = p[i] (d[i]-delta) a.
func rowScoreGrad(d, p []float32, delta, a float32) {
	p = p[:len(d)]
	for i := range d {
		d[i] = p[i] * float32(float32(d[i]-delta)*a)
	}
}
