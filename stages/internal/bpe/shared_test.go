package bpe

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// sharedPath returns a path below the data folder that is kept beside the checkout; false where it
// is absent.
func sharedPath(name string) (string, bool) {
	dirs := []string{os.Getenv("ABLATE_SHARED")}
	if at, err := os.Getwd(); err == nil {
		for ; at != filepath.Dir(at); at = filepath.Dir(at) {
			dirs = append(dirs, filepath.Join(at, "shared"))
		}
	}
	for _, d := range dirs {
		if d == "" {
			continue
		}
		if p := filepath.Join(d, "data", name); exists(p) {
			return p, true
		}
	}
	return "", false
}

// shared skips the test where the path is absent.
func shared(t testing.TB, name string) string {
	t.Helper()
	path, ok := sharedPath(name)
	if !ok {
		t.Skipf("no data/%s: set ABLATE_SHARED to the folder that holds data, or put that folder beside the checkout as shared", name)
	}
	return path
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func load(t testing.TB, path string) *Tokenizer {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := Load(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}
