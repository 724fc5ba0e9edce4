package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/specs"
	"ablate/stages/kind"
)

// The plan of the tests is that of a real study; what its steps do is made up: every stage writes,
// for each output that a later step wants, the digests of its inputs.
const study = `
ablate: 1
study: small
corpora:
  seed: {files: seed.jsonl}
  parts: {files: [a.jsonl, b.jsonl], metadata: {part: metadata.part}}
tokenizer: {train: {vocab: 320, on: seed}}
partitions:
  parts: {corpus: parts, by: part, unit: {tokens: 5000}, units: {alpha: 1, beta: 1}}
heldout: {test: 10%}
model: {d_model: 16, layers: 1, heads: 2, context: 32}
seed_model: {on: seed, tokens: 4096, batch: 256}
train: {tokens_per_unit: 2000, batch: 256}
mixtures: {pairs: {choose: 2}}
reference: {seq: pairs}
`

// bench is a plan on a cache, with stages that a test can replace.
type bench struct {
	t     *testing.T
	dir   string
	cache *cache.Cache
	plan  *pipeline.Plan

	mu      sync.Mutex
	ran     []string       // IDs in the order they began
	threads map[string]int // ID -> threads it was given
	do      map[string]func(ctx context.Context, job *kind.Job) error
	events  []Event
	needs   map[string]kind.Needs // of the steps of a kind
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, dir: t.TempDir(), threads: map[string]int{}, do: map[string]func(context.Context, *kind.Job) error{}}
	c, err := cache.Open(filepath.Join(b.dir, "cache"))
	if err != nil {
		t.Fatal(err)
	}
	b.cache = c
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := specs.Parse("study.yaml", []byte(study), b.dir)
	if err != nil {
		t.Fatal(err)
	}
	src := pipeline.Sources{Corpora: map[string][]pipeline.File{}}
	for name, files := range map[string][]string{"seed": {"seed.jsonl"}, "parts": {"a.jsonl", "b.jsonl"}} {
		for _, f := range files {
			path := filepath.Join(b.dir, f)
			if err := os.WriteFile(path, []byte("text of "+f), 0o666); err != nil {
				t.Fatal(err)
			}
			d, size, err := c.FileDigest(path)
			if err != nil {
				t.Fatal(err)
			}
			src.Corpora[name] = append(src.Corpora[name], pipeline.File{Path: path, Name: f, Size: size, Digest: d})
		}
	}
	if b.plan, err = pipeline.Compile(s, src, nil); err != nil {
		t.Fatal(err)
	}
	return b
}

// kinds are those of a study, all carried out by stage.
func (b *bench) kinds() kind.Kinds {
	var ks kind.Kinds
	for _, name := range []string{kind.Tokenizer, kind.Tokenize, kind.Split, kind.Train, kind.Merge, kind.Eval, kind.Ensemble, kind.Correlate} {
		needs := b.needs[name]
		ks = append(ks, kind.Kind{Name: name, History: []string{"first"}, Run: b.stage, Needs: func(*kind.Job) (kind.Needs, error) { return needs, nil }})
	}
	return ks
}

// run carries out the plan with the made-up stages.
func (b *bench) run(ctx context.Context, opt Options) (*pipeline.State, error) {
	b.mu.Lock()
	b.ran, b.events = nil, nil
	b.mu.Unlock()
	opt.Cache, opt.Version = b.cache, "test"
	watch := opt.Events
	opt.Events = func(e Event) {
		b.events = append(b.events, e)
		if watch != nil {
			watch(e)
		}
	}
	opt.Kinds = b.kinds()
	if opt.Slots == 0 {
		opt.Slots = 1
	}
	return Run(ctx, b.plan, opt)
}

