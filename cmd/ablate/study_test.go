package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ablate/cache"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/sources"
	"ablate/specs"
)

// A disk that fails is no mistake of the study: it ends with 1, not with 2, and both name the
// place. Nor is who interrupts, with 130.
func TestSourcesOfFailingDisk(t *testing.T) {
	s, err := specs.Load(filepath.Join("testdata", "study", "study.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(data, 0o777); err != nil {
		t.Fatal(err)
	}
	s.Dir = filepath.Dir(data)
	for _, name := range []string{"seed", "alpha", "beta", "gamma", "far"} {
		if err := os.WriteFile(filepath.Join(data, name+".jsonl"), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	find := func(digest func(string) (cache.Digest, int64, error)) error {
		_, err := sources.Finder{Digest: digest}.Find(s)
		return err
	}
	err = find(func(string) (cache.Digest, int64, error) {
		return cache.Digest{}, 0, fmt.Errorf("read: %w", fault.ErrInterrupted)
	})
	if code := exitCode(io.Discard, err); code != exitInterrupted {
		t.Errorf("interrupted while raw files are read: exit code %d (%v), want %d", code, err, exitInterrupted)
	}
	for _, c := range []struct {
		errno syscall.Errno
		code  int
	}{{syscall.EIO, exitFailed}, {syscall.EMFILE, exitFailed}, {syscall.EACCES, exitUsage}} {
		err := find(func(path string) (cache.Digest, int64, error) {
			return cache.Digest{}, 0, &fs.PathError{Op: "read", Path: path, Err: c.errno}
		})
		var told bytes.Buffer
		if code := exitCode(&told, err); code != c.code {
			t.Errorf("%v: exit code %d, want %d", c.errno, code, c.code)
		}
		for _, want := range []string{"study.yaml:", "alpha.jsonl", c.errno.Error()} {
			if !strings.Contains(told.String(), want) {
				t.Errorf("%v: %q does not name %q", c.errno, told.String(), want)
			}
		}
		if c.code == exitFailed && !errors.Is(err, c.errno) {
			t.Errorf("%v is lost in %v", c.errno, err)
		}
	}
}
