package cache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// What lies where a file should is read if it is one, and refused by name if not, without blocking
// and without taking its size.
func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("text"), 0o444); err != nil {
		t.Fatal(err)
	}
	if data, err := ReadFile(plain, 4); err != nil || string(data) != "text" {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := ReadFile(plain, 3); !errors.Is(err, errTooLarge) || !strings.Contains(err.Error(), "plain: too large: has 4 bytes, at most 3 are allowed") {
		t.Errorf("error %v", err)
	}
	if _, err := ReadFile(filepath.Join(dir, "none"), 3); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	out, check := outside(t)
	defer check()
	for name, lay := range hostile {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			if err := lay(path, out); err != nil {
				t.Skip("cannot be laid here:", err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := ReadFile(path, 1<<20)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), path) || after.TotalAlloc-before.TotalAlloc > 1<<20 {
				t.Errorf("%d bytes allocated, error %v", after.TotalAlloc-before.TotalAlloc, err)
			}
			if f, err := OpenFile(path); err == nil {
				f.Close()
				if name != "an exabyte" {
					t.Error("it was opened")
				}
			} else if !strings.Contains(err.Error(), path) {
				t.Errorf("error %v does not name the file", err)
			}
		})
	}
}
