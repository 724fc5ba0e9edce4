package audit

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"ablate/cache"
)

func TestDisagreement(t *testing.T) {
	want := Step{
		ID: "seed", Kind: "train", Key: cache.KeyOf(nil), Inputs: map[string]string{"unit.0": "pack/seed units/all/0.arrow 00"},
		Outputs:    []cache.Output{{Name: "model.safetensors", Size: 7}},
		Provenance: cache.Provenance{Host: "h", WallSeconds: 1.5},
		Scores:     []Score{{"pairs", "a+b", "micro", "far", []Domain{{"far", []Evaluation{{"micro/pairs/a+b", "eval/micro/pairs/a+b/far", cache.KeyOf(nil)}}}}}},
	}
	if d := disagreement(want, want); d != "" {
		t.Errorf("a step disagrees with itself: %s", d)
	}
	for _, c := range []struct {
		name string
		edit func(s *Step)
		want string
	}{
		{"kind", func(s *Step) { s.Kind = "merge" }, "kind is merge there, want train"},
		{"key", func(s *Step) { s.Key = cache.KeyOf([]cache.KeyInput{{}}) }, "key is "},
		{"input", func(s *Step) { s.Inputs = map[string]string{"unit.0": "pack/seed units/all/0.arrow 01"} }, "input unit.0 is pack/seed units/all/0.arrow 01 there"},
		{"input gone", func(s *Step) { s.Inputs = nil }, "input unit.0 is absent there"},
		{"output", func(s *Step) { s.Outputs = []cache.Output{{Name: "model.safetensors", Size: 8}} }, "output model.safetensors is "},
		{"output more", func(s *Step) { s.Outputs = append(s.Outputs, cache.Output{Name: "x"}) }, "output x is "},
		{"score gone", func(s *Step) { s.Scores = nil }, `score ["pairs" "a+b" "micro" "far"] is absent there, want of `},
		{"key of a score", func(s *Step) {
			s.Scores = []Score{{"pairs", "a+b", "micro", "far", []Domain{{"far", []Evaluation{{"micro/pairs/a+b", "eval/micro/pairs/a+b/far", cache.Key{1}}}}}}}
		}, `score ["pairs" "a+b" "micro" "far"] is of `},
		{"provenance", func(s *Step) { s.Provenance.WallSeconds = 2.5 }, "provenance wall_seconds is 2.5 there, want 1.5"},
	} {
		claim := want
		c.edit(&claim)
		if d := disagreement(claim, want); !strings.HasPrefix(d, c.want) {
			t.Errorf("%s: %q, want %q", c.name, d, c.want)
		}
	}
}

// Entries are looked up from several goroutines at once, and each that is lost is known afterwards.
func TestLookupFromManyGoroutines(t *testing.T) {
	c, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	a := New(Options{Cache: c}, nil)
	const n, workers = 500, 4
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := w; i < n; i += workers {
				if _, err := a.Lookup(cache.Key{byte(i), byte(i >> 8)}); err == nil {
					t.Error("an empty cache has an entry")
				}
			}
		})
	}
	wait.Wait()
	if len(a.lost) != n {
		t.Errorf("%d entries are lost, want %d", len(a.lost), n)
	}
}

func TestFiles(t *testing.T) {
	made, given := t.TempDir(), t.TempDir()
	write := func(dir, name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"same": "1", "figures/differs": "1", "gone": "1"} {
		write(made, name, text)
	}
	for name, text := range map[string]string{"same": "1", "figures/differs": "2", "more": "3", "logs/seed.log": "4"} {
		write(given, name, text)
	}
	a := New(Options{Differ: func(name, made, given string) string { return "look at " + name }}, nil)
	if err := a.Files(t.Context(), made, given); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range a.Findings {
		got = append(got, f.String())
	}
	for _, u := range a.Unchecked {
		got = append(got, u.What)
	}
	text := strings.Join(got, "\n")
	for _, want := range []string{"report figures/differs: look at figures/differs; it has digest d4735e3a", "report gone: is missing in", ": more"} {
		if !strings.Contains(text, want) {
			t.Errorf("want %q in\n%s", want, text)
		}
	}
	if len(got) != 3 || a.Result.Report != (Count{Checked: 1, Of: 3}) {
		t.Errorf("%d lines, %+v:\n%s", len(got), a.Result.Report, text)
	}
	if err := a.Files(t.Context(), filepath.Join(made, "nowhere"), given); err == nil {
		t.Error("a directory that is not there is no error")
	}
}

func TestRaw(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.jsonl")
	if err := os.WriteFile(path, []byte("text"), 0o666); err != nil {
		t.Fatal(err)
	}
	a := New(Options{}, nil)
	same, other := cache.DigestOf([]byte("text")), cache.DigestOf([]byte("other"))
	for _, c := range []struct {
		path     string
		recorded cache.Digest
	}{{path, same}, {path, cache.Digest{}}, {path, other}, {"", same}, {path + "x", same}} {
		if err := a.Raw(t.Context(), "a.jsonl", c.path, c.recorded); err != nil {
			t.Fatal(err)
		}
	}
	if a.Result.Raw != (Count{Checked: 2, Of: 5, Bytes: 12}) || len(a.Findings) != 3 {
		t.Errorf("%+v, findings %v", a.Result.Raw, a.Findings)
	}
	for i, want := range []string{"has been changed", "does not exist any more", "cannot be read"} {
		if !strings.Contains(a.Findings[i].Detail, want) {
			t.Errorf("finding %d is %q, want %q", i, a.Findings[i].Detail, want)
		}
	}
}
