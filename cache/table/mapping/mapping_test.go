package mapping

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ name, content string }{
		{"empty", ""}, {"byte", "x"}, {"page", string(make([]byte, 4096))}, {"odd", string(make([]byte, 10_001)) + "end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(dir, c.name)
			if err := os.WriteFile(path, []byte(c.content), 0o666); err != nil {
				t.Fatal(err)
			}
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if string(f.Bytes()) != c.content {
				t.Errorf("%d bytes, want the %d of the file", len(f.Bytes()), len(c.content))
			}
			if err := errors.Join(f.Close(), f.Close()); err != nil {
				t.Error(err)
			}
			if len(f.Bytes()) != 0 {
				t.Error("bytes left after Close")
			}
		})
	}
	if _, err := Open(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v, want %v", err, fs.ErrNotExist)
	}
	if _, err := Open(dir); err == nil {
		t.Error("directory: no error")
	}
}

// A file that is replaced by rename while it is mapped, as the cache does, keeps its bytes in the
// mapping.
func TestReplacedFile(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for p, content := range map[string]string{path: "old", other: ""} {
		if err := os.WriteFile(p, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	if string(f.Bytes()) != "old" {
		t.Errorf("mapping has %q, want %q", f.Bytes(), "old")
	}
}
