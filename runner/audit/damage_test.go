package audit

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ablate/cache"
	"ablate/cache/table"
	"ablate/runner/runnertest"
	"ablate/stages"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// Steps of the run.
const (
	seed   = "seed"
	alpha  = "unit/parts/alpha/0"
	beta   = "unit/parts/beta/0"
	split  = "split/parts"
	eval   = "eval/unit/parts/alpha/0/test/parts/alpha"
	result = "correlate"
)

// damaged is a copy of a finished run to damage, and what an audit of it has to work with.
type damaged struct {
	testing.TB
	runnertest.Finished
	dir    string // the cache
	claims []Step // as provenance.json has them
	kinds  kind.Kinds
	lacks  func(step, output string) string
	noRaw  bool // the raw files are not here
}

func copied(t *testing.T, f runnertest.Finished) *damaged {
	t.Helper()
	text, err := json.Marshal(Provenance(f.State))
	if err != nil {
		t.Fatal(err)
	}
	claims, err := ParseProvenance(text)
	if err != nil {
		t.Fatal(err)
	}
	return &damaged{TB: t, Finished: f, dir: f.Copy(t), claims: claims, kinds: stages.Kinds()}
}

func (d *damaged) entry(id string) *cache.Entry {
	e := *d.State.Entries[d.Step(d, id)]
	e.Outputs = slices.Clone(e.Outputs)
	return &e
}

// output is an output of a step, whose blob lies at path.
func (d *damaged) output(id, name string) (o cache.Output, path string) {
	o, ok := d.entry(id).Output(name)
	if !ok {
		d.Fatalf("internal: step %s has no output %s", id, name)
	}
	return o, runnertest.BlobPath(d.dir, o.Digest)
}

// forge writes another entry of a step, whose sum is right, and lets provenance.json agree.
func (d *damaged) forge(id string, edit func(e *cache.Entry)) {
	e := d.entry(id)
	edit(e)
	slices.SortFunc(e.Outputs, func(a, b cache.Output) int { return strings.Compare(a.Name, b.Name) })
	text, err := e.Bytes()
	if err != nil {
		d.Fatal(err)
	}
	runnertest.Overwrite(d, runnertest.EntryPath(d.dir, e.Key), text)
	c := d.claim(id)
	c.Outputs, c.Provenance = e.Outputs, e.Provenance
}

// store puts bytes into the cache as a blob.
func (d *damaged) store(name string, data []byte) cache.Output {
	o := cache.Output{Name: name, Digest: cache.DigestOf(data), Size: int64(len(data))}
	path := runnertest.BlobPath(d.dir, o.Digest)
	if err := errors.Join(os.MkdirAll(path[:len(path)-65], 0o777), os.WriteFile(path, data, 0o444)); err != nil {
		d.Fatal(err)
	}
	return o
}

func (d *damaged) claim(id string) *Step {
	id = d.Plan.Steps[d.Step(d, id)].ID
	return &d.claims[slices.IndexFunc(d.claims, func(s Step) bool { return s.ID == id })]
}

// instead lets steps of a kind be carried out by another stage.
func (d *damaged) instead(name string, run kind.Func) {
	i := slices.IndexFunc(d.kinds, func(k kind.Kind) bool { return k.Name == name })
	d.kinds[i].Run = run
}

// audit audits the run, and executes steps again.
func (d *damaged) audit(execute ...string) *Audit {
	d.Helper()
	c, err := cache.OpenAudit(d.dir)
	if err != nil {
		d.Fatal(err)
	}
	d.Cleanup(func() { c.Close() })
	a := New(Options{Cache: c, Kinds: d.kinds, Threads: 2, Temp: d.TempDir(), Lacks: d.lacks}, d.claims)
	for _, step := range d.Plan.Steps {
		for _, in := range step.Inputs {
			if in.File != nil && !d.noRaw && a.raw[in.File.Digest] == "" {
				if err := a.Raw(d.Context(), in.File.Name, in.File.Path, in.File.Digest); err != nil {
					d.Fatal(err)
				}
			}
		}
	}
	state, err := d.Plan.Resolve(d.kinds, a.Lookup)
	if err != nil {
		d.Fatal(err)
	}
	a.Steps(state)
	if err := a.Blobs(d.Context()); err != nil {
		d.Fatal(err)
	}
	for _, id := range execute {
		if err := a.Execute(d.Context(), d.Step(d, id), nil); err != nil {
			d.Fatal(err)
		}
	}
	return a
}

