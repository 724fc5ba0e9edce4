package kernel

import (
	"fmt"
	"testing"
)

// BenchmarkPeak is the rate of the microkernel on operands in L1, beside what a core does at most.
func BenchmarkPeak(b *testing.B) {
	for _, k := range paths() {
		b.Run(k.name, func(b *testing.B) {
			fma, f := k.TileLoop()
			gigaflops(b, k, 100*fma, func() {
				for range 100 {
					f()
				}
			})
		})
	}
}

var peaks = map[*path]float64{}

// peak is the best of some short measurements of peakLoop, in GF.
func peak(k *path) float64 {
	if _, ok := peaks[k]; !ok {
		fma, f := k.PeakLoop()
		for range 20 {
			runs, start := 0, cpuTime()
			for cpuTime()-start < 5e6 {
				f()
				runs++
			}
			peaks[k] = max(peaks[k], 2*float64(fma*runs)/float64(cpuTime()-start))
		}
	}
	return peaks[k]
}

// gigaflops runs f, of 2*fma floating-point operations, and reports GF per second, GF per core on
// the processor time of all workers, and the latter as a share of the peak.
func gigaflops(b *testing.B, k *path, fma int, f func()) {
	most := peak(k)
	start := cpuTime()
	for b.Loop() {
		f()
	}
	work := 2 * float64(fma) * float64(b.N)
	perCore := work / float64(cpuTime()-start)
	b.ReportMetric(perCore, "GF/core")
	b.ReportMetric(100*perCore/most, "%peak")
	b.ReportMetric(work/float64(b.Elapsed().Nanoseconds()), "GF")
}

func BenchmarkGemm(b *testing.B) { benchmarkGemm(b, Gemm) }

// BenchmarkGemmBF16 has shares of fp32's peak, too.
func BenchmarkGemmBF16(b *testing.B) { benchmarkGemm(b, GemmBF16) }

func benchmarkGemm(b *testing.B, product func(p *Pool, ta, tb bool, m, n, k int, x []float32, lda int, y []float32, ldb int, beta float32, c []float32, ldc int)) {
	shapes := []struct {
		name    string
		ta, tb  bool
		m, n, k int
	}{
		{"qkv256", false, false, 2048, 768, 256},
		{"proj256", false, false, 2048, 256, 256},
		{"fc256", false, false, 2048, 1024, 256},
		{"fc256dX", false, true, 2048, 256, 1024},
		{"fc256dW", true, false, 256, 1024, 2048},
		{"head256", false, true, 2048, 2048, 256},
		{"head256dX", false, false, 2048, 256, 2048},
		{"head256dW", true, false, 2048, 256, 2048},
		{"proj128", false, false, 2048, 128, 128},
		{"fc128dX", false, true, 2048, 128, 512},
		{"fc128dW", true, false, 128, 512, 2048},
		{"proj64", false, false, 2048, 64, 64},
		{"fc64", false, false, 2048, 256, 64},
		{"fc64dX", false, true, 2048, 64, 256},
		{"fc64dW", true, false, 64, 256, 2048},
		{"head64", false, true, 2048, 2048, 64},
		{"proj768", false, true, 2048, 768, 768},
		{"fc768", false, true, 2048, 3072, 768},
		{"fc768dX", false, false, 2048, 768, 3072},
		{"fc768dW", true, false, 3072, 768, 2048},
		{"small", false, false, 64, 64, 64},
	}
	for _, k := range paths() {
		if k.name == "portable" {
			continue
		}
		for _, s := range shapes {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("%s/%s/%d", k.name, s.name, threads), func(b *testing.B) {
					p := newPool(threads, k)
					defer p.Close()
					rng := rngFor(1)
					x, y, c := normals(rng, s.m*s.k), normals(rng, s.k*s.n), make([]float32, s.m*s.n)
					lda, ldb := s.k, s.n
					if s.ta {
						lda = s.m
					}
					if s.tb {
						ldb = s.k
					}
					gigaflops(b, k, s.m*s.n*s.k, func() {
						product(p, s.ta, s.tb, s.m, s.n, s.k, x, lda, y, ldb, 0, c, s.n)
					})
				})
			}
		}
	}
}

