package kernel

import "math"

// Attention is causal self-attention. qkv (B*T, 3*NH*HD), each row [q | k | v];
// out (B*T, NH*HD); lse (B, NH, T), kept for AttentionBackward. For each head:
//
//	s[i][j] = q[i].k[j] / sqrt(HD), j <= i;  lse[i] = log sum_j exp s[i][j]
//	out[i] = sum_j exp(s[i][j] - lse[i]) v[j]
func Attention(p *Pool, out, lse, qkv []float32, B, T, NH, HD int) {
	C := NH * HD
	scale := float32(1 / math.Sqrt(float64(HD)))
	p.run(B*NH, func(w *worker, i int) {
		b, h := i/NH, i%NH
		w.attn = grow(w.attn, T)
		x := qkv[b*T*3*C:]
		for t := range T {
			s := w.attn[:t+1]
			refGemm(false, true, 1, t+1, HD, x[t*3*C+h*HD:], 3*C, x[C+h*HD:], 3*C, 0, s, T)
			m := rowMax(s) * scale
			sum := rowExp(s, s, scale, m)
			lse[i*T+t] = logf(sum) + m
			o := out[(b*T+t)*C+h*HD:][:HD]
			refGemm(false, false, 1, HD, t+1, s, T, x[2*C+h*HD:], 3*C, 0, o, C)
			rowScale(o, 1/sum)
		}
	})
}

// AttentionBackward sets dqkv (B*T, 3*NH*HD) from dout and out (B*T, NH*HD),
// lse and qkv as Attention left them.
func AttentionBackward(p *Pool, dqkv, dout, out, lse, qkv []float32, B, T, NH, HD int) {
	C := NH * HD
	scale := float32(1 / math.Sqrt(float64(HD)))
	p.run(B*NH, func(w *worker, i int) {
		b, h := i/NH, i%NH
		w.attn = grow(w.attn, 2*T)
		x, dx := qkv[b*T*3*C:], dqkv[b*T*3*C:]
		for t := range T {
			clear(dx[t*3*C+C+h*HD:][:HD])
			clear(dx[t*3*C+2*C+h*HD:][:HD])
		}
		for t := range T {
			s, d := w.attn[:t+1], w.attn[T:T+t+1]
			do := dout[(b*T+t)*C+h*HD:][:HD]
			delta := rowDot(do, out[(b*T+t)*C+h*HD:][:HD])
			refGemm(false, true, 1, t+1, HD, x[t*3*C+h*HD:], 3*C, x[C+h*HD:], 3*C, 0, s, T)
			rowExp(s, s, scale, lse[i*T+t])
			refGemm(false, true, 1, t+1, HD, do, C, x[2*C+h*HD:], 3*C, 0, d, T)
			refGemm(true, false, t+1, HD, 1, s, T, do, C, 1, dx[2*C+h*HD:], 3*C)
			for j := range s {
				s[j] *= float32(d[j]-delta) * scale
			}
			refGemm(false, false, 1, HD, t+1, s, T, x[C+h*HD:], 3*C, 0, dx[t*3*C+h*HD:], 3*C)
			refGemm(true, false, t+1, HD, 1, s, T, x[t*3*C+h*HD:], 3*C, 1, dx[C+h*HD:], 3*C)
		}
	})
}
