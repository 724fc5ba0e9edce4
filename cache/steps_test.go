package cache

import (
	"os"
	"path/filepath"
	"testing"
)

func mustOpen(tb testing.TB, dir string) *Cache {
	tb.Helper()
	c, err := Open(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// writeBuild begins a build and writes its files.
func writeBuild(tb testing.TB, c *Cache, key Key, files map[string]string) *Build {
	tb.Helper()
	b, err := c.Begin(key)
	if err != nil {
		tb.Fatal(err)
	}
	for name, text := range files {
		path := filepath.Join(b.Dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			tb.Fatal(err)
		}
	}
	return b
}

// commitFiles is a whole step: begin, write, commit.
func commitFiles(tb testing.TB, c *Cache, in []KeyInput, files map[string]string) *Entry {
	tb.Helper()
	e, err := writeBuild(tb, c, KeyOf(in), files).Commit("eval", in, Provenance{Host: "host", Threads: 1})
	if err != nil {
		tb.Fatal(err)
	}
	return e
}
