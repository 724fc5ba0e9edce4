package kernel

import "math"

// queryBlock is the number of queries whose scores are held at once. It fills
// whole panels on every path, and is small, because the block on the diagonal
// is half wasted: 32 of 256 positions waste 6 %.
const queryBlock = 32

// Attention is causal self-attention. qkv (B*T, 3*NH*HD), each row [q | k | v];
// out (B*T, NH*HD); lse (B, NH, T), kept for AttentionBackward, may be nil. For
// each head:
//
//	s[i][j] = q[i].k[j] / sqrt(HD), j <= i;  lse[i] = log sum_j exp s[i][j]
//	out[i] = sum_j exp(s[i][j] - max s[i]) v[j] / sum_j exp(s[i][j] - max s[i])
//
// A worker takes one head of one sequence and holds the scores of queryBlock
// queries; T x T scores never exist.
func Attention(p *Pool, out, lse, qkv []float32, B, T, NH, HD int) {
	p.run(B*NH, func(w *worker, i int) {
		h := newHead(p.k, w, i, T, NH, HD)
		var l []float32
		if lse != nil {
			l = lse[i*T : (i+1)*T]
		}
		h.forward(out[h.outAt:], l, qkv[h.at:])
	})
}

// AttentionBackward sets dqkv (B*T, 3*NH*HD) from dout and out (B*T, NH*HD),
// and from lse and qkv as they were in Attention. With P = exp(s - lse):
//
//	dV = P' dO;  D[i] = dO[i].out[i];  dS = P (dO V' - D) / sqrt(HD);  dQ = dS K;  dK = dS' Q
//
// (Dao et al., "FlashAttention", arXiv:2205.14135, appendix B.)
func AttentionBackward(p *Pool, dqkv, dout, out, lse, qkv []float32, B, T, NH, HD int) {
	p.run(B*NH, func(w *worker, i int) {
		h := newHead(p.k, w, i, T, NH, HD)
		h.backward(dqkv[h.at:], dout[h.outAt:], out[h.outAt:], lse[i*T:(i+1)*T], qkv[h.at:])
	})
}

// head is the work on one head of one sequence. Its slices of qkv and out begin
// at its own first element, with rows stride and C apart.
type head struct {
	k         *path
	w         *worker
	T, HD     int
	C, stride int // NH*HD; 3*C
	at, outAt int // first element in qkv and in out
	scale     float32

	ld     int       // row length of the scores; not a multiple of 4 KB, which would make all rows meet in one cache set
	scores []float32 // (queryBlock, ld)
	grads  []float32 // (queryBlock, ld)
	packed [4][]float32
}

func newHead(k *path, w *worker, i, T, NH, HD int) *head {
	h := &w.head
	b, n := i/NH, i%NH
	*h = head{k: k, w: w, T: T, HD: HD, C: NH * HD, stride: 3 * NH * HD, scale: float32(1 / math.Sqrt(float64(HD)))}
	h.at = b*T*h.stride + n*HD
	h.outAt = b*T*h.C + n*HD
	h.ld = upTo(T) + lanes
	return h
}

// reserve divides the worker's scratch: two blocks of scores and four packed
// operands, of T columns by HD rows or the reverse.
func (h *head) reserve() {
	operand := max(h.k.packedSize(h.T, h.HD), h.k.packedSize(h.HD, max(h.T, queryBlock)))
	size := 2*queryBlock*h.ld + len(h.packed)*operand
	h.w.attn = grow(h.w.attn, size)
	s := h.w.attn
	h.scores, s = s[:queryBlock*h.ld], s[queryBlock*h.ld:]
	h.grads, s = s[:queryBlock*h.ld], s[queryBlock*h.ld:]
	for i := range h.packed {
		h.packed[i], s = s[:operand], s[operand:]
	}
}