// id finds out which step a job is of, by its parameters and by where its inputs come from; the
// models of an average may stand in any order.
func (b *bench) id(job *kind.Job) string {
	var have []string // what made the job's inputs, as their first lines say
	for _, in := range job.Inputs {
		data, err := os.ReadFile(in.Path)
		if err != nil {
			b.t.Error(err)
		}
		line, _, _ := strings.Cut(string(data), "\n")
		have = append(have, line)
	}
	slices.Sort(have)
	for _, s := range b.plan.Steps {
		if string(s.Params) != string(job.Params) || len(s.Inputs) != len(job.Inputs) {
			continue
		}
		same := true
		var want []string
		for i, in := range s.Inputs {
			same = same && in.Role == job.Inputs[i].Role && (in.File == nil || in.File.Digest == job.Inputs[i].Digest)
			if in.File != nil {
				want = append(want, "text of "+in.File.Name)
			} else {
				want = append(want, b.plan.Steps[in.Step].ID+" "+in.Output)
			}
		}
		slices.Sort(want)
		same = same && slices.Equal(have, want)
		if same {
			return s.ID
		}
	}
	b.t.Errorf("no step has the job %s", job.Params)
	return ""
}

func (b *bench) stage(ctx context.Context, job *kind.Job) error {
	id := b.id(job)
	b.mu.Lock()
	b.ran = append(b.ran, id)
	b.threads[id] = job.Now()
	do := b.do[id]
	b.mu.Unlock()
	if do != nil {
		if err := do(ctx, job); err != nil {
			return err
		}
	}
	i, err := b.plan.Find(id)
	if err != nil {
		return err
	}
	names := map[string]bool{"result": true}
	for _, s := range b.plan.Steps {
		for _, in := range s.Inputs {
			if in.File == nil && in.Step == i {
				names[in.Output] = true
			}
		}
	}
	for name := range names {
		path := filepath.Join(job.Dir, filepath.FromSlash(name))
		var text strings.Builder
		fmt.Fprintf(&text, "%s %s\n", id, name)
		for _, in := range job.Inputs {
			fmt.Fprintln(&text, in.Role, in.Digest)
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text.String()), 0o666)); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) mustRun(opt Options) *pipeline.State {
	b.t.Helper()
	s, err := b.run(context.Background(), opt)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, run, waits := s.Count(); run+waits > 0 {
		b.t.Fatalf("%d steps to run and %d waiting after a run without error", run, waits)
	}
	return s
}

func TestRunThenHits(t *testing.T) {
	b := newBench(t)
	first := b.mustRun(Options{})
	if len(b.ran) != len(b.plan.Steps) {
		t.Errorf("ran %d of %d steps", len(b.ran), len(b.plan.Steps))
	}
	for i, e := range first.Entries {
		if began := e.Provenance.Started; len(began) != len("2006-01-02T15:04:05.000Z") || !strings.HasSuffix(began, "Z") { // the order of text is that of time
			t.Errorf("step %s began %q: not to the millisecond, in UTC", b.plan.Steps[i].ID, began)
		}
	}
	second := b.mustRun(Options{Slots: 4})
	if len(b.ran) != 0 {
		t.Errorf("the second run ran %v", b.ran)
	}
	for i := range b.plan.Steps {
		if first.Keys[i] != second.Keys[i] {
			t.Errorf("step %s has another key in the second run", b.plan.Steps[i].ID)
		}
	}
}

func TestSameResultOnAnyNumberOfSlots(t *testing.T) {
	digests := func(slots, jobs int) string {
		s := newBench(t)
		state := s.mustRun(Options{Slots: slots, Jobs: jobs})
		var out strings.Builder
		for i, e := range state.Entries {
			fmt.Fprintln(&out, s.plan.Steps[i].ID, e.Outputs)
		}
		return out.String()
	}
	want := digests(1, 0)
	for _, n := range [][2]int{{2, 0}, {7, 0}, {7, 2}} {
		if got := digests(n[0], n[1]); got != want {
			t.Errorf("on %d slots, %d jobs at once, the outputs differ:\n%s\nwant\n%s", n[0], n[1], got, want)
		}
	}
}

