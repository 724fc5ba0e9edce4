package corpora_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/corpora"
	"ablate/cmd/internal/study/running"
	"ablate/cmd/internal/study/studytest"
)

// Data is known once the corpora are split: readings, partitions and units, and, after documents
// came, which units are others than before.
func TestData(t *testing.T) {
	path := studytest.Study(t)
	s := &study.Session{CacheDir: filepath.Join(t.TempDir(), "cache"), Version: "test"}
	split := func() *corpora.Data {
		t.Helper()
		if _, err := running.Run(t.Context(), s, running.Options{Studies: []string{path}, Corpus: true, Out: filepath.Join(t.TempDir(), "out")}); err != nil {
			t.Fatal(err)
		}
		d, err := corpora.Of(t.Context(), s, path)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if _, err := corpora.Of(t.Context(), s, path); err == nil || !strings.Contains(err.Error(), "`ablate run "+path+" --corpus` does it") {
		t.Errorf("before the split: %v", err)
	}
	d := split()
	var names []string
	for _, r := range d.Readings {
		names = append(names, r.Name)
		if r.Read != r.Kept || r.Read == 0 || r.Notable() {
			t.Errorf("reading of %s: %+v", r.Name, r)
		}
	}
	if got := strings.Join(names, " "); got != "parts seed far" {
		t.Errorf("readings of %s", got)
	}
	if len(d.Splits) != 2 || d.Splits[1].Set != "seed" || !d.Splits[1].Seed || d.Splits[0].Corpus != "parts" || d.Splits[0].Order != "year" {
		t.Fatalf("splits of %s and %s", d.Splits[0].Set, d.Splits[1].Set)
	}
	for set, words := range d.Splits[0].Texts {
		if words == set || words == "" {
			t.Errorf("text %q of a decontamination has no name of this study", set)
		}
	}
	if len(d.Changes) != 0 {
		t.Errorf("nothing came, and changes are %+v", d.Changes)
	}
	late := `{"id":"late","text":"` + strings.Repeat("some words that came late. ", 60) + `","metadata":{"part":"beta","year":2015}}` + "\n"
	f, err := os.OpenFile(filepath.Join(filepath.Dir(path), "beta.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(late); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var changed *corpora.Change
	for _, c := range split().Changes {
		if c.Set == "parts" {
			changed = &c
		}
	}
	if changed == nil || changed.Same == 0 || len(changed.Changed)+len(changed.Added) == 0 || len(changed.Gone) != 0 {
		t.Errorf("a document came late, and changes are %+v", changed)
	}
}
