package kernel_test

import (
	"fmt"

	"ablate/stages/internal/kernel"
)

// tableGemm shows the products of a block's MLP, whose other linear layers are alike, and of the
// head. Those of one width follow each other: forward, the gradient of the input, the gradient of
// the weights.
func tableGemm() {
	title("%-47s %8s %9s %12s", "matrix products", "1 thread", "of peak", "2 threads")
	for _, s := range []product{
		{"d=64  up", false, true, 2048, 256, 64},
		{"      gradient of its input", false, false, 2048, 64, 256},
		{"      gradient of its weights", true, false, 256, 64, 2048},
		{"d=128 up", false, true, 2048, 512, 128},
		{"      gradient of its input", false, false, 2048, 128, 512},
		{"      gradient of its weights", true, false, 512, 128, 2048},
		{"d=256 up", false, true, 2048, 1024, 256},
		{"      gradient of its input", false, false, 2048, 256, 1024},
		{"      gradient of its weights", true, false, 1024, 256, 2048},
		{"      head of 4096 words, 512 rows", false, true, 512, 4096, 256},
		{"      gradient of its input", false, false, 512, 256, 4096},
		{"      gradient of its weights", true, false, 4096, 256, 512},
		{"d=768 up", false, true, 2048, 3072, 768},
		{"      gradient of its input", false, false, 2048, 768, 3072},
		{"      gradient of its weights", true, false, 3072, 768, 2048},
	} {
		line(s.name, s.measure())
	}
}

// product is a Gemm without gaps between rows.
type product struct {
	name           string
	transA, transB bool
	m, n, k        int
}

func (s product) measure() string {
	x, y, c := ramp(s.m*s.k), ramp(s.k*s.n), make([]float32, s.m*s.n)
	lda, ldb := s.k, s.n
	if s.transA {
		lda = s.m
	}
	if s.transB {
		ldb = s.k
	}
	return oneAndTwo(2*float64(s.m)*float64(s.n)*float64(s.k)/1e9, func(p *kernel.Pool) {
		kernel.Gemm(p, s.transA, s.transB, s.m, s.n, s.k, x, lda, y, ldb, 0, c, s.n)
	})
}

// oneAndTwo tells the rate of f, of gflop GF a run, on one thread, its share of the peak of a core,
// and how many times as fast two threads are by the clock.
func oneAndTwo(gflop float64, f func(p *kernel.Pool)) string {
	p := kernel.NewPool(2)
	defer p.Close()
	run := func(threads int) sample {
		p.Limit(threads)
		return timed(short, func() { f(p) })
	}
	run(1)
	run(2)
	var rates, shares, gains []float64
	for range repeats {
		most, one, two := peakGF(), run(1), run(2)
		rates, shares, gains = append(rates, gflop/one.wall), append(shares, gflop/one.cpu/most), append(gains, one.wall/two.wall)
	}
	return fmt.Sprintf("%6.1f GF %6.1f %% %10.2f x", middle(rates), 100*middle(shares), middle(gains))
}

func ramp(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i%17) / 17
	}
	return x
}