func TestSoundRun(t *testing.T) {
	f := runnertest.Run(t, t.TempDir())
	a := copied(t, f).audit(seed, split, eval, result)
	if len(a.Findings) > 0 || len(a.Unchecked) > 0 {
		t.Errorf("findings %v, unchecked %v", a.Findings, a.Unchecked)
	}
	if n := len(f.Plan.Steps); a.Result.Steps != (Count{Checked: n, Of: n}) {
		t.Errorf("steps %+v, want %d", a.Result.Steps, n)
	}
	blobs := map[cache.Digest]int64{}
	var size int64
	for _, e := range f.State.Entries {
		for _, o := range e.Outputs {
			if _, ok := blobs[o.Digest]; !ok {
				blobs[o.Digest] = o.Size
				size += o.Size
			}
		}
	}
	if n := len(blobs); a.Result.Blobs != (Count{Checked: n, Of: n, Bytes: size}) {
		t.Errorf("blobs %+v, want %d of %d bytes", a.Result.Blobs, n, size)
	}
	if a.Result.Raw.Checked != 3 || len(a.Result.Executed) != 4 {
		t.Errorf("raw files %+v, executed %+v", a.Result.Raw, a.Result.Executed)
	}
	for _, e := range a.Result.Executed {
		if !e.Same || e.Outputs == 0 {
			t.Errorf("executed again: %+v", e)
		}
	}
}

// finding is a finding that a damage must have: what it is about, the step and what its words hold.
type finding struct{ what, step, detail string }

