//go:build unix

package cache_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/runner"
	"ablate/specs"
	"ablate/stages"
	"ablate/stages/kind"
)

// manySteps is a study of n partitions of one unit each, of which it compares all pairs by every
// proxy and with a reference model: about 4.5 n² steps, of which half a thousandth trains a unit, a
// ninth a reference model and the rest evaluates. The comparison reads them all.
func manySteps(tb testing.TB, n int) *specs.Study {
	tb.Helper()
	units := make([]string, n)
	for i := range units {
		units[i] = fmt.Sprintf("u%03d: 1", i)
	}
	s, err := specs.Parse("study.yaml", fmt.Appendf(nil, `
ablate: 1
study: many
corpora:
  seed: {files: seed.jsonl}
  parts: {files: parts.jsonl, metadata: {part: metadata.part, year: metadata.year}}
tokenizer: {train: {vocab: 320, on: seed}}
partitions:
  parts: {corpus: parts, by: part, order: year, unit: {tokens: 5000}, units: {%s}}
heldout: {test: 10%%}
model: {d_model: 16, layers: 1, heads: 2, context: 32}
seed_model: {on: seed, tokens: 4096, batch: 256}
train: {tokens_per_unit: 2000, batch: 256}
mixtures: {pairs: {choose: 2}}
reference: {seq: pairs}
eval: {out_of_domain: {far: {files: far.jsonl}}}
`, strings.Join(units, ", ")), ".")
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// scale is a study of many steps that have all run, with stages that only write what later steps
// read, in a cache on disk.
type scale struct {
	dir   string
	study *specs.Study
	src   pipeline.Sources
	steps int
}

func newScale(tb testing.TB, n int) *scale {
	tb.Helper()
	s := &scale{dir: tb.TempDir(), study: manySteps(tb, n)}
	s.src = pipeline.Sources{
		Corpora:  map[string][]pipeline.File{"seed": {s.file(tb, "seed.jsonl")}, "parts": {s.file(tb, "parts.jsonl")}},
		EvalSets: map[string][]pipeline.File{"far": {s.file(tb, "far.jsonl")}},
	}
	s.fill(tb)
	return s
}

func (s *scale) file(tb testing.TB, name string) pipeline.File {
	path, text := filepath.Join(s.dir, name), []byte("text of "+name)
	if err := os.WriteFile(path, text, 0o666); err != nil {
		tb.Fatal(err)
	}
	return pipeline.File{Path: path, Name: name, Size: int64(len(text)), Digest: cache.DigestOf(text)}
}

func (s *scale) compile(tb testing.TB) *pipeline.Plan {
	p, err := pipeline.Compile(s.study, s.src, nil)
	if err != nil || p.Partial != "" {
		tb.Fatal(err, p.Partial)
	}
	return p
}

func (s *scale) open(tb testing.TB) *cache.Cache {
	c, err := cache.Open(filepath.Join(s.dir, "cache"))
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// plan is what `ablate plan` does: compile, and look up every step.
func (s *scale) plan(tb testing.TB) *pipeline.State {
	plan, c := s.compile(tb), s.open(tb)
	state, err := plan.Resolve(stages.Kinds(), c.Lookup)
	if err = errors.Join(err, c.Close()); err != nil {
		tb.Fatal(err)
	}
	return state
}

// fill puts an entry of every step into the cache, with files of 32 bytes for what later steps
// read.
func (s *scale) fill(tb testing.TB) {
	plan, c := s.compile(tb), s.open(tb)
	s.steps = len(plan.Steps)
	outputs := make([]map[string]bool, s.steps)
	outputs[plan.Result] = map[string]bool{kind.OutScores: true}
	for _, step := range plan.Steps {
		for _, in := range step.Inputs {
			if in.File == nil {
				if outputs[in.Step] == nil {
					outputs[in.Step] = map[string]bool{}
				}
				outputs[in.Step][in.Output] = true
			}
		}
	}
	state, err := plan.Resolve(stages.Kinds(), c.Lookup)
	for i := 0; i < s.steps && err == nil; i++ {
		files := map[string][]byte{}
		for name := range outputs[i] {
			text := cache.DigestOf(fmt.Appendf(nil, "%s of %s", name, state.Keys[i]))
			files[name] = text[:]
		}
		var e *cache.Entry
		if e, err = c.Lay(plan.Steps[i].Kind, state.KeyInputs[i], files); err == nil {
			_, err = state.Done(i, e)
		}
	}
	if err = errors.Join(err, c.Close()); err != nil {
		tb.Fatal(err)
	}
}

// run is what `ablate run` does with the same study. Nothing is left to do for its stages.
func (s *scale) run(tb testing.TB, events func(runner.Event)) {
	plan, c := s.compile(tb), s.open(tb)
	_, err := runner.Run(context.Background(), plan, runner.Options{Cache: c, Kinds: stages.Kinds(), Slots: 2, Version: "test", Events: events})
	if err = errors.Join(err, c.Close()); err != nil {
		tb.Fatal(err)
	}
}

// A plan and a rerun allocate no more per step where there are four times as many: no list of steps
// is gone through, or copied, for each step.
func TestManyStepsCostAlikeEach(t *testing.T) {
	type cost struct{ objects, bytes float64 }
	each := func(steps int, f func()) cost {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		return cost{float64(after.Mallocs-before.Mallocs) / float64(steps), float64(after.TotalAlloc-before.TotalAlloc) / float64(steps)}
	}
	costs := map[string][]cost{}
	for _, n := range []int{8, 16} {
		s := newScale(t, n)
		costs["compile"] = append(costs["compile"], each(s.steps, func() { s.compile(t) }))
		costs["plan"] = append(costs["plan"], each(s.steps, func() {
			if hit, _, _ := s.plan(t).Count(); hit != s.steps {
				t.Errorf("%d of %d steps are hits", hit, s.steps)
			}
		}))
		costs["rerun"] = append(costs["rerun"], each(s.steps, func() {
			s.run(t, func(e runner.Event) {
				if e.What != runner.Planned {
					t.Errorf("%+v happened in a rerun", e)
				}
			})
		}))
	}
	for what, c := range costs {
		t.Logf("%s: %+v", what, c)
		// The hash of the plan's maps doubles at sizes of its own, hence the quarter; one word per
		// pair of steps would add thousands.
		if few, many := c[0], c[1]; many.objects > 1.25*few.objects || many.bytes > 1.25*few.bytes {
			t.Errorf("%s: %.0f objects and %.0f bytes a step where there are few, %.0f and %.0f where there are four times as many",
				what, few.objects, few.bytes, many.objects, many.bytes)
		}
	}
}

// BenchmarkManySteps is a study of 1,000, 10,000 and 100,000 steps, all of them in the cache: what
// compiling takes, planning (compiling and looking everything up) and a rerun (that, too, through
// the runner), in seconds, in seconds of processor time and against the processor time a step of
// the first size; and the most memory that the process had meanwhile, resident.
func BenchmarkManySteps(b *testing.B) {
	first := map[string]float64{}
	for _, n := range []int{15, 47, 150} {
		var s *scale
		b.Run(fmt.Sprint(9*n*(n-1)/2), func(b *testing.B) {
			if s == nil {
				s = newScale(b, n)
			}
			for _, phase := range []struct {
				name string
				do   func()
			}{
				{"compile", func() { s.compile(b) }},
				{"plan", func() { s.plan(b) }},
				{"rerun", func() { s.run(b, nil) }},
			} {
				b.Run(phase.name, func(b *testing.B) {
					debug.FreeOSMemory()
					resetPeak()
					cpu := processorTime()
					for b.Loop() {
						phase.do()
					}
					used := (processorTime() - cpu).Seconds() / float64(b.N)
					step := used / float64(s.steps)
					if first[phase.name] == 0 {
						first[phase.name] = step
					}
					b.ReportMetric(float64(s.steps), "steps")
					b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s")
					b.ReportMetric(used, "cpu-s")
					b.ReportMetric(step/first[phase.name], "x-per-step")
					b.ReportMetric(peak(), "MB-peak")
					b.ReportMetric(0, "ns/op")
				})
			}
		})
	}
}

// processorTime is what this process has used, on all processors.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resetPeak sets the most resident memory back to what there is now, where the system can (proc(5),
// clear_refs).
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// peak is the most resident memory since, in MB; 0 where the system does not say.
func peak() float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	var kb float64
	fmt.Sscan(rest, &kb)
	return kb * 1024 / 1e6
}
