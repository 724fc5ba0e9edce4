package kernel_test

import (
	"fmt"
	"testing"

	"ablate/specs/arch"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/lm/cpu"
	"ablate/stages/internal/optim"
)

// model is the shape of the presets tiny and small.
func model(d, layers, vocab, T int) arch.Model {
	return arch.Model{
		Vocab: vocab, DModel: d, Layers: layers, Heads: 4, Context: T, Block: arch.Sequential, Norm: arch.RMSNorm, MLP: arch.GELU, MLPHidden: 4 * d,
		AttentionOutput: true, TiedHead: true, RopeBase: 10000, Rotary: 1, NormEps: 1e-5, InitStd: 0.02,
	}
}

func tableModels(b *testing.B) {
	title("%-43s %s %12s %12s %13s %14s", "models", "threads", "training", "of peak", "evaluation", "to training")
	for _, s := range []struct{ d, L, V, T int }{{64, 3, 2048, 128}, {128, 4, 2048, 256}, {256, 4, 4096, 256}, {512, 6, 4096, 512}, {768, 4, 4096, 512}} {
		for threads := 1; threads <= 2; threads++ {
			b.Run(fmt.Sprintf("d=%d/threads=%d", s.d, threads), func(b *testing.B) {
				line(fmt.Sprintf("d=%d, %d layers, %d words, context %d", s.d, s.L, s.V, s.T), fmt.Sprintf("%4d   %s", threads, modelLine(b, model(s.d, s.L, s.V, s.T), threads)))
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

func modelLine(b *testing.B, cfg arch.Model, threads int) string {
	e, err := cpu.New(cfg, lm.Options{Threads: threads})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	lm.Init(e, 1)
	const batch = 2048 // tokens; training takes two such passes a step
	ids, out := make([]int32, batch), make([]float32, batch)
	for i := range ids {
		ids[i] = int32(i * 7919 % cfg.Vocab)
	}
	adamw := optim.AdamW{Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, WeightDecay: 0.1, Clip: 1}
	step := 0
	train := func() {
		for range 2 {
			if _, err := e.Accumulate(ids, ids, batch/cfg.Context, cfg.Context, 0.5/batch); err != nil {
				b.Fatal(err)
			}
		}
		step++
		if _, err := e.Step(optim.Step{AdamW: adamw, LR: 1e-3, Number: step}); err != nil {
			b.Fatal(err)
		}
	}
	evaluate := func() {
		if err := e.Losses(ids, ids, batch/cfg.Context, cfg.Context, out); err != nil {
			b.Fatal(err)
		}
	}
	train()
	evaluate()
	var trained, share, evaluated, ratio []float64
	for range repeats {
		most := peakGF()
		t, s := timed(short, train), timed(short, evaluate)
		trained = append(trained, 2*batch/t.wall/1e3)
		share = append(share, 2*batch/t.cpu*3*cfg.FLOPsPerToken()/1e9/most)
		evaluated = append(evaluated, batch/s.wall/1e3)
		ratio = append(ratio, t.cpu/2/s.cpu)
	}
	return fmt.Sprintf("%6.1f k tokens/s %5.1f %%   %6.1f k tokens/s %5.2f x", middle(trained), 100*middle(share), middle(evaluated), middle(ratio))
}