// Each kind of difference that an audit can find, and nothing besides: what follows from a damage
// is no finding of its own.
func TestDamages(t *testing.T) {
	f := runnertest.Run(t, t.TempDir())
	boom := errors.New("boom")
	for _, c := range []struct {
		name     string
		damage   func(d *damaged)
		execute  []string
		findings []finding
		skipped  []string // of each thing that was not checked, some of its words
	}{
		{
			name:     "entry gone, provenance.json stands in",
			damage:   func(d *damaged) { runnertest.Remove(d, runnertest.EntryPath(d.dir, d.entry(alpha).Key)) },
			execute:  []string{alpha},
			findings: []finding{{"entry", alpha, "is missing; later steps are checked with the outputs that provenance.json names"}},
		},
		{
			name: "entry that cannot be read, provenance.json stands in",
			damage: func(d *damaged) {
				runnertest.Overwrite(d, runnertest.EntryPath(d.dir, d.entry(alpha).Key), []byte("{"))
			},
			findings: []finding{{"entry", alpha, "corrupt: does not end in its sum"}},
		},
		{
			name: "entry that cannot be read, nothing stands in",
			damage: func(d *damaged) {
				runnertest.Overwrite(d, runnertest.EntryPath(d.dir, d.entry(result).Key), []byte("{"))
				d.claims = nil
			},
			execute:  []string{result},
			findings: []finding{{"entry", result, "corrupt: does not end in its sum"}},
			skipped:  []string{"not executed again: its entry is lost"},
		},
		{
			name: "key that the study does not give",
			damage: func(d *damaged) { // as of a run with another parameter
				e := d.entry(eval)
				runnertest.Remove(d, runnertest.EntryPath(d.dir, e.Key))
				e.KeyInputs = slices.Clone(e.KeyInputs)
				at := slices.IndexFunc(e.KeyInputs, func(in cache.KeyInput) bool { return in.Label == "param documents" })
				e.KeyInputs[at].Value = "3"
				e.Key = cache.KeyOf(e.KeyInputs)
				text, err := e.Bytes()
				path := runnertest.EntryPath(d.dir, e.Key)
				if err = errors.Join(err, os.MkdirAll(path[:len(path)-65], 0o777), os.WriteFile(path, text, 0o444)); err != nil {
					d.Fatal(err)
				}
				d.claim(eval).Key = e.Key
			},
			findings: []finding{{"entry", eval, "the cache has none for the key that the study gives (provenance.json has key "}},
			skipped:  []string{"its key cannot be derived: a step before it is lost"},
		},
		{
			name: "nothing of a step is left",
			damage: func(d *damaged) {
				runnertest.Remove(d, runnertest.EntryPath(d.dir, d.entry(seed).Key))
				d.claims = nil
			},
			findings: []finding{{"entry", seed, "the cache has none for the key that the study gives; "}},
			skipped:  []string{"their keys cannot be derived: a step before them is lost"},
		},
		{
			name: "entry of another kind",
			damage: func(d *damaged) {
				d.forge(alpha, func(e *cache.Entry) { e.Kind = kind.Merge })
				d.claim(alpha).Kind = kind.Train
			},
			findings: []finding{{"entry", alpha, "is of kind merge, want train"}},
		},
		{
			name: "forged output: what comes after has other keys",
			damage: func(d *damaged) {
				d.forge(alpha, func(e *cache.Entry) { e.Outputs[1] = d.store(kind.OutModel, []byte("a better model")) })
			},
			execute: []string{alpha},
			findings: []finding{
				{"execution", alpha, "step unit/parts/alpha/0 leaves "},
				{"entry", "eval/", "the cache has none for the key that the study gives"},
			},
			skipped: []string{"step correlate: its key cannot be derived"},
		},
		{
			name: "what follows from a finding is none",
			damage: func(d *damaged) {
				d.forge(alpha, func(e *cache.Entry) {
					e.Kind = kind.Merge
					e.Outputs[1] = d.store(kind.OutModel, []byte("a better model"))
				})
			},
			findings: []finding{{"entry", alpha, "is of kind merge, want train"}},
			skipped: append(slices.Repeat([]string{"no entry fits the present key inputs of step unit/parts/alpha/0 (input model."}, 7),
				"step correlate: its key cannot be derived"),
		},
		{
			name:     "step that provenance.json does not name",
			damage:   func(d *damaged) { d.claim(alpha).ID = "unit/parts/omega/0" },
			findings: []finding{{"report", alpha, "does not name the step"}, {"report", "unit/parts/omega/0", "names a step that is not in the study"}},
		},
		{
			name:     "provenance.json says otherwise",
			damage:   func(d *damaged) { d.claim(alpha).Provenance.Host = "elsewhere" },
			findings: []finding{{"report", alpha, "provenance host is elsewhere there, want "}},
		},
		{
			name:     "provenance.json says another key",
			damage:   func(d *damaged) { d.claim(alpha).Key = cache.Key{1} },
			findings: []finding{{"report", alpha, "key is 0100"}},
		},
		{
			name: "blob gone",
			damage: func(d *damaged) {
				_, path := d.output(alpha, kind.OutModel)
				runnertest.Remove(d, path)
			},
			execute:  []string{eval},
			findings: []finding{{"blob", alpha, "output model.safetensors of step unit/parts/alpha/0 is missing"}},
			skipped:  []string{"not executed again: its input model.safetensors of step unit/parts/alpha/0 is missing or changed"},
		},
		{
			name: "blob of many outputs gone",
			damage: func(d *damaged) {
				_, path := d.output("pack/seed", kind.OutDuplicates)
				runnertest.Remove(d, path)
			},
			findings: []finding{{"blob", split, "output duplicates.parquet of step split/parts is missing; 1 other outputs are the same blob"}},
		},
		{
			name: "blob that need not be there",
			damage: func(d *damaged) {
				_, path := d.output(alpha, kind.OutModel)
				runnertest.Remove(d, path)
				d.lacks = func(_, output string) string {
					if output == kind.OutModel {
						return "the bundle holds none"
					}
					return ""
				}
			},
			skipped: []string{"the bytes of 1 blobs: the bundle holds none"},
		},
		{
			name: "blob changed",
			damage: func(d *damaged) {
				_, path := d.output(alpha, kind.OutModel)
				data, err := os.ReadFile(path)
				if err != nil {
					d.Fatal(err)
				}
				data[len(data)-1] ^= 1
				runnertest.Overwrite(d, path, data)
			},
			findings: []finding{{"blob", alpha, "output model.safetensors of step unit/parts/alpha/0 has been changed: "}},
		},
		{
			name: "blob swapped",
			damage: func(d *damaged) {
				_, path := d.output(alpha, kind.OutModel)
				_, other := d.output(beta, kind.OutModel)
				data, err := os.ReadFile(other)
				if err != nil {
					d.Fatal(err)
				}
				runnertest.Overwrite(d, path, data)
			},
			findings: []finding{{"blob", alpha, "has been swapped: its bytes have digest "}},
		},
		{
			name: "size that is not the blob's",
			damage: func(d *damaged) {
				d.forge(alpha, func(e *cache.Entry) { e.Outputs[1].Size++ })
			},
			findings: []finding{{"blob", alpha, "has 13856 bytes, its entry says 13857"}},
		},
		{
			name: "size that is not the blob's, which another output has right",
			damage: func(d *damaged) {
				d.forge("pack/seed", func(e *cache.Entry) {
					i := slices.IndexFunc(e.Outputs, func(o cache.Output) bool { return o.Name == kind.OutDuplicates })
					e.Outputs[i].Size++
				})
			},
			findings: []finding{{"blob", "pack/seed", "output duplicates.parquet of step pack/seed has 447 bytes, its entry says 448"}},
		},
		{
			name:     "raw file not here",
			damage:   func(d *damaged) { d.noRaw = true },
			execute:  []string{"tokenizer"},
			skipped:  []string{"not executed again: the raw file seed.jsonl that it read is not here"},
			findings: nil,
		},
		{
			name: "scores forged with their entry",
			damage: func(d *damaged) {
				_, path := d.output(result, kind.OutScores)
				rows, err := table.ReadRows[tables.ScoreRow](path)
				if err != nil {
					d.Fatal(err)
				}
				rows[0].Perplexity = 1
				made := d.TempDir() + "/scores"
				if err := table.WriteRows(made, rows); err != nil {
					d.Fatal(err)
				}
				data, err := os.ReadFile(made)
				if err != nil {
					d.Fatal(err)
				}
				d.forge(result, func(e *cache.Entry) {
					i := slices.IndexFunc(e.Outputs, func(o cache.Output) bool { return o.Name == kind.OutScores })
					e.Outputs[i] = d.store(kind.OutScores, data)
				})
			},
			execute:  []string{result},
			findings: []finding{{"execution", result, "step correlate leaves "}},
		},
		{
			name: "output that the step does not leave",
			damage: func(d *damaged) {
				d.forge(result, func(e *cache.Entry) { e.Outputs = append(e.Outputs, d.store("notes.txt", []byte("notes"))) })
			},
			execute:  []string{result},
			findings: []finding{{"execution", result, "step correlate does not leave this output when executed again; its entry lists "}},
		},
		{
			name: "output that the entry lacks",
			damage: func(d *damaged) {
				d.forge(result, func(e *cache.Entry) { e.Outputs = e.Outputs[1:] })
			},
			execute:  []string{result},
			findings: []finding{{"execution", result, "step correlate leaves this output when executed again, and its entry does not list it"}},
		},
		{
			name: "step that fails now",
			damage: func(d *damaged) {
				d.instead(kind.Eval, func(context.Context, *kind.Job) error { return boom })
			},
			execute:  []string{eval, seed},
			findings: []finding{{"execution", eval, "the step fails when executed again: boom"}},
		},
		{
			name: "step that panics now",
			damage: func(d *damaged) {
				d.instead(kind.Eval, func(context.Context, *kind.Job) error { panic("odd") })
			},
			execute:  []string{eval},
			findings: []finding{{"execution", eval, "the step fails when executed again: internal error: panic: odd"}},
		},
		{
			name: "made by another machine",
			damage: func(d *damaged) {
				d.instead(kind.Eval, func(context.Context, *kind.Job) error { return boom })
				d.forge(eval, func(e *cache.Entry) { e.Provenance.Arch = "vax" })
			},
			execute:  []string{eval},
			findings: []finding{{"execution", eval, "the step fails when executed again: boom (it was made on vax, this is "}},
		},
		{
			name: "made with another Go",
			damage: func(d *damaged) {
				d.instead(kind.Eval, func(context.Context, *kind.Job) error { return nil })
				d.forge(eval, func(e *cache.Entry) { e.Provenance.Go = "go1.0" })
			},
			execute:  []string{eval},
			findings: []finding{{"execution", eval, "(it was made with go1.0, this is "}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := copied(t, f)
			c.damage(d)
			a := d.audit(c.execute...)
			left := slices.Clone(a.Findings)
			for _, want := range c.findings {
				found := false
				rest := left[:0]
				for _, got := range left {
					// A forged output has a finding for each step that reads it.
					if got.What == want.what && strings.HasPrefix(got.Step, d.id(want.step)) && strings.Contains(got.Detail, want.detail) {
						found = true
					} else {
						rest = append(rest, got)
					}
				}
				left = rest
				if !found {
					t.Errorf("no finding %q in %v", want, a.Findings)
				}
			}
			for _, got := range left {
				t.Errorf("a finding that is none: %s", got)
			}
			var skipped []string
			for _, u := range a.Unchecked {
				skipped = append(skipped, u.What+": "+u.Why)
			}
			if len(skipped) != len(c.skipped) {
				t.Errorf("not checked: %q, want %q", skipped, c.skipped)
			}
			for _, want := range c.skipped {
				if !slices.ContainsFunc(skipped, func(got string) bool { return strings.Contains(got, want) }) {
					t.Errorf("not checked: %q, want %q", skipped, want)
				}
			}
			for _, e := range a.Result.Executed {
				differs := slices.ContainsFunc(a.Findings, func(f Finding) bool { return f.What == "execution" && f.Step == e.Step })
				if e.Same == differs {
					t.Errorf("step %s: the same %t, findings %v", e.Step, e.Same, a.Findings)
				}
			}
		})
	}
}