func TestSlotsAndJobsAreBounded(t *testing.T) {
	for _, opt := range []Options{{Slots: 1}, {Slots: 4}, {Slots: 4, Jobs: 2}, {Slots: 3, Jobs: 1}, {Slots: 2, Jobs: 9}} {
		b := newBench(t)
		var mu sync.Mutex
		active := map[*kind.Job]bool{}
		mostActive, mostThreads := 0, 0
		for _, s := range b.plan.Steps {
			b.do[s.ID] = func(_ context.Context, job *kind.Job) error {
				mu.Lock()
				defer mu.Unlock()
				active[job] = true
				threads := 0
				for j := range active {
					threads += j.Now()
				}
				mostActive, mostThreads = max(mostActive, len(active)), max(mostThreads, threads)
				return nil
			}
		}
		watch := opt
		watch.Events = func(e Event) {
			if e.What == Finished { // until the runner has heard of it a step holds its share
				mu.Lock()
				defer mu.Unlock()
				for j := range active {
					if b.id(j) == b.plan.Steps[e.Step].ID {
						delete(active, j)
					}
				}
			}
		}
		b.mustRun(watch)
		jobs := opt.Slots
		if opt.Jobs > 0 {
			jobs = min(jobs, opt.Jobs)
		}
		if mostActive > jobs || mostThreads > opt.Slots {
			t.Errorf("%d slots, %d jobs: up to %d steps on %d threads at once", opt.Slots, opt.Jobs, mostActive, mostThreads)
		}
	}
}

// TestShareGrows ends one of two steps: the other then has all slots.
func TestShareGrows(t *testing.T) {
	b := newBench(t)
	ended := make(chan struct{})
	grew := false
	b.do["seq/pairs/alpha+beta"] = func(_ context.Context, job *kind.Job) error {
		<-ended
		for job.Now() < 2 {
			runtime.Gosched()
		}
		grew = true
		return nil
	}
	last := 0
	b.mustRun(Options{Slots: 2, Events: func(e Event) {
		// Everything but the reference, what waits for it and the end of it.
		if e.What == Finished {
			if last++; last == len(b.plan.Steps)-4 {
				close(ended)
			}
		}
	}})
	if !grew {
		t.Error("the training that was left alone did not get both slots")
	}
}

func TestALoneStepGetsAllSlots(t *testing.T) {
	b := newBench(t)
	b.mustRun(Options{Slots: 4})
	for _, id := range []string{"tokenizer", "correlate"} {
		if b.threads[id] != 4 {
			t.Errorf("step %s, with nothing else to do, had %d of 4 threads", id, b.threads[id])
		}
	}
}

func TestDearestFirst(t *testing.T) {
	b := newBench(t)
	b.mustRun(Options{Slots: 1})
	at := func(id string) int { return slices.Index(b.ran, id) }
	if at("seq/pairs/alpha+beta") > at("unit/parts/alpha/0") {
		t.Errorf("the longer training came later: %v", b.ran)
	}
}

