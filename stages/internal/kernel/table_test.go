package kernel_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ablate/cache/checkpoint"
	"ablate/cache/table"
	"ablate/stages/internal/bpe"
	"ablate/stages/internal/kernel"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/optim"
)

// repeats is how often the table measures each thing; it shows medians. Whatever a rate is compared with is measured again beside each
// repeat, so that a machine that slows down, or that others use, moves both.
const repeats = 5

// BenchmarkTable prints what this machine can do and how much of that is used, one line a thing. It stands in this package because the
// peak is the microkernel's, which no other package can call alone.
//
//	go test -run '^$' -bench Table -benchtime 1x ./stages/...
func BenchmarkTable(b *testing.B) {
	for range b.N {
		fmt.Printf("\nkernels: %s. Medians of %d. Rates are by the clock; shares, and ratios to training, by processor time.\n", kernel.Features(), repeats)
		tablePeaks()
		tableGemm()
		tableModels(b)
		tableText(b)
		tableTokens(b)
		tableMerge(b)
		fmt.Println()
	}
	b.ReportMetric(0, "ns/op") // a time of the whole table says nothing
}

// sample is one measurement.
type sample struct{ wall, cpu float64 } // seconds

// timed runs f for at least the duration and returns the mean of a run.
func timed(atLeast time.Duration, f func()) sample {
	start, cpu, runs := time.Now(), kernel.CPUTime(), 0
	for runs == 0 || time.Since(start) < atLeast {
		f()
		runs++
	}
	s := sample{wall: time.Since(start).Seconds() / float64(runs)}
	s.cpu = (kernel.CPUTime() - cpu).Seconds() / float64(runs)
	if s.cpu <= 0 { // not known here
		s.cpu = s.wall
	}
	return s
}

const short = 20 * time.Millisecond

// peakGF is the rate of fused multiply-adds of one core, now.
func peakGF() float64 {
	flop, f := kernel.PeakLoop()
	return float64(flop) / timed(short/2, f).cpu / 1e9
}

func median(n int, f func() float64) float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = f()
	}
	return middle(x)
}

func middle(x []float64) float64 { return slices.Sorted(slices.Values(x))[len(x)/2] }

func title(format string, args ...any) { fmt.Printf("\n"+format+"\n", args...) }

func line(what, value string) { fmt.Printf("  %-44s %s\n", what, value) }

// memory is made by tablePeaks; it holds more than any cache.
var memory []float32

func readGBs() float64 {
	return 4 * float64(len(memory)) / timed(0, func() { kernel.ReadAll(memory) }).cpu / 1e9
}

// copyGBs counts what is read and what is written.
func copyGBs() float64 {
	half := len(memory) / 2
	return 4 * float64(len(memory)) / timed(0, func() { copy(memory[half:], memory[:half]) }).cpu / 1e9
}

func tablePeaks() {
	title("one core at most")
	memory = make([]float32, 64<<20)
	for i := range memory {
		memory[i] = float32(i & 0xff)
	}
	line("fused multiply-adds", fmt.Sprintf("%6.1f GF", median(repeats, peakGF)))
	line("reading memory", fmt.Sprintf("%6.1f GB/s", median(repeats, readGBs)))
	line("copying memory, read and written", fmt.Sprintf("%6.1f GB/s", median(repeats, copyGBs)))
}

func tableGemm() {
	title("%-46s %9s %7s    %9s %7s", "matrix products", "1 thread", "of peak", "2 threads", "of peak")
	for _, s := range []struct {
		name           string
		transA, transB bool
		m, n, k        int
	}{
		{"d=64  up", false, true, 2048, 256, 64},
		{"d=64  gradient of up's input", false, false, 2048, 64, 256},
		{"d=64  gradient of up", true, false, 256, 64, 2048},
		{"d=64  head, 2048 words", false, true, 2048, 2048, 64},
		{"d=128 up", false, true, 2048, 512, 128},
		{"d=128 gradient of up's input", false, false, 2048, 128, 512},
		{"d=128 gradient of up", true, false, 512, 128, 2048},
		{"d=256 up", false, true, 2048, 1024, 256},
		{"d=256 gradient of up's input", false, false, 2048, 256, 1024},
		{"d=256 gradient of up", true, false, 1024, 256, 2048},
	} {
		x, y, c := ramp(s.m*s.k), ramp(s.k*s.n), make([]float32, s.m*s.n)
		lda, ldb := s.k, s.n
		if s.transA {
			lda = s.m
		}
		if s.transB {
			ldb = s.k
		}
		text := ""
		for threads := 1; threads <= 2; threads++ {
			p := kernel.NewPool(threads)
			text += rateAndShare(2*float64(s.m)*float64(s.n)*float64(s.k)/1e9, func() {
				kernel.Gemm(p, s.transA, s.transB, s.m, s.n, s.k, x, lda, y, ldb, 0, c, s.n)
			})
			p.Close()
		}
		line(s.name, text)
	}
}

// rateAndShare tells the rate of f, of gflop GF a run, and its share of the peak of a core.
func rateAndShare(gflop float64, f func()) string {
	f()
	var rates, shares []float64
	for range repeats {
		most := peakGF()
		s := timed(short, f)
		rates, shares = append(rates, gflop/s.wall), append(shares, gflop/s.cpu/most)
	}
	return fmt.Sprintf("%6.1f GF %5.1f %%   ", middle(rates), 100*middle(shares))
}

func ramp(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i%17) / 17
	}
	return x
}

