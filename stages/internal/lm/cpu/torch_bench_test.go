package cpu

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"ablate/specs/arch"
	"ablate/stages/internal/kernel"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/optim"
)

// BenchmarkTorch times the engine and every PyTorch found (testdata/torch/README.md), side by side:
// the same model, the same batch, a step of training with clipping and AdamW, and evaluation to one
// loss a token. They take turns in one run, so that a machine that slows down, or that others use,
// moves both; what is printed are medians of the ratios of neighbours.
//
// What PyTorch is given: the environment and the number of threads that were fastest for it in a
// short trial here; fused attention, fused AdamW and torch.compile where it has them. What both are
// given: a model with LayerNorm and tanh-GELU, which every PyTorch has fused.
//
//	go test -run '^$' -bench Torch/best -benchtime 1x -timeout 30m ./stages/internal/lm/cpu     the fastest number of threads of each
//	go test -run '^$' -bench Torch/one -benchtime 1x -timeout 30m ./stages/internal/lm/cpu      one thread each, the surer number on a busy machine
//	go test -run '^$' -bench Torch/one/fp32/d=256 ...                                       one model
func BenchmarkTorch(b *testing.B) {
	most := runtime.NumCPU()
	b.Run("best", func(b *testing.B) { benchmarkTorch(b, slices.Compact([]int{1, most})) })
	b.Run("one", func(b *testing.B) { benchmarkTorch(b, []int{1}) })
}

// torchShapes are models and batches of 2048 tokens.
var torchShapes = []struct{ d, L, V, T, turns int }{
	{128, 4, 2048, 256, 7}, {256, 4, 4096, 256, 5}, {512, 6, 4096, 512, 5}, {768, 4, 4096, 512, 5},
}

const (
	torchTokens = 2048
	torchRate   = 1e-5 // learning: so small that the batch is as hard after a hundred steps, and no gradient vanishes
	turn        = 0.3  // seconds of processor time at least
)

func torchModel(d, L, V, T int) arch.Model {
	c := benchConfig(d, L, V, T)
	c.Norm, c.NormBias, c.LinearBias, c.TiedHead = arch.LayerNorm, true, true, true
	return c
}

// precisions are what is compared: an engine in a precision of its own goes here, beside PyTorch's
// autocast to it.
var precisions = []string{"fp32"}

func benchmarkTorch(b *testing.B, threads []int) {
	found := pythons()
	if len(found) == 0 {
		b.Skip("no PyTorch found: " + getTorch)
	}
	trial := torchModel(256, 2, 2048, 256)
	ours := fastest(b, threads, func(n int) racer { return newOurs(b, trial, n) })
	var theirs []setting
	for _, python := range found {
		theirs = append(theirs, tune(b, python, trial, threads)...)
	}
	fmt.Printf("\nours: %s, %d threads\n", kernel.Features(), ours)
	for _, s := range theirs {
		fmt.Printf("%s: %d threads, %s\n", s.name, s.threads, strings.Join(s.env[len(torchMemory):], " "))
	}
	fmt.Println("every PyTorch:", strings.Join(torchMemory, " "))
	for _, precision := range precisions {
		for _, s := range torchShapes {
			cfg := torchModel(s.d, s.L, s.V, s.T)
			b.Run(fmt.Sprintf("%s/d=%d", precision, s.d), func(b *testing.B) {
				fmt.Printf("\n\n%-49s %9s %19s %9s %19s\n", fmt.Sprintf("%s, d=%d, %d layers, %d words, context %d", precision, s.d, s.L, s.V, s.T),
					"training", "ours to theirs, by", "evaluat.", "ours to theirs, by")
				fmt.Printf("%-49s %9s %9s %9s %9s %9s %9s\n", "", "tokens/s", "clock", "processor", "tokens/s", "clock", "processor")
				for range b.N {
					race(b, cfg, precision, ours, theirs, s.turns)
				}
				b.ReportMetric(0, "ns/op") // a time of the whole table says nothing
			})
		}
	}
}

// racer is what takes turns.
type racer interface {
	time(what string) clocked // "train" or "evaluate", for a turn
	close()
}

// clocked is the mean of a run in seconds.
type clocked struct{ Wall, CPU float64 }

