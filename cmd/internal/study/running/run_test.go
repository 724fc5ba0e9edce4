package running_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/running"
	"ablate/cmd/internal/study/studytest"
	"ablate/runner"
)

// heard are the events of a session, in short.
type heard struct{ list []string }

func (h *heard) hear(e study.Event) {
	switch e := e.(type) {
	case study.Progress:
		if e.Event.What == runner.Planned {
			h.list = append(h.list, "planned")
		} else if e.Event.What == runner.Finished && e.Step == "" {
			h.list = append(h.list, "a step without a name")
		}
	case study.StepsEnded:
		h.list = append(h.list, fmt.Sprintf("steps of %s ended", e.Study))
	case running.Expects:
		h.list = append(h.list, "estimate")
	case running.Begins:
		h.list = append(h.list, fmt.Sprintf("%d of %d", e.N, e.Of))
	case running.Read:
		h.list = append(h.list, fmt.Sprintf("%d readings", len(e.Readings)))
	case running.Ends:
		h.list = append(h.list, fmt.Sprintf("%s ends", e.Study.Name))
	default:
		h.list = append(h.list, fmt.Sprintf("%T", e))
	}
}

func (h *heard) since() string {
	text := strings.Join(h.list, "; ")
	h.list = nil
	return text
}

// A study runs as far as the split, then whole; run again, nothing runs. Each event comes at its
// time, and everything that comes out is a value.
func TestRun(t *testing.T) {
	path, out := studytest.Study(t), filepath.Join(t.TempDir(), "out")
	var h heard
	var last *running.Finished
	s := &study.Session{CacheDir: filepath.Join(t.TempDir(), "cache"), Version: "test", Tell: func(e study.Event) {
		h.hear(e)
		if e, ok := e.(running.Ends); ok {
			last = e.Finished
		}
	}}
	run := func(opt running.Options) (*running.Comparison, error) {
		t.Helper()
		opt.Studies = append([]string{path}, opt.Studies...)
		return running.Run(t.Context(), s, opt)
	}
	if _, err := run(running.Options{Out: out, Corpus: true}); err != nil {
		t.Fatal(err)
	}
	if got, want := h.since(), "estimate; planned; steps of small ended; 3 readings; small ends"; got != want {
		t.Errorf("told of the corpora: %s\nwant: %s", got, want)
	}
	if last.Result != nil || len(last.Catalogue) != 1 || last.Catalogue[0].Set != "parts" || last.Ran == 0 {
		t.Errorf("the corpora: %+v", last)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("the corpora alone have a report")
	}
	if _, err := run(running.Options{Out: out}); err != nil {
		t.Fatal(err)
	}
	if got, want := h.since(), "estimate; planned; steps of small ended; 0 readings; small ends"; got != want {
		t.Errorf("told of the study: %s\nwant: %s", got, want)
	}
	if last.Out != out || last.Ran == 0 || last.Result == nil || len(last.Result.Correlations.Rows) == 0 {
		t.Errorf("the study: %+v", last)
	}
	if _, err := run(running.Options{Out: out}); err != nil || last.Ran != 0 {
		t.Errorf("run again: %d steps run, %v", last.Ran, err)
	}
	h.since()

	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(filepath.Dir(path), "other.yaml")
	if err := os.WriteFile(other, []byte(strings.Replace(string(text), "study: small", "study: other", 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	x, err := run(running.Options{Studies: []string{other}, Out: out + "s", Compare: true})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := h.since(), "1 of 2; estimate; planned; steps of small ended; 0 readings; small ends; 2 of 2; estimate; planned; steps of other ended; 0 readings; other ends"; got != want {
		t.Errorf("told of two studies: %s\nwant: %s", got, want)
	}
	if len(x.Studies) != 2 || x.Ran != 0 || x.Asked != 2*x.Models || x.Saved == 0 || x.Mini() {
		t.Errorf("the comparison: %+v", x)
	}
	if x.Studies[1].Out != filepath.Join(out+"s", "other") {
		t.Errorf("the second report lies in %s", x.Studies[1].Out)
	}
}

// Mistakes are told before anything runs; steps that fail leave the others, and the error says
// which.
func TestRunFaults(t *testing.T) {
	path := studytest.Study(t)
	dir := filepath.Dir(path)
	s := &study.Session{CacheDir: filepath.Join(t.TempDir(), "cache"), Version: "test"}
	var usage *fault.UsageError
	for _, c := range []struct {
		name string
		opt  running.Options
		want string
	}{
		{"two of one name", running.Options{Studies: []string{path, path}}, "are both called small"},
		{"a table in a raw file's place", running.Options{Studies: []string{path}, Table: filepath.Join(dir, "far.jsonl"), Out: filepath.Join(t.TempDir(), "out")}, "the study reads this file"},
		{"a report among other files", running.Options{Studies: []string{path}, Out: dir}, dir},
	} {
		if _, err := running.Run(t.Context(), s, c.opt); !errors.As(err, &usage) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want a mistake that says %q", c.name, err, c.want)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), "metadata.year", "metadata.jahr", 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	var failed *runner.FailedError
	_, err = running.Run(t.Context(), s, running.Options{Studies: []string{path}, Out: filepath.Join(t.TempDir(), "out")})
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), "study.yaml:") || !strings.Contains(err.Error(), "has metadata year") {
		t.Errorf("metadata that no document has: %v", err)
	}
}

// A model, an average and batches leave the cache as files; what is not trained is an error that
// says what to run.
func TestExport(t *testing.T) {
	path, dir := studytest.Study(t), t.TempDir()
	s := &study.Session{CacheDir: filepath.Join(t.TempDir(), "cache"), Version: "test"}
	to := filepath.Join(dir, "model.safetensors")
	if err := running.Export(t.Context(), s, path, []string{"seed"}, to); err == nil || !strings.Contains(err.Error(), "is not in the cache yet; `ablate run "+path) {
		t.Errorf("before a run: %v", err)
	}
	studytest.Run(t, s, path, filepath.Join(dir, "out"))
	var sizes []int64
	for _, models := range [][]string{{"seed"}, {"unit/parts/alpha/0"}, {"unit/parts/alpha/0", "0.25:unit/parts/beta/0"}} {
		if err := running.Export(t.Context(), s, path, models, to); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(to)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, info.Size())
	}
	if slices.Min(sizes) == 0 || sizes[0] != sizes[1] {
		t.Errorf("models of %v bytes", sizes)
	}
	n, err := running.ExportBatches(t.Context(), s, path, []string{"unit/parts/alpha/0"}, filepath.Join(dir, "batches.parquet"))
	if err != nil || n != 1024/32 {
		t.Errorf("%d sequences, %v; want %d", n, err, 1024/32)
	}
	var usage *fault.UsageError
	for _, models := range [][]string{{"nothing"}, {"-1:seed"}, {"seed", "0:seed"}} {
		if err := running.Export(t.Context(), s, path, models, to); !errors.As(err, &usage) {
			t.Errorf("%v: %v", models, err)
		}
	}
	for _, models := range [][]string{{"seed", "seed"}, {"micro/pairs/nothing"}, {"tokenize/seed"}} {
		if _, err := running.ExportBatches(t.Context(), s, path, models, to); !errors.As(err, &usage) {
			t.Errorf("batches of %v: %v", models, err)
		}
	}
}