// id is the whole ID of a step; other text stays.
func (d *damaged) id(text string) string {
	if i, err := d.Plan.Find(text); err == nil {
		return d.Plan.Steps[i].ID
	}
	return text
}

// A step with a finding is not counted among those that were checked.
func TestCountsLeaveOutWhatIsWrong(t *testing.T) {
	f := runnertest.Run(t, t.TempDir())
	d := copied(t, f)
	runnertest.Remove(d, runnertest.EntryPath(d.dir, d.entry(alpha).Key))
	d.claim(beta).Provenance.Host = "elsewhere"
	_, path := d.output(seed, kind.OutModel)
	runnertest.Remove(d, path)
	a := d.audit()
	if n := len(f.Plan.Steps); a.Result.Steps != (Count{Checked: n - 2, Of: n}) || a.Result.Blobs.Checked != a.Result.Blobs.Of-1 || len(a.Findings) != 3 {
		t.Errorf("steps %+v, blobs %+v, findings %v", a.Result.Steps, a.Result.Blobs, a.Findings)
	}
}

// A plan that lacks steps is said to, and provenance.json is not blamed for those.
func TestPartialPlan(t *testing.T) {
	d := copied(t, runnertest.Run(t, t.TempDir()))
	d.Plan.Partial = "the units are not known"
	defer func() { d.Plan.Partial = "" }()
	d.claim(alpha).ID = "unit/parts/omega/0"
	a := d.audit()
	if len(a.Findings) != 1 || a.Findings[0].Detail != "does not name the step" {
		t.Errorf("findings %v", a.Findings)
	}
	if len(a.Unchecked) != 1 || a.Unchecked[0].Why != "the units are not known" {
		t.Errorf("unchecked %v", a.Unchecked)
	}
}