func race(b *testing.B, cfg arch.Model, precision string, threads int, theirs []setting, turns int) {
	racers := []racer{newOurs(b, cfg, threads)}
	names := []string{"ours"}
	for _, s := range theirs {
		racers, names = append(racers, s.start(b, cfg, precision)), append(names, s.name)
	}
	defer func() {
		for _, r := range racers {
			r.close()
		}
	}()
	lines := slices.Clone(names)
	for i := range lines {
		lines[i] = fmt.Sprintf("  %-47s", lines[i])
	}
	for _, what := range []string{"train", "evaluate"} {
		rates, clock, processor := make([][]float64, len(racers)), make([][]float64, len(racers)), make([][]float64, len(racers))
		for range turns {
			var us clocked
			for i, r := range racers {
				time.Sleep(20 * time.Millisecond) // until the last one's threads stop waiting for more
				c := r.time(what)
				if i == 0 {
					us = c
				}
				rates[i], clock[i], processor[i] = append(rates[i], torchTokens/c.Wall), append(clock[i], c.Wall/us.Wall), append(processor[i], c.CPU/us.CPU)
			}
		}
		for i := range racers {
			lines[i] += fmt.Sprintf(" %9.0f", middle(rates[i]))
			if i == 0 {
				lines[i] += strings.Repeat(" ", 20)
			} else {
				lines[i] += fmt.Sprintf(" %7.2f x %7.2f x", middle(clock[i]), middle(processor[i]))
			}
		}
	}
	for _, l := range lines {
		fmt.Println(strings.TrimRight(l, " "))
	}
}

func middle(x []float64) float64 { return slices.Sorted(slices.Values(x))[len(x)/2] }

// ours is the engine with one batch.
type ours struct {
	b            *testing.B
	e            lm.Engine
	ids, targets []int32
	out          []float32
	rows         int
	step         int
}

func newOurs(b *testing.B, cfg arch.Model, threads int) racer {
	e, err := New(cfg, lm.Options{Threads: threads})
	if err != nil {
		b.Fatal(err)
	}
	lm.Init(e, 1)
	o := &ours{b: b, e: e, ids: make([]int32, torchTokens), targets: make([]int32, torchTokens), out: make([]float32, torchTokens), rows: torchTokens / cfg.Context}
	for i := range o.ids {
		o.ids[i] = torchToken(i, cfg.Vocab)
		o.targets[i] = torchToken(i+1, cfg.Vocab)
	}
	for range 2 { // as clock.py
		o.train()
		o.evaluate()
	}
	return o
}

func (o *ours) train() {
	o.step++
	if _, err := o.e.Accumulate(o.ids, o.targets, o.rows, torchTokens/o.rows, 1.0/torchTokens); err != nil {
		o.b.Fatal(err)
	}
	if _, err := o.e.Step(optim.Step{AdamW: adamw, LR: torchRate, Number: o.step}); err != nil {
		o.b.Fatal(err)
	}
}

func (o *ours) evaluate() {
	if err := o.e.Losses(o.ids, o.targets, o.rows, torchTokens/o.rows, o.out); err != nil {
		o.b.Fatal(err)
	}
}

func (o *ours) time(what string) clocked {
	f := o.train
	if what == "evaluate" {
		f = o.evaluate
	}
	start, cpu, runs := time.Now(), cpuTime(), 0.0
	used := func() float64 {
		if used := (cpuTime() - cpu).Seconds(); used > 0 {
			return used
		}
		return time.Since(start).Seconds() // not known here
	}
	for runs == 0 || used() < turn {
		f()
		runs++
	}
	return clocked{time.Since(start).Seconds() / runs, used() / runs}
}

func (o *ours) close() {
	if err := o.e.Close(); err != nil {
		o.b.Error(err)
	}
}

// setting is one way to run a PyTorch.
type setting struct {
	name, python string
	env          []string
	threads      int
	compiled     bool
}

// torchMemory makes the C library keep what PyTorch gives back, in huge pages where the system
// grants them: an eager step takes and returns all its activations, and without this a tenth of its
// time and more goes into page faults.
var torchMemory = []string{
	"MALLOC_MMAP_MAX_=0", "MALLOC_TRIM_THRESHOLD_=17179869184", "MALLOC_TOP_PAD_=67108864", "GLIBC_TUNABLES=glibc.malloc.hugetlb=1",
}

