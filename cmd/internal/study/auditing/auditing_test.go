package auditing

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"ablate/cmd/internal/output"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/studytest"
)

// run is a finished run of the small study, which all tests share: nobody changes it.
var run = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "ablate-auditing-*") })

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := run(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// finished is a copy of the finished run that a test may change: a session on its cache, and the
// options that audit it.
func finished(t *testing.T) (*study.Session, Options) {
	t.Helper()
	from, err := run()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(from, "out")); err != nil {
		path := studytest.Study(t)
		if err := os.CopyFS(filepath.Join(from, "study"), os.DirFS(filepath.Dir(path))); err != nil {
			t.Fatal(err)
		}
		s := &study.Session{CacheDir: filepath.Join(from, "cache"), Version: "test"}
		studytest.Run(t, s, filepath.Join(from, "study", "study.yaml"), filepath.Join(from, "out"))
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return &study.Session{CacheDir: filepath.Join(dir, "cache"), Version: "test"}, Options{Study: filepath.Join(dir, "study", "study.yaml"), Out: filepath.Join(dir, "out"), Seed: 7}
}

func audited(t *testing.T, s *study.Session, opt Options) *Result {
	t.Helper()
	r, err := Audit(context.Background(), s, opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func findings(r *Result) string {
	var lines []string
	for _, f := range r.Findings {
		lines = append(lines, f.String())
	}
	return strings.Join(lines, "\n")
}

func TestSound(t *testing.T) {
	s, opt := finished(t)
	opt.Recompute = []string{"seed", "1"}
	r := audited(t, s, opt)
	if !r.Sound() || r.Study != "small" || r.Raw.Checked != 4 || r.Steps.Checked != r.All || r.Report.Checked == 0 || r.Report.Checked != r.Report.Of || r.Seed != 7 || !r.Drawn {
		t.Errorf("%+v", r)
	}
	seed := false
	for _, e := range r.Executed {
		seed = seed || e.Step == "seed" && e.Same
	}
	if !seed {
		t.Errorf("seed was not executed again: %+v", r.Executed)
	}
}

// What is wrong with a finished run is a finding, never an error.
func TestFindings(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(t *testing.T, out, data string)
		want   []string // beginnings of findings, all there are
	}{
		{"a raw file was changed", func(t *testing.T, _, data string) { edit(t, filepath.Join(data, "beta.jsonl"), "ba", "bo") },
			[]string{"raw file beta.jsonl of corpus parts: has been changed"}},
		{"a raw file is gone", func(t *testing.T, _, data string) { remove(t, filepath.Join(data, "far.jsonl")) },
			[]string{"raw file far.jsonl of evaluation set far: does not exist any more"}},
		{"sources.json is damaged", func(t *testing.T, out, _ string) { put(t, filepath.Join(out, "sources.json"), "{") },
			[]string{"report sources.json: cannot be read: sources.json: unexpected end of JSON input"}},
		{"sources.json lacks a corpus", func(t *testing.T, out, _ string) { edit(t, filepath.Join(out, "sources.json"), `"seed"`, `"sead"`) },
			[]string{"report sources.json: sources.json names no files of corpus seed"}},
		{"provenance.json is damaged", func(t *testing.T, out, _ string) { put(t, filepath.Join(out, "provenance.json"), "[1]") },
			[]string{"report provenance.json: cannot be read: "}},
		{"provenance.json is a folder", func(t *testing.T, out, _ string) {
			remove(t, filepath.Join(out, "provenance.json"))
			if err := os.Mkdir(filepath.Join(out, "provenance.json"), 0o777); err != nil {
				t.Fatal(err)
			}
		}, []string{"report provenance.json: cannot be read: "}},
		{"study.yaml is no study", func(t *testing.T, out, _ string) { put(t, filepath.Join(out, "study.yaml"), "study: 1: 2") },
			[]string{"study ", "report study.yaml: "}},
		{"a file of the report was edited", func(t *testing.T, out, _ string) { edit(t, filepath.Join(out, "plan.json"), `"small"`, `"large"`) },
			[]string{"report plan.json: "}},
		{"a file of the report is gone", func(t *testing.T, out, _ string) { remove(t, filepath.Join(out, "scores.csv")) },
			[]string{"report scores.csv: is missing in ", "report scores.csv: is missing in "}},
		{"the table of losses is gone", func(t *testing.T, out, _ string) {
			edit(t, filepath.Join(out, output.MarkFile), `"plan.json"`, `"losses.parquet",`+"\n    "+`"plan.json"`)
		}, []string{"report losses.parquet: is missing in "}},
		{"the mark names another study", func(t *testing.T, out, _ string) { edit(t, filepath.Join(out, output.MarkFile), `"small"`, `"large"`) },
			[]string{`report .ablate.json: names study "large", whose report is that of "small"`}},
		{"the mark lists less", func(t *testing.T, out, _ string) {
			edit(t, filepath.Join(out, output.MarkFile), `    "plan.json",`+"\n", "")
		}, []string{"report .ablate.json: does not list plan.json, which is a file of the report"}},
		{"the mark lists a file elsewhere", func(t *testing.T, out, _ string) {
			edit(t, filepath.Join(out, output.MarkFile), `"plan.json"`, `"../plan.json",`+"\n    "+`"plan.json"`)
		}, []string{`report .ablate.json: lists "../plan.json", which is not a file of the folder`}},
		{"the mark has another form", func(t *testing.T, out, _ string) { edit(t, filepath.Join(out, output.MarkFile), "{\n", "{ \n") },
			[]string{"report .ablate.json: is not what ablate wrote"}},
		{"the mark is damaged", func(t *testing.T, out, _ string) { put(t, filepath.Join(out, output.MarkFile), "{") },
			[]string{"report .ablate.json: "}},
		{"no mark, as early versions left it", func(t *testing.T, out, _ string) { remove(t, filepath.Join(out, output.MarkFile)) }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, opt := finished(t)
			tt.change(t, opt.Out, filepath.Dir(opt.Study))
			r := audited(t, s, opt)
			got := findings(r)
			lines := strings.Split(got, "\n")
			if got == "" {
				lines = nil
			}
			ok := len(lines) == len(tt.want) && r.Sound() == (len(tt.want) == 0)
			for i := range min(len(lines), len(tt.want)) {
				ok = ok && strings.HasPrefix(lines[i], tt.want[i])
			}
			if !ok {
				t.Errorf("findings\n%s\nwant\n%s", got, strings.Join(tt.want, "\n"))
			}
		})
	}
}

func TestUsage(t *testing.T) {
	s, opt := finished(t)
	var usage *fault.UsageError
	for _, tt := range []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"no report there", func(o *Options) { o.Out = t.TempDir() }, "the folder holds no report"},
		{"data of a study", func(o *Options) { o.Data = []string{"."} }, "--data is for bundles"},
		{"a step that is none", func(o *Options) { o.Recompute = []string{"nosuchstep"} }, `no step "nosuchstep"`},
		{"fewer steps than none", func(o *Options) { o.Recompute = []string{"-1"} }, "want a number of steps"},
		{"a budget below 0", func(o *Options) { o.Budget = -1 }, "neither can be below 0"},
		{"a bundle in the place of a raw file", func(o *Options) {
			o.Pack = &Packing{File: filepath.Join(filepath.Dir(o.Study), "far.jsonl")}
		}, "the study reads this file"},
		{"a bundle in the place of the study", func(o *Options) { o.Pack = &Packing{File: o.Study} }, "the study reads this file"},
	} {
		o := opt
		tt.change(&o)
		if _, err := Audit(context.Background(), s, o); !errors.As(err, &usage) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// A bundle is audited without the cache and the data that it was packed from, and with the data
// where that is at hand.
func TestBundle(t *testing.T) {
	s, opt := finished(t)
	dir := t.TempDir()
	opt.Pack = &Packing{File: filepath.Join(dir, "small.zip"), Checkpoints: true, Tokens: true}
	r := audited(t, s, opt)
	info, err := os.Stat(opt.Pack.File)
	if err != nil || !r.Sound() || r.Packed != info.Size() {
		t.Fatalf("%d bytes were packed: %+v, %v", r.Packed, r, err)
	}
	elsewhere := &study.Session{CacheDir: filepath.Join(dir, "none"), Version: "test"}
	r = audited(t, elsewhere, Options{Study: opt.Pack.File, Recompute: []string{"seed"}})
	if !r.Sound() || r.Bundle == nil || r.Bundle.Program != "ablate test" || r.Raw.Of != 4 || r.Raw.Checked != 0 || r.Steps.Checked != r.All {
		t.Errorf("%s\n%+v", findings(r), r)
	}
	r = audited(t, elsewhere, Options{Study: opt.Pack.File, Data: []string{filepath.Dir(opt.Study)}})
	if !r.Sound() || r.Raw.Checked != 4 {
		t.Errorf("with data: %s\n%+v", findings(r), r)
	}
	edit(t, filepath.Join(filepath.Dir(opt.Study), "alpha.jsonl"), "ba", "bo")
	r = audited(t, elsewhere, Options{Study: opt.Pack.File, Data: []string{filepath.Dir(opt.Study)}})
	if got := findings(r); !strings.HasPrefix(got, "raw file alpha.jsonl of corpus parts: has been changed") {
		t.Errorf("with other data: %s", got)
	}
	var usage *fault.UsageError
	for _, o := range []Options{{Out: "out"}, {Pack: &Packing{File: filepath.Join(dir, "again.zip")}}, {Data: []string{filepath.Join(dir, "none")}}, {Data: []string{dir, dir}}} {
		o.Study = opt.Pack.File
		if _, err := Audit(context.Background(), elsewhere, o); !errors.As(err, &usage) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := os.Stat(elsewhere.CacheDir); err == nil {
		t.Error("the audit of a bundle made a cache")
	}
}

// Where there is a difference nothing is packed; where the cache lacks steps, what it lacks is
// said.
func TestNothingPacked(t *testing.T) {
	s, opt := finished(t)
	opt.Pack = &Packing{File: filepath.Join(t.TempDir(), "small.zip")}
	edit(t, filepath.Join(opt.Out, "plan.json"), `"small"`, `"large"`)
	if r := audited(t, s, opt); r.Sound() || r.Packed != 0 {
		t.Errorf("%+v", r)
	}
	if _, err := os.Stat(opt.Pack.File); err == nil {
		t.Error("a run with differences was packed")
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func edit(t *testing.T, path, old, new string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), old) {
		t.Fatalf("internal: %s has no %q", path, old)
	}
	put(t, path, strings.Replace(string(data), old, new, 1))
}
