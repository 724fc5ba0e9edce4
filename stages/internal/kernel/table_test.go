package kernel_test

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"ablate/stages/internal/kernel"
)

// repeats is how often the table measures each thing; it shows medians. Whatever a rate is compared
// with is measured again beside each repeat, so that a machine that slows down, or that others use,
// moves both.
const repeats = 5

// BenchmarkTable prints what this machine can do and how much of that is used, one line a thing. It
// stands in this package because the loop that reaches the peak does.
//
//	go test -run '^$' -bench Table -benchtime 1x ./stages/...
//	go test -run '^$' -bench Table/models/d=256 -benchtime 1x ./stages/... # one part, one model
func BenchmarkTable(b *testing.B) {
	fmt.Printf("\nkernels: %s. Medians of %d. Rates are by the clock; shares, and ratios to training, by processor time.\n", kernel.Features(), repeats)
	for _, part := range []struct {
		name string
		show func(b *testing.B)
	}{
		{"peaks", func(*testing.B) { tablePeaks() }},
		{"products", func(*testing.B) { tableGemm() }},
		{"attention", func(*testing.B) { tableAttention() }},
		{"rows", func(*testing.B) { tableRows() }},
		{"models", tableModels},
		{"text", tableText},
		{"tokenizers", tableTokenizers},
		{"tokenizer training", tableTraining},
		{"tokens", tableTokens},
		{"merge", tableMerge},
	} {
		b.Run(part.name, func(b *testing.B) {
			for range b.N {
				part.show(b)
			}
			b.ReportMetric(0, "ns/op") // a time of a whole part says nothing
		})
	}
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

// peakGF is the rate of fused multiply-adds of one core, now: the best of some short pieces, since
// whoever else uses the core can only slow them down, and a peak that is too low would flatter what
// is compared with it.
func peakGF() float64 {
	const pieces = 4
	flop, f := kernel.PeakLoop()
	best := 0.0
	for range pieces {
		best = max(best, float64(flop)/timed(short/8, f).cpu/1e9)
	}
	return best
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

// memory holds more than any cache.
var memory = sync.OnceValue(func() []float32 {
	x := make([]float32, 64<<20)
	for i := range x {
		x[i] = float32(i & 0xff)
	}
	return x
})

func readGBs() float64 {
	x := memory()
	return 4 * float64(len(x)) / timed(0, func() { kernel.ReadAll(x) }).cpu / 1e9
}

// copyGBs counts what is read and what is written.
func copyGBs() float64 {
	x := memory()
	half := len(x) / 2
	return 4 * float64(len(x)) / timed(0, func() { copy(x[half:], x[:half]) }).cpu / 1e9
}

// byAll returns the rate by the clock of f over all of memory, a share of it for each of GOMAXPROCS
// threads.
func byAll(f func(x []float32)) float64 {
	x, threads := memory(), runtime.GOMAXPROCS(0)
	share := len(x) / threads
	s := timed(short, func() {
		var wait sync.WaitGroup
		for i := range threads {
			wait.Go(func() { f(x[i*share:][:share]) })
		}
		wait.Wait()
	})
	return 4 * float64(share*threads) / s.wall / 1e9
}

func readGBsByAll() float64 { return byAll(func(x []float32) { kernel.ReadAll(x) }) }

// copyGBsByAll counts what is read and what is written.
func copyGBsByAll() float64 {
	return byAll(func(x []float32) { copy(x[len(x)/2:], x[:len(x)/2]) })
}

func tablePeaks() {
	title("one core at most")
	line("fused multiply-adds", fmt.Sprintf("%6.1f GF", median(repeats, peakGF)))
	line("reading memory", fmt.Sprintf("%6.1f GB/s", median(repeats, readGBs)))
	line("copying memory, read and written", fmt.Sprintf("%6.1f GB/s", median(repeats, copyGBs)))
	title("%d threads, by the clock", runtime.GOMAXPROCS(0))
	line("reading memory", fmt.Sprintf("%6.1f GB/s", median(repeats, readGBsByAll)))
	line("copying memory, read and written", fmt.Sprintf("%6.1f GB/s", median(repeats, copyGBsByAll)))
}