func TestFailureNamesTheRootCause(t *testing.T) {
	b := newBench(t)
	boom := errors.New("boom")
	b.do["unit/parts/alpha/0"] = func(context.Context, *kind.Job) error {
		return fmt.Errorf("train: %w", &kind.FailedError{Err: boom, Files: []kind.Evidence{{What: "what it saw", Name: "seen.txt", Data: []byte("smoke")}}})
	}
	logs := filepath.Join(b.dir, "logs")
	s, err := b.run(context.Background(), Options{LogDir: logs})
	var failed *FailedError
	if !errors.As(err, &failed) || len(failed.Failures) != 1 || !errors.Is(err, boom) {
		t.Fatalf("error %v, want one failure with the stage's error", err)
	}
	f := failed.Failures[0]
	if f.Step != "unit/parts/alpha/0" || !slices.Contains(f.Blocked, "correlate") || slices.Contains(f.Blocked, "unit/parts/beta/0") {
		t.Errorf("failure %+v", f)
	}
	seen := filepath.Join(logs, "unit_parts_alpha_0.seen.txt")
	if data, err := os.ReadFile(seen); err != nil || string(data) != "smoke" {
		t.Errorf("what the step left about its failure: %q, %v", data, err)
	}
	for _, want := range []string{"step unit/parts/alpha/0", "boom", "not run because of it", f.Log, "what it saw: " + seen} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q lacks %q", err, want)
		}
	}
	if data, err := os.ReadFile(f.Log); err != nil || !strings.Contains(string(data), "param model.layers = 1") {
		t.Errorf("log %q, %v; want the key inputs", data, err)
	}
	for _, id := range []string{"unit/parts/beta/0", "seq/pairs/alpha+beta"} { // unrelated work went on
		if i, _ := b.plan.Find(id); s.Status[i] != pipeline.Hit {
			t.Errorf("step %s is %s, want it done", id, s.Status[i])
		}
	}
	delete(b.do, "unit/parts/alpha/0")
	b.mustRun(Options{})
	if slices.Contains(b.ran, "seed") {
		t.Errorf("after the repair what was done ran again: %v", b.ran)
	}
}

func TestManyFailures(t *testing.T) {
	boom := errors.New("boom")
	var e FailedError
	for i := range shownFailures + 2 {
		e.Failures = append(e.Failures, Failure{Step: fmt.Sprintf("step-%d.", i), Err: boom})
	}
	text := e.Error()
	if n := strings.Count(text, "boom"); n != shownFailures || !strings.HasSuffix(text, "\nand 2 more steps failed; their logs lie beside that of step-0.") {
		t.Errorf("%d failures told:\n%s", n, text)
	}
	e.Failures = e.Failures[:shownFailures+1]
	if text := e.Error(); strings.Count(text, "boom") != shownFailures+1 {
		t.Errorf("one more failure is worth a line of its own:\n%s", text)
	}
}

func TestFailFast(t *testing.T) {
	b := newBench(t)
	b.do["seq/pairs/alpha+beta"] = func(context.Context, *kind.Job) error { return errors.New("boom") }
	if _, err := b.run(context.Background(), Options{FailFast: true}); err == nil {
		t.Fatal("no error")
	}
	if n := len(b.ran); b.ran[n-1] != "seq/pairs/alpha+beta" {
		t.Errorf("after the failure began %s", b.ran[n-1])
	}
}

// TestFullDiskStops: what would be computed next could not be kept either.
func TestFullDiskStops(t *testing.T) {
	b := newBench(t)
	b.do["unit/parts/alpha/0"] = func(_ context.Context, job *kind.Job) error {
		return &fs.PathError{Op: "write", Path: job.Dir, Err: syscall.ENOSPC}
	}
	if _, err := b.run(context.Background(), Options{}); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("error %v", err)
	}
	if n := len(b.ran); b.ran[n-1] != "unit/parts/alpha/0" {
		t.Errorf("on a full disk began %s", b.ran[n-1])
	}
	delete(b.do, "unit/parts/alpha/0")
	b.mustRun(Options{})
}