// model is the shape of the presets tiny and small.
func model(d, layers, vocab, T int) lm.Config {
	return lm.Config{
		Vocab: vocab, DModel: d, Layers: layers, Heads: 4, Context: T, Block: lm.Sequential, Norm: lm.RMSNorm, MLP: lm.GELU, MLPHidden: 4 * d,
		AttnOut: true, TiedHead: true, RopeBase: 10000, Rotary: 1, NormEps: 1e-5, InitStd: 0.02,
	}
}

func tableModels(b *testing.B) {
	title("%-43s %s %12s %12s %13s %14s", "models", "threads", "training", "of peak", "evaluation", "to training")
	for _, s := range []struct{ d, L, V, T int }{{64, 3, 2048, 128}, {128, 4, 2048, 256}, {256, 4, 4096, 256}} {
		for threads := 1; threads <= 2; threads++ {
			line(fmt.Sprintf("d=%d, %d layers, %d words, context %d", s.d, s.L, s.V, s.T), fmt.Sprintf("%4d   %s", threads, modelLine(b, model(s.d, s.L, s.V, s.T), threads)))
		}
	}
}

func modelLine(b *testing.B, cfg lm.Config, threads int) string {
	e, err := lm.New(cfg, lm.Options{Threads: threads})
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

// goSource returns about n bytes of the standard library's source.
func goSource(b *testing.B, n int) (texts []string, size int) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		b.Fatalf("go env GOROOT: %v: put go on the PATH", err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(root)), "src", "*", "*.go"))
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		texts = append(texts, string(text))
		if size += len(text); size >= n {
			break
		}
	}
	return texts, size
}

func tableText(b *testing.B) {
	title("text, one core")
	texts, size := goSource(b, 4<<20)
	trainer := bpe.NewTrainer(bpe.TrainOptions{Vocab: 2048})
	for _, text := range texts {
		trainer.Add(text)
	}
	tokenizer, err := trainer.Train()
	if err != nil {
		b.Fatal(err)
	}
	var ids []uint32
	rate := median(repeats, func() float64 {
		return float64(size) / 1e6 / timed(short, func() {
			e := tokenizer.Encoder() // with an empty memory for words
			for _, text := range texts {
				ids = e.Encode(ids[:0], text)
			}
		}).cpu
	})
	line("tokenizing Go source, 2048 words", fmt.Sprintf("%6.1f MB/s", rate))
}

// beside returns the medians of a rate in GB/s of processor time, of gb GB, and of its ratio to what most gives.
func beside(gb float64, f func(), most func() float64) string {
	f()
	var rates, shares []float64
	for range repeats {
		m := most()
		rates = append(rates, gb/timed(short, f).cpu)
		shares = append(shares, rates[len(rates)-1]/m)
	}
	return fmt.Sprintf("%6.1f GB/s  %5.1f %%", middle(rates), 100*middle(shares))
}

func tableTokens(b *testing.B) {
	const tokens, batch, vocab = 32 << 20, 4096, 50304
	path := filepath.Join(b.TempDir(), "tokens.arrow")
	w, err := table.CreateTokens(path, vocab)
	if err != nil {
		b.Fatal(err)
	}
	doc := make([]uint32, 1<<16)
	for i := range doc {
		doc[i] = uint32(i % vocab)
	}
	for i := range tokens / len(doc) {
		if err := w.Append(fmt.Sprint(i), doc, 4, 4, 1); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	t, err := table.OpenTokens(path)
	if err != nil {
		b.Fatal(err)
	}
	defer t.Close()
	dst := make([]int32, batch)
	title("%-46s %11s %s", "files, one core", "", "of reading memory")
	line("training tokens, 2 bytes each, into batches", beside(2*tokens/1e9, func() {
		for at := int64(0); at < tokens; at += batch {
			t.Read(dst, at)
		}
	}, readGBs))
}

// tableMerge counts the bytes of all models and of their average. The files are in the page cache and opened, mapped and closed each time,
// page faults included; the average goes where pages are there already, as in an engine that evaluates one mixture after another.
func tableMerge(b *testing.B) {
	dir := b.TempDir()
	write := func(name string, data []float32) string {
		path := filepath.Join(dir, name)
		if err := checkpoint.Write(path, []checkpoint.Tensor{{Name: "w", Shape: []int{len(data)}, Data: data}}, nil); err != nil {
			b.Fatal(err)
		}
		return path
	}
	const most = 32
	var large, small []string
	for i := range most {
		small = append(small, write(fmt.Sprint("small", i), memory[:2<<20]))
		if i < 8 {
			large = append(large, write(fmt.Sprint("large", i), memory[i<<20:][:16<<20]))
		}
	}
	mergeLine(b, large[:2], 16<<20)
	mergeLine(b, large, 16<<20)
	mergeLine(b, small, 2<<20)
}

func mergeLine(b *testing.B, paths []string, size int) {
	average, weights := make([]float32, size), make([]float64, len(paths))
	for i := range weights {
		weights[i] = 1 / float64(len(paths))
	}
	bytes := 4 * float64(size) * float64(len(paths)+1)
	line(fmt.Sprintf("merging %d models of %d MB, cached files", len(paths), size*4>>20), beside(bytes/1e9, func() {
		files := make([]*checkpoint.File, len(paths))
		for i, path := range paths {
			f, err := checkpoint.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			files[i] = f
		}
		if err := checkpoint.Average(files, weights, func(string, []int) []float32 { return average }); err != nil {
			b.Fatal(err)
		}
	}, readGBs))
}
