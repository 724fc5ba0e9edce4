package kernel

import "math"

// queryBlock is the number of queries whose scores are held at once. It fills
// whole panels on every path, and is small, because the block on the diagonal
// is half wasted: 32 of 256 positions waste 6 %.
const queryBlock = 32

// Attention is causal self-attention. qkv (B*T, 3*NH*HD), each row [q | k | v];
// out (B*T, NH*HD); lse (B, NH, T), kept for AttentionBackward. For each head:
//
//	s[i][j] = q[i].k[j] / sqrt(HD), j <= i;  lse[i] = log sum_j exp s[i][j]
//	out[i] = sum_j exp(s[i][j] - max s[i]) v[j] / sum_j exp(s[i][j] - max s[i])
//
// A worker takes one head of one sequence and holds the scores of queryBlock
// queries; T x T scores never exist.
func Attention(p *Pool, out, lse, qkv []float32, B, T, NH, HD int) {
	p.run(B*NH, func(w *worker, i int) {
		h := newHead(p.k, w, i, T, NH, HD)
		h.forward(out[h.outAt:], lse[i*T:(i+1)*T], qkv[h.at:])
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
		var inverse [queryBlock]float32
		for i := range m {
			s := h.masked(i, q0+i+1)
			peak := float32(k.rowMax(s) * h.scale) // the conversion forbids fusing
			sum := k.rowExp(s, s, h.scale, peak)
			lse[q0+i] = logf(sum) + peak
			inverse[i] = 1 / sum
			clear(h.scores[i*h.ld+len(s) : i*h.ld+upTo(q1)])
		}
		o := out[q0*h.C:]
		k.block(h.w, m, h.HD, q1, h.scores, h.ld, 1, values, h.T, false, o, h.C)
		for i := range m {
			k.rowScale(o[i*h.C:i*h.C+h.HD], inverse[i])
		}
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
		for i := range m {
			s := h.masked(i, q0+i+1)
			k.rowExp(s, s, h.scale, lse[q0+i])
			clear(h.scores[i*h.ld+len(s) : i*h.ld+upTo(q1)])
		}
		k.pack(rows, do, h.C, false, h.HD, m)
		k.block(h.w, q1, h.HD, m, h.scores, 1, h.ld, rows, m, true, dvalue, h.stride)
		for i := range m {
			delta := k.rowDot(do[i*h.C:i*h.C+h.HD], out[(q0+i)*h.C:(q0+i)*h.C+h.HD])
			s := h.scores[i*h.ld : (i+1)*h.ld]
			k.rowScoreGrad(s[:upTo(q0+i+1)], h.grads[i*h.ld:], delta, h.scale)
			clear(s[q0+i+1 : upTo(q1)]) // whatever the gradients of the future are
		}
		k.block(h.w, m, h.HD, q1, h.scores, h.ld, 1, keys, h.T, false, dq[q0*h.stride:], h.stride)
		k.pack(rows, qb, h.stride, false, h.HD, m)
		k.block(h.w, q1, h.HD, m, h.scores, 1, h.ld, rows, m, true, dkey, h.stride)
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

// rowScoreGrad sets s[i] *= (d[i]-delta) a.
func rowScoreGrad(s, d []float32, delta, a float32) {
	d = d[:len(s)]
	for i := range s {
		s[i] *= float32(d[i]-delta) * a
	}
}