// Many missing entries are all found; the reason is looked for as often as it can show something
// new.
func TestManyMissing(t *testing.T) {
	d := copied(t, runnertest.Run(t, t.TempDir()))
	d.claims = nil
	a := d.audit()
	a.Findings, a.explained = nil, mostExplained
	i := d.Step(t, seed)
	a.lost[a.state.Keys[i]] = &cache.Miss{What: "entry", Reason: cache.Absent}
	a.missing(i, nil)
	if len(a.Findings) != 1 || a.Findings[0].Detail != "the cache has none for the key that the study gives" {
		t.Errorf("findings %v", a.Findings)
	}
}

// Which steps are executed again: the same ones for the same seed, a training always, none twice
// and none that cannot be.
func TestSample(t *testing.T) {
	d := copied(t, runnertest.Run(t, t.TempDir()))
	_, path := d.output(seed, kind.OutModel)
	runnertest.Remove(d, path) // so that no unit can be trained again
	a := d.audit()
	draws := map[int]bool{}
	for drawn := range uint64(20) {
		got := a.Sample(3, drawn)
		if !slices.Equal(got, a.Sample(3, drawn)) || len(got) != 3 || !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != 3 {
			t.Fatalf("seed %d draws %v", drawn, got)
		}
		trains := 0
		for _, i := range got {
			draws[i] = true
			step := d.Plan.Steps[i]
			if step.Kind == kind.Train {
				trains++
			}
			if step.Kind == kind.Correlate || step.Kind == kind.Train && step.ID != seed || a.lacks(i) != "" {
				t.Errorf("seed %d draws %s", drawn, step.ID)
			}
		}
		if trains == 0 {
			t.Errorf("seed %d draws no training", drawn)
		}
	}
	if len(draws) < 8 {
		t.Errorf("20 seeds draw %d steps in all", len(draws))
	}
	if got := a.Sample(0, 1); len(got) > 0 {
		t.Errorf("none drawn is %v", got)
	}
	if got := a.Sample(1000, 1); len(got) == 0 || len(got) >= len(d.Plan.Steps) {
		t.Errorf("%d of all are drawn", len(got))
	}
}

