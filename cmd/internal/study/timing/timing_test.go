package timing

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ablate/cache"
	"ablate/cmd/internal/study"
	"ablate/runner"
	"ablate/runner/runnertest"
	"ablate/stages/kind"
)

// A book that is damaged, of another version or absurd gives no speed, and harms nothing.
func TestBook(t *testing.T) {
	c, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for name, text := range map[string]string{
		"absent": "", "no JSON": "{", "of another version": `{"format":2,"speeds":{"a":{"one":1}}}`,
		"nothing under a key": `{"format":1,"speeds":{"a":null}}`, "below zero": `{"format":1,"speeds":{"a":{"one":-1}}}`,
		"beyond any machine": `{"format":1,"speeds":{"a":{"one":1e30}}}`,
	} {
		c.SetNote(bookNote, []byte(text))
		if b := openBook(c); len(b.Speeds) != 0 {
			t.Errorf("%s: %v", name, b.Speeds)
		}
	}

	one, other := openBook(c), openBook(c)
	one.Speeds["a"] = &recorded{Speed: kind.Speed{One: 3}}
	other.Speeds["b"] = &recorded{Speed: kind.Speed{One: 4}}
	one.save(c)
	other.save(c) // which had not seen a
	if b := openBook(c); len(b.Speeds) != 2 || b.Speeds["a"].One != 3 || b.Speeds["b"].One != 4 {
		t.Errorf("two runs left %v", b.Speeds)
	}
}

// forecast is that of a study of which nothing was done. A thousand units of work take a second of
// one core, whatever the step.
func forecast(t *testing.T) (*Forecast, *study.Compiled) {
	t.Helper()
	dir := t.TempDir()
	runnertest.Plan(t, dir) // writes the text
	path := filepath.Join(dir, "study.yaml")
	if err := os.WriteFile(path, []byte(runnertest.Study), 0o666); err != nil {
		t.Fatal(err)
	}
	s := &study.Session{CacheDir: t.TempDir(), Resources: study.Resources{Threads: 1}}
	c, err := s.OpenCache(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	p, err := s.Plan(c, path, study.Planning{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := Of(t.Context(), s, p, 1, 20*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	for key, c := range f.classes {
		c.recorded = &recorded{Speed: kind.Speed{One: 1000}, Budget: 1}
		c.ran, c.expected = tally{}, 0
		f.book.Speeds[key] = c.recorded
	}
	f.commit, f.CoreSeconds, f.Kinds = 0, 0, nil
	if err := f.settle(p); err != nil {
		t.Fatal(err)
	}
	return f, p
}

// On one core, one step at a time, a run takes the sum of its steps. Trainings count in tokens.
func TestEstimateIsTheSumOfItsSteps(t *testing.T) {
	f, p := forecast(t)
	work, tokens := 0.0, int64(0)
	for i, s := range f.steps {
		if s.hit {
			continue
		}
		work += s.work
		if f.steps[i].class.kind.Does(kind.Trains) {
			tokens += p.Plan.Steps[i].Cost.Tokens
		}
	}
	if tokens == 0 || math.Abs(f.Seconds-work/1000) > 1e-9 || math.Abs(f.CoreSeconds-work/1000) > 1e-9 {
		t.Errorf("%g seconds, %g core-seconds; want %g of both", f.Seconds, f.CoreSeconds, work/1000)
	}
	for _, k := range f.Kinds {
		if want := float64(tokens) / 1000; k.Kind == kind.Train && (math.Abs(k.CoreSeconds-want) > 1e-9 || k.Basis != Probe) {
			t.Errorf("trainings: %g core-seconds by %s, want %g by %s", k.CoreSeconds, k.Basis, want, Probe)
		}
	}
}

// What trainings take to what they were expected to take holds for those that are to come, in this
// run and, from the book, in the next.
func TestTrackCorrects(t *testing.T) {
	f, p := forecast(t)
	track := f.Track()
	track.Event(runner.Event{What: runner.Planned, Step: -1, State: p.State})
	trained, others, took, ended := 0.0, 0.0, 0.0, 0
	var class *class
	var left time.Duration
	for i, s := range f.steps {
		if s.hit {
			continue
		}
		if !s.class.kind.Does(kind.Trains) {
			others += s.core
			continue
		}
		if class == nil {
			class = s.class
		}
		if ended++; s.class != class || ended > 3 {
			if s.class == class {
				trained += s.core
			} else {
				others += s.core
			}
			continue
		}
		took += 2 * s.core
		e := &cache.Entry{Provenance: cache.Provenance{CPU: f.Processor, WallSeconds: 2 * s.core, CoreSeconds: 2 * s.core, Work: int64(s.work)}}
		var ok bool
		if left, ok = track.Event(runner.Event{What: runner.Finished, Step: i, Entry: e, Took: time.Duration(2 * s.core * float64(time.Second))}); !ok {
			t.Fatalf("step %s says nothing of what is left", p.Plan.Steps[i].ID)
		}
	}
	// The estimate has a small weight beside what the run shows, so that the factor is below 2.
	low, high := 1.8*trained+others, 2*trained+others
	if s := left.Seconds(); trained == 0 || s < low || s > high {
		t.Errorf("%g seconds are left, want %g to %g", s, low, high)
	}
	if o := track.Close(); math.Abs(o.CoreSeconds-took) > 1e-9 || o.Estimated != f.Seconds {
		t.Errorf("outcome %+v", o)
	}
	if class.Factor < 1.99 || class.Factor > 2.01 || class.basis() != Runs {
		t.Errorf("factor %g by %s, want 2 by %s", class.Factor, class.basis(), Runs)
	}
	kept := false
	for _, r := range openBook(p.Cache).Speeds {
		kept = kept || r.Factor == class.Factor && r.Ran == 3
	}
	if !kept {
		t.Error("the book does not have the factor")
	}
}
