package parquet

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// held is what a file of testdata/write.py holds.
type held struct {
	Writer  string
	Rows    int64
	Columns []struct {
		Path   []string
		String bool
		Values []*string
	}
}

// checkFile compares the values of a file with those that its writer was given.
func checkFile(t *testing.T, path string) {
	var want held
	data, err := os.ReadFile(strings.TrimSuffix(path, ".parquet") + ".json")
	if err == nil {
		err = json.Unmarshal(data, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if len(want.Columns) == 0 || f.NumRows() != want.Rows {
		t.Fatalf("%d rows, want %d in %d columns", f.NumRows(), want.Rows, len(want.Columns))
	}
	var all []Column
	for _, c := range want.Columns {
		all = append(all, Column{Path: c.Path})
	}
	rows, wrong := int64(0), 0
	err = f.Rows(context.Background(), all, func(row int64, cells []Cell) error {
		if rows++; row != rows {
			return fmt.Errorf("row %d after %d", row, rows-1)
		}
		for i, c := range want.Columns {
			expect := Cell{}
			if v := c.Values[row-1]; v != nil {
				expect = Cell{Present: true, String: c.String, Text: *v}
			}
			if cells[i] != expect {
				if wrong++; wrong < 10 {
					t.Errorf("row %d, %v: %+v, %s wrote %+v", row, c.Path, cells[i], want.Writer, expect)
				}
			}
		}
		return nil
	})
	if err != nil || rows != want.Rows {
		t.Errorf("%d rows of %d, error %v", rows, want.Rows, err)
	}
}

func checkFolder(t *testing.T, folder string) {
	files, err := filepath.Glob(filepath.Join(folder, "*.parquet"))
	if err != nil || len(files) < 15 {
		t.Fatalf("%d files, error %v", len(files), err)
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".parquet")
		if strings.HasPrefix(name, "encrypted") {
			continue
		}
		t.Run(name, func(t *testing.T) { checkFile(t, path) })
	}
}

// The files of testdata/golden are what testdata/write.py writes with `small`, by pyarrow, Polars,
// DuckDB and fastparquet.
func TestGoldenFiles(t *testing.T) { checkFolder(t, "testdata/golden") }

// All that testdata/write.py can write, by the writers that are there. ABLATE_PYTHON names a Python
// with pyarrow, and perhaps with Polars, DuckDB and fastparquet.
func TestFilesOfOtherWriters(t *testing.T) {
	python := os.Getenv("ABLATE_PYTHON")
	if python == "" {
		t.Skip("ABLATE_PYTHON names no Python: set it to one that has pyarrow, to compare with what it writes")
	}
	if out, err := exec.Command(python, "-c", "import pyarrow").CombinedOutput(); err != nil {
		t.Skipf("%s has no pyarrow: %s", python, out)
	}
	folder := t.TempDir()
	out, err := exec.Command(python, "testdata/write.py", folder).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
	checkFolder(t, folder)
}

func TestEncryptedFilesAreRefused(t *testing.T) {
	_, err := Open("testdata/golden/encrypted-footer.parquet")
	if err == nil || !strings.Contains(err.Error(), "the file is encrypted: decrypt it first") {
		t.Errorf("error %v", err)
	}
	f, err := Open("testdata/golden/encrypted-columns.parquet")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	err = f.Rows(context.Background(), []Column{{Path: []string{"text"}}}, func(int64, []Cell) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "column text: the column is encrypted: decrypt it first") {
		t.Errorf("error %v", err)
	}
}
