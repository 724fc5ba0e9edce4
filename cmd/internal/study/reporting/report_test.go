package reporting_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/reporting"
	"ablate/cmd/internal/study/studytest"
)

// The report is written again from the cache alone, byte for byte, and only where nothing of a
// person's is lost.
func TestAgain(t *testing.T) {
	path, out, again := studytest.Study(t), filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "again")
	s := &study.Session{CacheDir: filepath.Join(t.TempDir(), "cache"), Version: "test"}
	if _, err := reporting.Again(t.Context(), s, path, reporting.Options{Out: again}); err == nil || !strings.Contains(err.Error(), "the cache lacks") {
		t.Errorf("before a run: %v", err)
	}
	studytest.Run(t, s, path, out)
	r, err := reporting.Again(t.Context(), s, path, reporting.Options{Out: again, Losses: true})
	if err != nil {
		t.Fatal(err)
	}
	if r.Study != "small" || r.Out != again || len(r.Correlations.Rows) == 0 {
		t.Errorf("the result: %+v", r)
	}
	for _, row := range r.Correlations.Rows {
		if r.Correlations.Text(row, "mixture_set") != "pairs" {
			t.Errorf("a row of no set of mixtures: %v", row)
		}
	}
	for _, name := range reporting.Names {
		want, err := os.ReadFile(filepath.Join(out, name))
		if errors.Is(err, os.ErrNotExist) && name == reporting.LossesFile { // asked for the second time only
			continue
		}
		got, err2 := os.ReadFile(filepath.Join(again, name))
		if err != nil || err2 != nil || !bytes.Equal(want, got) {
			t.Errorf("%s is not the same: %v, %v", name, err, err2)
		}
	}
	if _, err := os.Stat(filepath.Join(again, reporting.LossesFile)); err != nil {
		t.Error(err)
	}
	var usage *fault.UsageError
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "mine.txt"), []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := reporting.Again(t.Context(), s, path, reporting.Options{Out: foreign}); !errors.As(err, &usage) {
		t.Errorf("into a person's folder: %v", err)
	}
	if err := reporting.CheckFile("--table", path, []string{path}); !errors.As(err, &usage) || !strings.Contains(err.Error(), "--table "+path) {
		t.Errorf("a file that the study reads: %v", err)
	}
}
