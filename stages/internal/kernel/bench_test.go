package kernel

import (
	"fmt"
	"testing"
)

// BenchmarkPeak is the rate of fused multiply-adds on operands in L1: what one
// core can do at most. Compare the GF of the other benchmarks with it.
func BenchmarkPeak(b *testing.B) {
	for _, k := range paths() {
		b.Run(k.name, func(b *testing.B) {
			const depth = 128
			x := make([]float32, k.mr*depth)
			y := make([]float32, k.nr*depth)
			c := make([]float32, k.mr*k.nr)
			for b.Loop() {
				k.tile(depth, &x[0], 1, k.mr, &y[0], &c[0], k.nr, true)
			}
			gigaflops(b, k.mr*k.nr*depth)
		})
	}
}

// gigaflops reports 2*fma floating-point operations per iteration as GF/s.
func gigaflops(b *testing.B, fma int) {
	b.ReportMetric(2*float64(fma)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GF")
}

func BenchmarkGemm(b *testing.B) {
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
					for b.Loop() {
						Gemm(p, s.ta, s.tb, s.m, s.n, s.k, x, lda, y, ldb, 0, c, s.n)
					}
					gigaflops(b, s.m*s.n*s.k)
				})
			}
		}
	}
}
