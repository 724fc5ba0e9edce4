//go:build linux || darwin

package cache

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"
)

// A pipe where a file was is refused; nothing waits for somebody to write into it.
func TestPipesAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := hashFile(t.Context(), path, nil); !errors.Is(err, errNotRegular) {
		t.Errorf("hashed: %v", err)
	}
	if _, err := ReadFollowed(path, 1); !errors.Is(err, errNotRegular) {
		t.Errorf("read: %v", err)
	}
}
