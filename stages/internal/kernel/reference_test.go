package kernel

import (
	"math"

	"ablate/stages/internal/kernel/scalar"
)

// This file is the slow, obvious truth that the tests hold the kernels to. Only refGemm and
// refGemmBF16 must be met bit for bit; the others are formulas in float64, and the backward kernels
// must be the derivatives of these, by finite differences.

// refGemm is Gemm.
func refGemm(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	for i := range m {
		for j := range n {
			var s float32
			if beta != 0 {
				s = c[i*ldc+j]
			}
			for l := range k {
				ia, ib := i*lda+l, l*ldb+j
				if transA {
					ia = l*lda + i
				}
				if transB {
					ib = j*ldb + l
				}
				s = scalar.FMA(a[ia], b[ib], s)
			}
			c[i*ldc+j] = s
		}
	}
}

// refGemmBF16 is GemmBF16.
func refGemmBF16(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	for i := range m {
		for j := range n {
			var s float32
			if beta != 0 {
				s = c[i*ldc+j]
			}
			for l := range k {
				ia, ib := i*lda+l, l*ldb+j
				if transA {
					ia = l*lda + i
				}
				if transB {
					ib = j*ldb + l
				}
				s = scalar.FlushingFMA(scalar.Flush(scalar.WidenBF16(scalar.RoundBF16(a[ia]))), scalar.Flush(scalar.WidenBF16(scalar.RoundBF16(b[ib]))), scalar.Flush(s))
			}
			c[i*ldc+j] = s
		}
	}
}

// refNorm is one row of LayerNorm if centred, else of RMSNorm; b may be nil.
func refNorm(x, w, b []float64, eps float64, centred bool) []float64 {
	var mean, square float64
	if centred {
		for _, v := range x {
			mean += v / float64(len(x))
		}
	}
	for _, v := range x {
		square += (v - mean) * (v - mean) / float64(len(x))
	}
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = (v - mean) / math.Sqrt(square+eps) * w[i]
		if b != nil {
			y[i] += b[i]
		}
	}
	return y
}

// refRope is Rope on one head at position t.
func refRope(x []float64, t int, base float64) []float64 {
	half := len(x) / 2
	y := make([]float64, len(x))
	for i := range half {
		angle := float64(t) * math.Pow(base, -2*float64(i)/float64(len(x)))
		sin, cos := math.Sincos(angle)
		y[i] = x[i]*cos - x[i+half]*sin
		y[i+half] = x[i+half]*cos + x[i]*sin
	}
	return y
}

// refAttention is Attention on qkv (B*T, 3*NH*HD).
func refAttention(qkv []float64, B, T, NH, HD int) (out, lse []float64) {
	C := NH * HD
	out, lse = make([]float64, B*T*C), make([]float64, B*NH*T)
	for b := range B {
		for h := range NH {
			at := func(t, part int) []float64 { return qkv[(b*T+t)*3*C+part*C+h*HD:][:HD] }
			for i := range T {
				s := make([]float64, i+1)
				for j := range s {
					for c, q := range at(i, 0) {
						s[j] += q * at(j, 1)[c] / math.Sqrt(float64(HD))
					}
				}
				sum := refLogSumExp(s)
				lse[(b*NH+h)*T+i] = sum
				for j, v := range s {
					for c, x := range at(j, 2) {
						out[(b*T+i)*C+h*HD+c] += math.Exp(v-sum) * x
					}
				}
			}
		}
	}
	return out, lse
}

func refLogSumExp(x []float64) float64 {
	peak, sum := math.Inf(-1), 0.0
	for _, v := range x {
		peak = max(peak, v)
	}
	for _, v := range x {
		sum += math.Exp(v - peak)
	}
	return peak + math.Log(sum)
}

func refGELU(x float64) float64 {
	return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
}

func refSwiGLU(value, gate float64) float64 { return value * gate / (1 + math.Exp(-gate)) }

// refAdamW is one step on one parameter.
func refAdamW(w, g, m, v float64, o AdamWParams) (float64, float64, float64) {
	g *= o.GradScale
	w -= o.LR * o.WeightDecay * w
	m = o.Beta1*m + (1-o.Beta1)*g
	v = o.Beta2*v + (1-o.Beta2)*g*g
	w -= o.LR * (m / o.Correction1) / (math.Sqrt(v/o.Correction2) + o.Eps)
	return w, m, v
}
