package specs

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write golden files and REFERENCE.md anew")

// golden compares with a file under testdata, or writes it.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test ./specs -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); go test ./specs -update writes it anew:\n%s", path, diff)
	}
}

func TestErrorsAreBounded(t *testing.T) {
	at := Position{File: "study.yaml", Line: 1, Column: 1}
	for n, last := range map[int]string{
		1: "study.yaml:1:1: wrong", shownErrors: "study.yaml:1:1: wrong", shownErrors + 1: "study.yaml:1:1: wrong", shownErrors + 2: "study.yaml: and 2 more mistakes",
	} {
		errs := make(Errors, n)
		for i := range errs {
			errs[i] = Error{at, "wrong"}
		}
		lines := strings.Split(errs.Error(), "\n")
		if got := lines[len(lines)-1]; got != last || len(lines) > shownErrors+1 {
			t.Errorf("%d mistakes: %d lines, the last %q, want %q", n, len(lines), got, last)
		}
	}
}

func TestLoadRefusesWhatIsNoFile(t *testing.T) {
	for path, want := range map[string]string{".": "it is a directory", os.DevNull: "it is not a regular file"} {
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("load %s: error %v, want %q", path, err, want)
		}
	}
}

// Each file holds many mistakes; its golden file holds the message for each.
func TestErrors(t *testing.T) {
	files, err := filepath.Glob("testdata/errors/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			study, err := Parse(name+".yaml", data, ".")
			var errs Errors
			if !errors.As(err, &errs) || study != nil {
				t.Fatalf("got study %v and error %v, want no study and Errors", study, err)
			}
			total += len(errs)
			golden(t, filepath.Join("testdata/errors", name+".golden"), []byte(errs.Error()+"\n"))
			lines := strings.Count(string(data), "\n") + 1
			for i, e := range errs {
				if strings.ContainsAny(e.Error(), "\n\r\t") {
					t.Errorf("%q is more than one line", e.Error())
				}
				if e.Line < 1 || e.Line > lines || e.Column < 1 {
					t.Errorf("%v: no such place in a file of %d lines", e, lines)
				}
				if i > 0 && (e.Line < errs[i-1].Line || e.Line == errs[i-1].Line && e.Column < errs[i-1].Column) {
					t.Errorf("%v stands after %v", e, errs[i-1])
				}
			}
		})
	}
	const fewest = 40
	if total < fewest && !t.Failed() {
		t.Errorf("%d mistakes in all, want %d or more", total, fewest)
	}
}