// TestLostPages: a mapped file that someone cuts short ends the step that reads it and not the
// program.
func TestLostPages(t *testing.T) {
	b := newBench(t)
	b.do["unit/parts/alpha/0"] = func(_ context.Context, job *kind.Job) error {
		path := filepath.Join(job.Dir, "mapped")
		if err := os.WriteFile(path, make([]byte, 1<<16), 0o666); err != nil {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		data, err := syscall.Mmap(int(f.Fd()), 0, 1<<16, syscall.PROT_READ, syscall.MAP_SHARED)
		if err != nil {
			return err
		}
		defer syscall.Munmap(data)
		if err := os.Truncate(path, 0); err != nil {
			return err
		}
		return fmt.Errorf("read %d", data[1<<15])
	}
	_, err := b.run(context.Background(), Options{LogDir: filepath.Join(b.dir, "logs")})
	var failed *FailedError
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), "became unreadable") || strings.Contains(err.Error(), "internal error") {
		t.Fatalf("error %v", err)
	}
	if text, err := os.ReadFile(failed.Failures[0].Log); err != nil || !strings.Contains(string(text), "goroutine ") {
		t.Errorf("the log has no stack: %s, %v", text, err)
	}
	delete(b.do, "unit/parts/alpha/0")
	b.mustRun(Options{})
}

func TestPanicIsAFailure(t *testing.T) {
	b := newBench(t)
	b.do["tokenizer"] = func(context.Context, *kind.Job) error { panic("out of range") }
	logs := filepath.Join(b.dir, "logs")
	_, err := b.run(context.Background(), Options{LogDir: logs})
	if err == nil || !strings.Contains(err.Error(), "internal error: panic: out of range") {
		t.Fatalf("error %v", err)
	}
	data, err := os.ReadFile(filepath.Join(logs, "tokenizer.log"))
	if err != nil || !bytes.Contains(data, []byte("runner_test.go")) {
		t.Errorf("the log has no stack: %v\n%s", err, data)
	}
}

func TestInterruptKeepsPartialWork(t *testing.T) {
	b := newBench(t)
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(context.Background())
	b.do["seed"] = func(ctx context.Context, job *kind.Job) error {
		cancel(stop)
		<-ctx.Done()
		return errors.Join(os.WriteFile(filepath.Join(job.Partial, "half"), []byte("half"), 0o666), ctx.Err())
	}
	if _, err := b.run(ctx, Options{}); !errors.Is(err, stop) {
		t.Fatalf("error %v, want the cause of the interruption", err)
	}
	resumed := false
	b.do["seed"] = func(_ context.Context, job *kind.Job) error {
		data, err := os.ReadFile(filepath.Join(job.Partial, "half"))
		resumed = err == nil && string(data) == "half"
		return nil
	}
	b.mustRun(Options{})
	if !resumed {
		t.Error("the next run did not find what the interrupted step saved")
	}
}

func TestInterruptWithoutSaving(t *testing.T) {
	b := newBench(t)
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(context.Background())
	b.do["seed"] = func(ctx context.Context, _ *kind.Job) error {
		cancel(stop)
		<-ctx.Done()
		return errors.Join(ctx.Err(), &kind.SaveError{Err: errors.New("no room for step 7")})
	}
	if _, err := b.run(ctx, Options{}); !errors.Is(err, stop) {
		t.Fatalf("error %v, want the cause of the interruption", err)
	}
	if !slices.ContainsFunc(b.events, func(e Event) bool { return e.What == Warning && strings.Contains(e.Message, "no room for step 7") }) {
		t.Error("nobody was told that the work since the last checkpoint is lost")
	}
}

func TestChangedRawFile(t *testing.T) {
	b := newBench(t)
	b.do["tokenize/parts/a.jsonl"] = func(context.Context, *kind.Job) error {
		return os.WriteFile(filepath.Join(b.dir, "a.jsonl"), []byte("other text"), 0o666)
	}
	_, err := b.run(context.Background(), Options{})
	if err == nil || !strings.Contains(err.Error(), "a.jsonl changed while it was read") {
		t.Errorf("error %v, want that the file changed", err)
	}
}