// BenchmarkAttention counts the multiply-adds of the causal half: 2 products forward and 5
// backward, T(T+1)/2 * HD each.
func BenchmarkAttention(b *testing.B) {
	for _, k := range paths() {
		if k.name == "portable" {
			continue
		}
		for _, s := range []struct{ B, T, NH, HD int }{{8, 256, 4, 64}, {8, 256, 4, 32}, {8, 256, 4, 16}, {16, 128, 4, 32}, {4, 512, 4, 64}} {
			rng := rngFor(1)
			C := s.NH * s.HD
			qkv, dout := normals(rng, s.B*s.T*3*C), normals(rng, s.B*s.T*C)
			out, lse, dqkv := make([]float32, len(dout)), make([]float32, s.B*s.NH*s.T), make([]float32, len(qkv))
			work := s.B * s.NH * s.T * (s.T + 1) / 2 * s.HD
			for _, threads := range []int{1, 2} {
				p := newPool(threads, k)
				name := fmt.Sprintf("%s/T%d,HD%d/%d", k.name, s.T, s.HD, threads)
				b.Run(name+"/forward", func(b *testing.B) {
					gigaflops(b, k, 2*work, func() { Attention(p, out, lse, qkv, s.B, s.T, s.NH, s.HD) })
				})
				b.Run(name+"/backward", func(b *testing.B) {
					gigaflops(b, k, 5*work, func() { AttentionBackward(p, dqkv, dout, out, lse, qkv, s.B, s.T, s.NH, s.HD) })
				})
				p.Close()
			}
		}
	}
}

// BenchmarkRows measures the loops along rows, in ns per element on one core, on 2048 rows as one
// training step has them.
func BenchmarkRows(b *testing.B) {
	const rows, C, V = 2048, 256, 2048
	rng := rngFor(1)
	x, y, d := normals(rng, rows*4*C), normals(rng, rows*4*C), normals(rng, rows*4*C)
	logits := normals(rng, rows*V)
	w, bias, m, s := normals(rng, C), normals(rng, C), make([]float32, rows), make([]float32, rows)
	targets := make([]int32, rows)
	moment := make([]float32, rows*C)
	table := NewRopeTable(rows, 64, 10000)
	o := AdamWParams{LR: 1e-4, Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, WeightDecay: 0.1, Correction1: 1, Correction2: 1, GradScale: 1}
	for _, k := range paths() {
		p := newPool(1, k)
		for _, c := range []struct {
			name string
			n    int
			f    func()
		}{
			{"LayerNorm", rows * C, func() { LayerNorm(p, y, m, s, x, w, bias, rows, C, 1e-5) }},
			{"LayerNormBackward", rows * C, func() { LayerNormBackward(p, y, w, bias, d, x, m, s, w, nil, rows, C) }},
			{"RMSNorm", rows * C, func() { RMSNorm(p, y, s, x, w, nil, rows, C, 1e-5) }},
			{"GELU", rows * 4 * C, func() { GELU(p, y, x) }},
			{"GELUBackward", rows * 4 * C, func() { GELUBackward(p, y, d, x) }},
			{"SwiGLU", rows * 2 * C, func() { SwiGLU(p, y, x, rows, 2*C) }},
			{"SwiGLUBackward", rows * 2 * C, func() { SwiGLUBackward(p, y, d, x, rows, 2*C) }},
			{"Rope", rows * C, func() { Rope(p, y, table, 1, rows, C, C/64, 64, false) }},
			{"CrossEntropy", rows * V, func() { CrossEntropy(p, m, logits, targets, rows, V) }},
			{"CrossEntropyGradient", rows * V, func() { CrossEntropyGradient(p, m, logits, targets, rows, V, 1) }},
			{"Add", rows * C, func() { Add(p, y[:rows*C], x, d) }},
			{"AddBias", rows * C, func() { AddBias(p, y, bias, rows, C) }},
			{"BiasBackward", rows * C, func() { BiasBackward(p, bias, d, rows, C) }},
			{"AdamW", rows * C, func() { AdamW(p, y[:rows*C], d, x, moment, o) }},
			{"SumSquares", rows * C, func() { SumSquares(p, d[:rows*C]) }},
		} {
			b.Run(k.name+"/"+c.name, func(b *testing.B) {
				start := cpuTime()
				for b.Loop() {
					c.f()
				}
				b.ReportMetric(float64(cpuTime()-start)/float64(b.N)/float64(c.n), "cpu-ns/element")
			})
		}
		p.Close()
	}
}