// Unasked, resumed trainings come first, then evaluations, in an order of the seed.
func TestCheap(t *testing.T) {
	d := copied(t, runnertest.Run(t, t.TempDir()))
	d.forge(alpha, func(e *cache.Entry) { e.Provenance.Resumed = 3 })
	a := d.audit()
	evals := 0
	for _, step := range d.Plan.Steps {
		if step.Kind == kind.Eval {
			evals++
		}
	}
	one, same, two := a.Cheap(1), a.Cheap(1), a.Cheap(2)
	if !slices.Equal(one, same) || slices.Equal(one, two) || len(one) != evals+1 || one[0] != d.Step(t, alpha) || two[0] != one[0] {
		t.Errorf("%v, %v, want the resumed training and %d evaluations", one, two, evals)
	}
}

// What a time budget leaves out is said.
func TestBudget(t *testing.T) {
	d := copied(t, runnertest.Run(t, t.TempDir()))
	d.instead(kind.Eval, func(ctx context.Context, _ *kind.Job) error {
		<-ctx.Done()
		return ctx.Err()
	})
	a := d.audit()
	steps := []int{d.Step(t, eval), d.Step(t, "eval/unit/parts/beta/0/test/parts/beta")}
	done, err := a.ExecuteWithin(t.Context(), steps, time.Millisecond)
	if err != nil || len(done) > 0 || len(a.Findings) > 0 {
		t.Errorf("done %v, findings %v, %v", done, a.Findings, err)
	}
	if len(a.Unchecked) != 2 || !strings.Contains(a.Unchecked[0].Why, "did not end within the time budget") || !strings.HasPrefix(a.Unchecked[1].What, "1 steps") {
		t.Errorf("unchecked %v", a.Unchecked)
	}
	// One that ends in time is done, and said to have been unasked.
	if done, err = a.ExecuteWithin(t.Context(), []int{d.Step(t, alpha)}, time.Hour); err != nil || len(done) != 1 || !a.Result.Executed[0].Unasked {
		t.Errorf("done %v, executed %+v, %v", done, a.Result.Executed, err)
	}
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	if _, err := a.ExecuteWithin(ctx, steps, time.Hour); !errors.Is(err, stop) {
		t.Errorf("interrupted: %v", err)
	}
	if err := a.Execute(ctx, steps[0], nil); !errors.Is(err, stop) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestParseProvenance(t *testing.T) {
	for _, text := range []string{"", "{", `{"id": "seed"}`, `[{"key": "short"}]`} {
		if _, err := ParseProvenance([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), "provenance.json: ") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// The scores of provenance.json name the evaluations that they are made of, and the average over
// sets those of all sets.
func TestScoresOfProvenance(t *testing.T) {
	f := runnertest.Run(t, t.TempDir())
	steps := Provenance(f.State)
	got := steps[f.Plan.Result].Scores
	if len(got) != len(f.Plan.Scores) {
		t.Fatalf("%d scores, want %d", len(got), len(f.Plan.Scores))
	}
	for _, s := range got {
		for _, d := range s.Domains {
			for _, e := range d.Evaluations {
				i, err := f.Plan.Find(e.Step)
				if err != nil || f.State.Keys[i] != e.Key || f.Plan.Steps[i].Kind != kind.Eval {
					t.Errorf("score %s of %s names %+v (%v)", s.Scorer, s.Mixture, e, err)
				}
			}
		}
	}
	sets := func(names ...string) (scores []Score) {
		for _, n := range names {
			scores = append(scores, Score{Group: "g", Mixture: "m", Scorer: "s", Set: n, Domains: []Domain{{Domain: n}}})
		}
		return scores
	}
	for _, c := range []struct {
		name   string
		scores []Score
		want   int // domains of the average; 0: there is none
	}{
		{"one set", sets("far"), 0},
		{"two sets", sets("far", "near"), 2},
		{"in-domain counts for none", sets("far", kind.InDomain), 0},
		{"a set of that name", sets("far", kind.Average), 0},
		{"one scorer lacks a set", append(sets("far", "near"), Score{Group: "g", Mixture: "m", Scorer: "t", Set: "far"}), 2},
	} {
		got := averages(c.scores)
		if len(got) != min(c.want, 1) || c.want > 0 && (len(got[0].Domains) != c.want || got[0].Set != kind.Average) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}