// TestLostBlob loses an artifact between planning and reading: the step that made it runs again.
func TestLostBlob(t *testing.T) {
	b := newBench(t)
	b.do["unit/parts/beta/0"] = func(context.Context, *kind.Job) error { return errors.New("not yet") }
	s, err := b.run(context.Background(), Options{})
	if err == nil {
		t.Fatal("no error")
	}
	split, _ := b.plan.Find("split/parts")
	out, _ := s.Entries[split].Output(kind.UnitOutput("beta", 0))
	path, err := b.cache.Blob(out.Digest)
	if err != nil {
		t.Fatal(err)
	}
	delete(b.do, "unit/parts/beta/0")
	// What the first event loses, the lookup at the start has seen.
	lost := false
	b.mustRun(Options{Events: func(e Event) {
		if e.What == Planned && !lost {
			lost = true
			if err := os.Remove(path); err != nil {
				t.Error(err)
			}
		}
	}})
	if !slices.Contains(b.ran, "split/parts") {
		t.Errorf("ran %v, want the split again", b.ran)
	}
	if !slices.ContainsFunc(b.events, func(e Event) bool {
		return e.What == Warning && strings.Contains(e.Message, "must be made again")
	}) {
		t.Error("nobody was told")
	}
}

// elsewhere commits the seed model as another run would, with something of its own at the end of
// each file.
func (b *bench) elsewhere(text string) error {
	i, err := b.plan.Find("seed")
	if err != nil {
		return err
	}
	s, err := b.plan.Resolve(b.kinds(), b.cache.Lookup)
	if err != nil {
		return err
	}
	build, err := b.cache.Begin(s.Keys[i])
	if err != nil {
		return err
	}
	for _, name := range []string{kind.OutModel, kind.OutOptimizer} {
		if err := os.WriteFile(filepath.Join(build.Dir, name), []byte("seed "+name+"\n"+text), 0o666); err != nil {
			return err
		}
	}
	_, err = build.Commit(kind.Train, s.KeyInputs[i], cache.Machine())
	return err
}

// TestOtherRun lets another run commit the seed model before this one begins it, while it is at it,
// or while it fails: the other's result is taken.
func TestOtherRun(t *testing.T) {
	boom := errors.New("boom")
	gone := &fs.PathError{Op: "open", Path: "partial", Err: fs.ErrNotExist}
	for _, tt := range []struct {
		name    string
		before  bool // committed after the step was found missing, before it begins
		fails   error
		what    What
		warning string
	}{
		{name: "before", before: true, what: Reused},
		{name: "other bytes", what: Finished, warning: "not deterministic"},
		{name: "its checkpoints are gone", fails: gone, what: Reused},
		{name: "failed for itself", fails: boom, what: Reused, warning: "failed in this run, but another run has finished it: boom"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			committed := false
			b.do["seed"] = func(context.Context, *kind.Job) error {
				if tt.before {
					t.Error("the step ran though it was there")
				}
				return errors.Join(b.elsewhere("other"), tt.fails)
			}
			s := b.mustRun(Options{Events: func(e Event) {
				if tt.before && e.What == Started && b.plan.Steps[e.Step].ID == "seed" {
					committed = true
					if err := b.elsewhere("other"); err != nil {
						t.Error(err)
					}
				}
			}})
			if tt.before && !committed {
				t.Fatal("internal: the other run never committed")
			}
			i, _ := b.plan.Find("seed")
			if out, _ := s.Entries[i].Output(kind.OutModel); out.Digest != cache.DigestOf([]byte("seed "+kind.OutModel+"\nother")) {
				t.Error("the first result did not stand")
			}
			var what What
			var warnings []string
			for _, e := range b.events {
				switch {
				case e.What == Warning:
					warnings = append(warnings, e.Message)
				case e.What == Conflict:
					warnings = append(warnings, e.Err.Error())
				case e.Step == i && e.What != Progress:
					what = e.What
				}
			}
			if what != tt.what {
				t.Errorf("the step ended with event %d, want %d", what, tt.what)
			}
			if got := strings.Join(warnings, "\n"); !strings.Contains(got, tt.warning) || (got == "") != (tt.warning == "") {
				t.Errorf("warnings %q, want %q", got, tt.warning)
			}
		})
	}
}
