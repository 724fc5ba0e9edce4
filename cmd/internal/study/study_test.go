package study_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ablate/cache"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/studytest"
	"ablate/pipeline"
	"ablate/specs"
)

// rewrite changes a study's text into a study beside it, and returns its path.
func rewrite(t *testing.T, path, name string, pairs ...string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer(pairs...).Replace(string(text))
	if changed == string(text) {
		t.Fatalf("%q change nothing", pairs)
	}
	to := filepath.Join(filepath.Dir(path), name)
	if err := os.WriteFile(to, []byte(changed), 0o666); err != nil {
		t.Fatal(err)
	}
	return to
}

// One run serves all of these. A plan grows from as far as the split to all of the study, and after
// a run every step of it is found. The same plan comes from what the run recorded, without its raw
// files.
func TestRunAndAfter(t *testing.T) {
	path, out := studytest.Study(t), filepath.Join(t.TempDir(), "out")
	s := &study.Session{CacheDir: filepath.Join(t.TempDir(), "cache"), Version: "test"}
	var before *study.Compiled
	if err := s.WithPlan(t.Context(), path, study.Planning{}, func(p *study.Compiled) error { before = p; return nil }); err != nil {
		t.Fatal(err)
	}
	if before.Settled() || before.Plan.Partial == "" {
		t.Errorf("before the split, the plan is whole")
	}
	if found, err := before.Catalogue(); found != nil || err != nil {
		t.Errorf("before the split, the units are %v, %v", found, err)
	}
	studytest.Run(t, s, path, out)
	var keys []cache.Key
	err := s.WithPlan(t.Context(), path, study.Planning{}, func(p *study.Compiled) error {
		if _, run, waits := p.State.Count(); !p.Settled() || run+waits > 0 {
			t.Errorf("after a run, %d steps would run and %d wait", run, waits)
		}
		keys = p.State.Keys
		if data, err := p.ResultOutput("correlations.csv"); err != nil || !strings.HasPrefix(string(data), "mixture_set,") {
			t.Errorf("the comparison reads %.20q, %v", data, err)
		}
		if _, err := p.Output(p.Plan.Result, "no such output"); err == nil || !strings.Contains(err.Error(), "has no output no such output") {
			t.Errorf("an output that is not there: %v", err)
		}
		if reads := p.Reads(); !slices.Contains(reads, path) || len(reads) != 5 {
			t.Errorf("the study reads %v", reads)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rec, err := study.ReadRecord(out)
	if err != nil || len(rec.Lacks) > 0 {
		t.Fatalf("the record lacks %v, %v", rec.Lacks, err)
	}
	alone, err := specs.ParseAlone("study.yaml", rec.Study, out)
	if err != nil {
		t.Fatal(err)
	}
	entries := map[cache.Key]*cache.Entry{}
	for _, x := range rec.Steps {
		entries[x.Key] = &cache.Entry{Key: x.Key, Kind: x.Kind, Outputs: x.Outputs, Provenance: x.Provenance}
	}
	p, err := s.PlanRecorded(alone, *rec.Sources, nil, func(key cache.Key) (*cache.Entry, error) {
		if e := entries[key]; e != nil {
			return e, nil
		}
		return nil, &cache.Miss{Reason: cache.Absent}
	})
	if err != nil {
		t.Fatal(err)
	}
	if !p.Settled() || !slices.Equal(p.State.Keys, keys) {
		t.Errorf("from the record, the plan has other keys than from the raw files")
	}
	delete(rec.Sources.Corpora, "parts")
	if _, err := s.PlanRecorded(alone, *rec.Sources, nil, nil); err == nil || err.Error() != "sources.json names no files of corpus parts" {
		t.Errorf("of a record without a corpus: %v", err)
	}
	t.Run("diff", func(t *testing.T) { diff(t, s, path, out) })
	t.Run("assumed units", func(t *testing.T) { assumed(t, s, path) })
}

// What is wrong with a study is its own fault, and says where; a study that is registered is kept
// by a collection.
func TestPlanFaults(t *testing.T) {
	path := studytest.Study(t)
	s := &study.Session{CacheDir: filepath.Join(t.TempDir(), "cache"), Version: "test"}
	c, err := s.OpenCache(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var usage *fault.UsageError
	var mistakes specs.Errors
	if _, err := s.Plan(c, filepath.Join(t.TempDir(), "none.yaml"), study.Planning{}); !errors.As(err, &usage) {
		t.Errorf("no study: %v", err)
	}
	if _, err := s.Plan(c, rewrite(t, path, "typo.yaml", "heldout:", "holdout:"), study.Planning{}); !errors.As(err, &mistakes) || !strings.Contains(err.Error(), "typo.yaml:") {
		t.Errorf("a key that is none: %v", err)
	}
	if _, err := s.Plan(c, rewrite(t, path, "gone.yaml", "far.jsonl", "nowhere.jsonl"), study.Planning{}); !errors.As(err, &mistakes) || !strings.Contains(err.Error(), "nowhere.jsonl") {
		t.Errorf("a file that is not there: %v", err)
	}
	unset := rewrite(t, path, "unset.yaml", "files: far.jsonl", "files: '${NOT_SET_ANYWHERE}/far.jsonl'")
	if _, err := s.Plan(c, unset, study.Planning{Absent: true}); !errors.As(err, &mistakes) || !strings.Contains(err.Error(), "NOT_SET_ANYWHERE") {
		t.Errorf("a variable that is not set, in a study that declares no units: %v", err)
	}
	s.Variable = func(name string) (string, bool) { return filepath.Dir(path), name == "NOT_SET_ANYWHERE" }
	if _, err := s.Plan(c, unset, study.Planning{}); err != nil {
		t.Errorf("with the session's own variables: %v", err)
	}
	if _, err := s.Plan(c, path, study.Planning{Register: true}); err != nil {
		t.Fatal(err)
	}
	if err := c.Unregister(true); err != nil {
		t.Fatal(err)
	}
	roots, err := c.Roots()
	if err != nil || len(roots) != 1 || roots[0].Study != "small" {
		t.Errorf("registered are %v, %v", roots, err)
	}
}

// A study and its run differ in nothing; a changed value shows with its places, with the steps that
// it changes, and with what it costs.
func diff(t *testing.T, s *study.Session, path, out string) {
	d, err := s.Diff(t.Context(), path, out)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Study) != 0 || len(d.Changes) != 0 || d.Steps == 0 || len(d.Results) == 0 || d.Results[0].Pearson[0] != d.Results[0].Pearson[1] {
		t.Errorf("a study and its run: %+v", d)
	}
	d, err = s.Diff(t.Context(), path, rewrite(t, path, "faster.yaml", "lr: 2e-3", "lr: 4e-3"))
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Study) != 1 || d.Study[0].Key != "train.lr" || !strings.Contains(d.Study[0].NewAt, "faster.yaml:") {
		t.Errorf("the studies differ in %+v", d.Study)
	}
	if len(d.Changes) == 0 || d.Changes[0].Kind != "train" || len(d.Changes[0].Differs) != 1 || !strings.Contains(d.Changes[0].Differs[0].At, "faster.yaml:") {
		t.Errorf("the steps differ by %+v", d.Changes)
	}
	if _, err := s.Diff(t.Context(), path, t.TempDir()); err == nil || !strings.Contains(err.Error(), "is not the output folder of a finished run") {
		t.Errorf("a folder that is no run: %v", err)
	}
}

// What a change costs is planned with the units of the last split, and says so; a run assumes
// nothing.
func assumed(t *testing.T, s *study.Session, path string) {
	changed := rewrite(t, path, "changed.yaml", "test: 15%", "test: 20%")
	for _, assume := range []bool{true, false} {
		err := s.WithPlan(t.Context(), changed, study.Planning{Assume: assume}, func(p *study.Compiled) error {
			if whole := p.Plan.Partial == ""; whole != assume || whole != (p.Plan.Assumed != "") {
				t.Errorf("assume %t: the plan is whole: %t, by assuming %q", assume, whole, p.Plan.Assumed)
			}
			if p.State.Status[p.Plan.Splits[0].Step] == pipeline.Hit {
				t.Error("the split is not done again")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestResources(t *testing.T) {
	if r := (study.Resources{Threads: 3, Memory: 5}).WithDefaults(); r.Threads != 3 || r.Memory != 5 {
		t.Errorf("what is given becomes %+v", r)
	}
	if r := (study.Resources{}).WithDefaults(); r.Threads < 1 || r.Memory < 0 {
		t.Errorf("nothing becomes %+v", r)
	}
}

// Everything here returns values: no file of this package or of those below it prints, or knows
// where a command prints to.
func TestPrintsNothing(t *testing.T) {
	files := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		for _, word := range []string{"os.Stdout", "os.Stderr", "fmt.Print", "ablate/cmd/internal/show"} {
			if strings.Contains(string(text), word) {
				t.Errorf("%s has %s", path, word)
			}
		}
		return err
	})
	if err != nil || files < 20 {
		t.Errorf("%d files looked at, %v", files, err)
	}
}
