package kernel_test

import (
	"fmt"
	"testing"

	"ablate/specs/arch"
	"ablate/stages/internal/kernel"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/lm/cpu"
	"ablate/stages/internal/optim"
)

// BenchmarkTableBF16 prints what bf16 gains here, for each implementation that the processor has;
// the first is the one in use. Rates are of one core and by processor time; ratios are to fp32,
// measured beside.
//
//	go test -run '^$' -bench TableBF16 -benchtime 1x ./stages/internal/kernel
func BenchmarkTableBF16(b *testing.B) {
	names := kernel.BF16Names()
	for range b.N {
		fmt.Printf("\nbf16 on %s. Medians of %d.\n", kernel.Features(), repeats)
		for i, name := range names {
			kernel.PreferBF16(i)
			title("%-46s %11s %9s %9s", "bf16 by "+name, "", "of peak", "to fp32")
			tableBF16Products()
			for _, d := range []int{128, 256, 512} {
				cfg := model(d, 4, 4096, 256)
				line(fmt.Sprintf("training, d=%d, 4 layers, 4096 words", d), bf16Training(b, cfg))
			}
			kernel.PreferBF16(i) // back
		}
		fmt.Println()
	}
	b.ReportMetric(0, "ns/op")
}

// bf16PeakGF is the rate at which one core multiplies pairs, or plain numbers where the
// implementation does so.
func bf16PeakGF() float64 {
	flop, f := kernel.BF16PeakLoop()
	return float64(flop) / timed(short/2, f).cpu / 1e9
}

func tableBF16Products() {
	var rates, ratios []float64
	for range repeats {
		rates = append(rates, bf16PeakGF())
		ratios = append(ratios, rates[len(rates)-1]/peakGF())
	}
	line("registers alone", fmt.Sprintf("%6.1f GF %18.2f x", middle(rates), middle(ratios)))
	p := kernel.NewPool(1)
	defer p.Close()
	for _, s := range []struct {
		name           string
		transA, transB bool
		m, n, k        int
	}{
		{"d=128 up", false, true, 2048, 512, 128},
		{"d=256 up", false, true, 2048, 1024, 256},
		{"d=256 gradient of up's input", false, false, 2048, 256, 1024},
		{"d=256 gradient of up", true, false, 1024, 256, 2048},
		{"d=256 head, 4096 words", false, true, 512, 4096, 256},
		{"d=512 up", false, true, 2048, 2048, 512},
	} {
		x, y, c := ramp(s.m*s.k), ramp(s.k*s.n), make([]float32, s.m*s.n)
		lda, ldb := s.k, s.n
		if s.transA {
			lda = s.m
		}
		if s.transB {
			ldb = s.k
		}
		gflop := 2 * float64(s.m) * float64(s.n) * float64(s.k) / 1e9
		var rates, shares, ratios []float64
		for range repeats {
			most := bf16PeakGF()
			half := timed(short, func() { kernel.GemmBF16(p, s.transA, s.transB, s.m, s.n, s.k, x, lda, y, ldb, 0, c, s.n) })
			whole := timed(short, func() { kernel.Gemm(p, s.transA, s.transB, s.m, s.n, s.k, x, lda, y, ldb, 0, c, s.n) })
			rates = append(rates, gflop/half.cpu)
			shares = append(shares, gflop/half.cpu/most)
			ratios = append(ratios, whole.cpu/half.cpu)
		}
		line(s.name, fmt.Sprintf("%6.1f GF %8.1f %% %7.2f x", middle(rates), 100*middle(shares), middle(ratios)))
	}
}

// bf16Training trains the same batch in bf16 and in fp32 by turns.
func bf16Training(b *testing.B, cfg arch.Model) string {
	const batch = 2048
	trainer := func(precision string) func() {
		e, err := cpu.New(cfg, lm.Options{Precision: precision, Threads: 1})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { e.Close() })
		lm.Init(e, 1)
		ids := make([]int32, batch)
		for i := range ids {
			ids[i] = int32(i * 7919 % cfg.Vocab)
		}
		adamw := optim.AdamW{Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, WeightDecay: 0.1, Clip: 1}
		step := 0
		return func() {
			if _, err := e.Accumulate(ids, ids, batch/cfg.Context, cfg.Context, 1.0/batch); err != nil {
				b.Fatal(err)
			}
			step++
			if _, err := e.Step(optim.Step{AdamW: adamw, LR: 1e-3, Number: step}); err != nil {
				b.Fatal(err)
			}
		}
	}
	half, whole := trainer(lm.BF16), trainer("")
	half()
	whole()
	var rates, shares, ratios []float64
	for range repeats {
		most := bf16PeakGF()
		h, w := timed(short, half), timed(short, whole)
		rates = append(rates, batch/h.cpu/1e3)
		shares = append(shares, batch/h.cpu*3*cfg.FLOPsPerToken()/1e9/most)
		ratios = append(ratios, w.cpu/h.cpu)
	}
	return fmt.Sprintf("%6.2f k tokens/s %4.1f %% %7.2f x", middle(rates), 100*middle(shares), middle(ratios))
}