func (h *head) forward(out, lse, q []float32) {
	h.reserve()
	k, key, value := h.k, q[h.C:], q[2*h.C:]
	keyT, values := h.packed[0], h.packed[1]
	k.pack(keyT, key, h.stride, true, h.T, h.HD)
	k.pack(values, value, h.stride, false, h.HD, h.T)
	for q0 := 0; q0 < h.T; q0 += queryBlock {
		q1 := min(h.T, q0+queryBlock)
		m := q1 - q0
		k.block(h.w, m, q1, h.HD, q[q0*h.stride:], h.stride, 1, keyT, h.HD, false, h.scores, h.ld)
		var peaks, sums [queryBlock]float32
		h.softmax(&peaks, &sums, q0, q1)
		if lse != nil {
			for i := range m {
				lse[q0+i] = logf(sums[i]) + peaks[i]
			}
		}
		o := out[q0*h.C:]
		k.block(h.w, m, h.HD, q1, h.scores, h.ld, 1, values, h.T, false, o, h.C)
		for i := range m {
			sums[i] = 1 / sums[i]
		}
		h.scaleRows(o, &sums, m)
	}
}

func (h *head) backward(dq, dout, out, lse, q []float32) {
	h.reserve()
	k, key, value := h.k, q[h.C:], q[2*h.C:]
	dkey, dvalue := dq[h.C:], dq[2*h.C:]
	keyT, valueT, keys, rows := h.packed[0], h.packed[1], h.packed[2], h.packed[3]
	k.pack(keyT, key, h.stride, true, h.T, h.HD)
	k.pack(valueT, value, h.stride, true, h.T, h.HD)
	k.pack(keys, key, h.stride, false, h.HD, h.T)
	for t := range h.T {
		clear(dkey[t*h.stride : t*h.stride+h.HD])
		clear(dvalue[t*h.stride : t*h.stride+h.HD])
	}
	for q0 := 0; q0 < h.T; q0 += queryBlock {
		q1 := min(h.T, q0+queryBlock)
		m := q1 - q0
		qb, do := q[q0*h.stride:], dout[q0*h.C:]
		k.block(h.w, m, q1, h.HD, qb, h.stride, 1, keyT, h.HD, false, h.scores, h.ld)
		k.block(h.w, m, q1, h.HD, do, h.C, 1, valueT, h.HD, false, h.grads, h.ld)
		var delta [queryBlock]float32
		h.dotRows(&delta, do, out[q0*h.C:], m)
		h.scoreGrad(lse[q0:q1], &delta, q0, q1)
		k.pack(rows, do, h.C, false, h.HD, m)
		k.block(h.w, q1, h.HD, m, h.scores, 1, h.ld, rows, m, true, dvalue, h.stride)
		k.block(h.w, m, h.HD, q1, h.grads, h.ld, 1, keys, h.T, false, dq[q0*h.stride:], h.stride)
		k.pack(rows, qb, h.stride, false, h.HD, m)
		k.block(h.w, q1, h.HD, m, h.grads, 1, h.ld, rows, m, true, dkey, h.stride)
	}
}

// softmax turns the scores of queries q0 to q1 into exp(a s - peak), where a is the scale and peak is a times the row's largest, and gives
// each row's peak and sum. Query i has the keys up to i: the rest of its row, up to whole lanes, becomes 0.
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

// scoreGrad turns the scores of queries q0 to q1 into P = exp(a s - lse), and the gradients d of P into those of the scores, P (d - delta) a.
// What lies in the future becomes 0 in both, whatever it was.
func (h *head) scoreGrad(lse []float32, delta *[queryBlock]float32, q0, q1 int) {
	k, m, done := h.k, q1-q0, 0
	if k.scores != nil {
		if done = m &^ 3; done > 0 {
			k.scores.scoreGrad(&h.scores[0], &h.grads[0], h.ld, done, q0+1, upTo(q1), &lse[0], &delta[0], h.scale)
		}
	}
	for i := done; i < m; i++ {
		n := q0 + i + 1
		s := h.masked(i, n)
		k.rowExp(s, s, h.scale, lse[i])
		clear(h.scores[i*h.ld+len(s) : i*h.ld+upTo(q1)])
		d := h.grads[i*h.ld:][:upTo(q1)]
		k.rowScoreGrad(d[:len(s)], s, delta[i], h.scale)
		clear(d[n:])
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

// masked returns the first n scores of row i, filled up to whole lanes with -Inf, whose exponential adds 0 to a sum and changes no bit.
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
