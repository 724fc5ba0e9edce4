package cpu

import (
	"fmt"
	"testing"

	"ablate/specs/arch"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/optim"
)

// benchConfig is the reference model of the measurements: a GPT with RMSNorm, GELU, no biases and
// an untied head.
func benchConfig(d, layers, vocab, T int) arch.Model {
	return arch.Model{
		Vocab: vocab, DModel: d, Layers: layers, Heads: max(1, d/64), Context: T,
		Block: arch.Sequential, Norm: arch.RMSNorm, MLP: arch.GELU, MLPHidden: 4 * d, AttentionOutput: true, RopeBase: 10000, Rotary: 1, NormEps: 1e-5, InitStd: 0.02,
	}
}

var benchSizes = []struct{ d, L, V, T int }{{64, 2, 2048, 128}, {128, 4, 2048, 256}, {256, 4, 4096, 256}}

// BenchmarkTrain is a whole step, AdamW included, of 2048 tokens. GFLOP/s counts a backward pass as
// two forward passes.
func BenchmarkTrain(b *testing.B) {
	bench(b, 3, func(e *engine, inputs, targets []int32, B, T, step int) error {
		if _, err := e.Accumulate(inputs, targets, B, T, 1.0/2048); err != nil {
			return err
		}
		_, err := e.Step(optim.Step{AdamW: adamw, LR: 1e-3, Number: step})
		return err
	})
}

// BenchmarkLosses is evaluation of 2048 tokens.
func BenchmarkLosses(b *testing.B) {
	out := make([]float32, 2048)
	bench(b, 1, func(e *engine, inputs, targets []int32, B, T, _ int) error {
		return e.Losses(inputs, targets, B, T, out)
	})
}

func bench(b *testing.B, passes float64, f func(e *engine, inputs, targets []int32, B, T, step int) error) {
	for _, s := range benchSizes {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("d=%d/L=%d/V=%d/T=%d/threads=%d", s.d, s.L, s.V, s.T, threads), func(b *testing.B) {
				e := opened(b, benchConfig(s.d, s.L, s.V, s.T), threads)
				lm.Init(e, 1)
				inputs, _ := tokens(1, 2048, s.V)
				targets := inputs                                               // none is ignored; which token it is does not matter for the time
				if err := f(e, inputs, targets, 2048/s.T, s.T, 1); err != nil { // builds the graph
					b.Fatal(err)
				}
				b.ReportAllocs()
				start := cpuTime()
				b.ResetTimer()
				for i := range b.N {
					if err := f(e, inputs, targets, 2048/s.T, s.T, i+2); err != nil {
						b.Fatal(err)
					}
				}
				rate := 2048 * float64(b.N) / b.Elapsed().Seconds()
				b.ReportMetric(rate, "tok/s")
				b.ReportMetric(rate*passes*e.arch.FLOPsPerToken()/1e9, "GFLOP/s")
				if cpu := cpuTime() - start; cpu > 0 {
					b.ReportMetric(2048*float64(b.N)/cpu.Seconds(), "tok/cpu-s")
				}
			})
		}
	}
}