// tune finds the environment and the number of threads with which a PyTorch is fastest here: eager,
// and compiled where it can.
func tune(b *testing.B, python string, trial arch.Model, threads []int) []setting {
	about := struct {
		Torch              string
		OpenBLAS, Compiles bool
	}{}
	s := setting{python: python, env: torchMemory, threads: 1}
	c := s.child(b)
	ask(b, c, map[string]any{"do": "about"}, &about)
	if err := c.close(); err != nil {
		b.Fatal(err)
	}
	version, _, _ := strings.Cut(about.Torch, "+")
	s.name = "PyTorch " + version
	if about.OpenBLAS { // older ones take a processor that they do not know for a very old one
		best := 0.0
		env := s.env
		for _, core := range []string{"", "SkylakeX", "Haswell", "Zen"} {
			try := s
			if core != "" {
				try.env = append(slices.Clone(env), "OPENBLAS_CORETYPE="+core)
			}
			rate, err := try.productRate(b)
			if err != nil { // code for a processor with instructions that this one lacks ends at once
				if core == "" {
					b.Fatal(err)
				}
				fmt.Printf("%s: OPENBLAS_CORETYPE=%s does not run here\n", s.name, core)
				continue
			}
			if rate > best*1.05 { // the first that is as fast as any
				best, s = rate, try
			}
		}
	}
	// A thread that waits for others may sleep at once or look for some 50 us first. Without a
	// bound it would look for longer than that, which wins little on an idle machine and, once
	// others use the machine, makes each step ten times as long.
	const sleeps, looks = "OMP_WAIT_POLICY=PASSIVE", "GOMP_SPINCOUNT=20000"
	var ways []setting
	for _, n := range threads {
		for _, wait := range []string{sleeps, looks} {
			for _, blas := range slices.Compact([]int{1, n}) {
				if n == 1 && wait == looks || !about.OpenBLAS && blas != n {
					continue // nobody to wait for; one pool serves both
				}
				way := s
				way.threads, way.env = n, append(slices.Clone(s.env), wait)
				if about.OpenBLAS {
					way.env = append(way.env, fmt.Sprint("OPENBLAS_NUM_THREADS=", blas))
				}
				ways = append(ways, way)
			}
		}
	}
	numbers := make([]int, len(ways))
	for i := range ways {
		numbers[i] = i
	}
	s = ways[fastest(b, numbers, func(i int) racer { return ways[i].start(b, trial, "fp32") })]
	if !about.Compiles {
		return []setting{s}
	}
	compiled := s
	compiled.compiled, compiled.name = true, s.name+", compiled"
	return []setting{s, compiled}
}

// fastest lets racers take turns at training and returns the number of the one with the fastest
// turn by the clock: on a busy machine the others' work only ever adds to one.
func fastest(b *testing.B, numbers []int, start func(int) racer) int {
	if len(numbers) == 1 {
		return numbers[0]
	}
	var racers []racer
	for _, n := range numbers {
		r := start(n)
		defer r.close()
		racers = append(racers, r)
	}
	walls := make([][]float64, len(racers))
	for range 5 {
		for i, r := range racers {
			time.Sleep(20 * time.Millisecond)
			walls[i] = append(walls[i], r.time("train").Wall)
		}
	}
	best := 0
	for i := range walls {
		if slices.Min(walls[i]) < slices.Min(walls[best]) {
			best = i
		}
	}
	return numbers[best]
}

// theirs is a PyTorch with one model.
type theirs struct {
	*child
	b *testing.B
}

func (s setting) child(b *testing.B) *child {
	c, err := startChild(s.python, "clock.py", s.env...)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// productRate tells how often a second PyTorch multiplies two matrices: the best of some times,
// since a busy machine slows single ones down.
func (s setting) productRate(b *testing.B) (float64, error) {
	c := s.child(b)
	best := 0.0
	for range 8 {
		var product clocked
		if err := c.ask(map[string]any{"do": "product", "seconds": turn / 3}, &product); err != nil {
			return 0, err
		}
		best = max(best, 1/product.CPU)
	}
	return best, c.close()
}

func (s setting) start(b *testing.B, cfg arch.Model, precision string) racer {
	t := theirs{s.child(b), b}
	ask(b, t.child, map[string]any{
		"do": "ready", "config": cfg, "rows": torchTokens / cfg.Context, "optimizer": adamw, "threads": s.threads, "compiled": s.compiled,
		"precision": precision, "lr": torchRate,
	}, &struct{}{})
	return t
}

func (t theirs) time(what string) (c clocked) {
	ask(t.b, t.child, map[string]any{"do": what, "seconds": turn}, &c)
	return c
}

func (t theirs) close() {
	if err := t.child.close(); err != nil {
		t.b.Errorf("%s: %v; its errors:\n%s", t.what, err, t.errs)
	}
}

func ask(b *testing.B, c *child, request map[string]any, answer any) {
	if err := c.ask(request, answer); err != nil {
		b.Fatal(err)
	}
}
