package cache

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// under is a cache with an upstream that holds the step abc.
func under(t *testing.T) (c, up *Cache) {
	t.Helper()
	up = mustOpen(t, t.TempDir())
	commitFiles(t, up, abc, map[string]string{"a": "of abc", "b": "other"})
	c = mustOpen(t, t.TempDir())
	if err := c.Upstream(up.Dir()); err != nil {
		t.Fatal(err)
	}
	return c, up
}

func TestUpstream(t *testing.T) {
	c, up := under(t)
	before := frozen(t, up.Dir())
	e, err := c.Lookup(KeyOf(abc))
	if err != nil || !c.FromUpstream(e.Key) || c.Has(e.Key) {
		t.Fatalf("%v, %v", e, err)
	}
	path, err := c.Blob(DigestOf([]byte("of abc")))
	if err != nil || path != up.blobPath(DigestOf([]byte("of abc"))) {
		t.Errorf("Blob = %q, %v; want it upstream", path, err)
	}
	wantMiss(t, c, KeyOf(worked), Absent, "")
	if _, err := c.Blob(DigestOf(nil)); !isMiss(err, Absent) {
		t.Errorf("a blob that is nowhere: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	// What was hashed is known the next time, from the memo of the cache below.
	again := mustOpen(t, c.Dir())
	if err := again.Upstream(up.Dir()); err != nil {
		t.Fatal(err)
	}
	if st := again.up.c.memo.blob(DigestOf([]byte("of abc"))); st == (stamp{}) {
		t.Error("the blob would be hashed again")
	}
	// What is made here comes first.
	commitFiles(t, c, abc, map[string]string{"a": "mine"})
	if e, err := again.Lookup(KeyOf(abc)); err != nil || e.Outputs[0].Digest != DigestOf([]byte("mine")) || again.FromUpstream(e.Key) {
		t.Errorf("%+v, %v", e, err)
	}
	if d := cmp.Diff(before, frozen(t, up.Dir())); d != "" {
		t.Errorf("the upstream was changed (-before +after):\n%s", d)
	}
	if err := c.Upstream(c.Dir()); err == nil || !strings.Contains(err.Error(), "cannot be its upstream") {
		t.Errorf("itself as upstream: %v", err)
	}
	if err := c.Upstream(t.TempDir()); err == nil || !strings.Contains(err.Error(), "upstream") {
		t.Errorf("no cache as upstream: %v", err)
	}
}

// TestCorruptUpstream: a blob that lies is a miss when it is read, and its entry from then on;
// nothing upstream is moved.
func TestCorruptUpstream(t *testing.T) {
	for name, damage := range map[string]func(up *Cache, path string){
		"flipped": func(_ *Cache, path string) { overwrite(t, path, flip) },
		"link":    func(up *Cache, path string) { os.Rename(path, up.path("x")); os.Symlink(up.path("x"), path) },
		"cut":     func(_ *Cache, path string) { overwrite(t, path, func(b []byte) []byte { return b[:2] }) },
		"gone":    func(_ *Cache, path string) { os.Remove(path) },
		"entry":   func(up *Cache, _ string) { overwrite(t, up.entryPath(KeyOf(abc)), flip) },
	} {
		t.Run(name, func(t *testing.T) {
			c, up := under(t)
			d := DigestOf([]byte("of abc"))
			damage(up, up.blobPath(d))
			if name == "flipped" { // only reading it shows
				if _, err := c.Lookup(KeyOf(abc)); err != nil {
					t.Fatal(err)
				}
				if path, err := c.Blob(d); !isMiss(err, Corrupt) {
					t.Errorf("Blob = %q, %v", path, err)
				}
			}
			if e, err := c.Lookup(KeyOf(abc)); !errors.As(err, new(*Miss)) {
				t.Errorf("Lookup = %+v, %v", e, err)
			}
			if n := readNames(up.path("quarantine")); len(n) > 0 {
				t.Errorf("moved upstream: %q", n)
			}
			commitFiles(t, c, abc, map[string]string{"a": "of abc", "b": "other"})
			if _, err := c.Lookup(KeyOf(abc)); err != nil {
				t.Error(err)
			}
			if _, err := c.Blob(d); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestExchange takes every entry of one cache into another, as a remote would.
func TestExchange(t *testing.T) {
	from, to := mustOpen(t, t.TempDir()), mustOpen(t, t.TempDir())
	writeGolden(t, from.Dir())
	n := 0
	for key, err := range from.Keys() {
		if err != nil {
			t.Fatal(err)
		}
		e, err := from.Entry(key)
		if err != nil {
			t.Fatal(err)
		}
		if len(e.Outputs) > 0 {
			if _, err := to.PutEntry(e); !isMiss(err, Absent) && err != nil {
				t.Errorf("an entry before its blobs: %v", err)
			}
		}
		for _, o := range e.Outputs {
			if _, ok := to.HasBlob(o.Digest); ok {
				continue
			}
			path, err := from.Blob(o.Digest)
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for name, r := range map[string]io.Reader{
				"other": bytes.NewReader(append([]byte{'x'}, data[min(1, len(data)):]...)),
				"more":  io.MultiReader(bytes.NewReader(data), strings.NewReader("more")),
				"less":  bytes.NewReader(data[:max(0, len(data)-1)]),
			} {
				if err := to.PutBlob(t.Context(), o.Digest, o.Size, r); err == nil && !(name == "less" && o.Size == 0) {
					t.Errorf("%s bytes were taken for %s", name, o.Name)
				}
			}
			if err := to.PutBlob(t.Context(), o.Digest, o.Size, bytes.NewReader(data)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := to.PutEntry(e); err != nil {
			t.Error(err)
		}
		n++
	}
	if n != len(goldenSteps) {
		t.Errorf("%d keys, want %d", n, len(goldenSteps))
	}
	if d := cmp.Diff(frozen(t, from.Dir()), frozen(t, to.Dir())); d != "" {
		t.Errorf("the copy differs (-from +to):\n%s", d)
	}
	wantWhole(t, to)
	if n := readNames(to.path("tmp")); len(n) > 0 {
		t.Errorf("tmp holds %q", n)
	}
}
