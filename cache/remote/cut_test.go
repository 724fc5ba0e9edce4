package remote

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"ablate/cache"
)

// cutAfter lets so many bytes of a response's body through and then closes the connection.
type cutAfter struct {
	http.ResponseWriter
	left int
}

func (c *cutAfter) Write(b []byte) (int, error) {
	if len(b) > c.left {
		c.ResponseWriter.Write(b[:c.left])
		c.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	c.left -= len(b)
	return c.ResponseWriter.Write(b)
}

// TestCutDownload: a download that is cut again and again goes on by range, and no byte comes
// twice.
func TestCutDownload(t *testing.T) {
	s := fake(t, nil)
	from, to := filled(t), newCache(t)
	if _, err := open(t, s.url()).Push(t.Context(), from, from.Keys(), Push{}); err != nil {
		t.Fatal(err)
	}
	var body atomic.Int64
	s.set(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			w = &cutAfter{w, 3<<20 + 17}
		}
		next.ServeHTTP(&counted{w, &body}, r)
	})
	r := open(t, s.url())
	rep, err := r.Pull(t.Context(), to, r.Keys(t.Context()), false, nil)
	if err != nil || len(rep.Failed) > 0 || rep.Moved.Entries != 4 {
		t.Fatalf("%+v, %v", rep, err)
	}
	wantSame(t, from, to)
	if n := s.requests("GET", "/blobs/", "bytes="); n < 6 {
		t.Errorf("%d reads by range, want one for each 3 MiB of 17", n)
	}
	if rep.Moved.Bytes > 17<<20+4096 {
		t.Errorf("%d bytes came, of 17 MiB", rep.Moved.Bytes)
	}
}

type counted struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c *counted) Write(b []byte) (int, error) {
	c.n.Add(int64(len(b)))
	return c.ResponseWriter.Write(b)
}

// TestDownloadGoesOn: what one process had fetched when the connection was lost for good, the next
// does not fetch again.
func TestDownloadGoesOn(t *testing.T) {
	s := fake(t, nil)
	from := filled(t)
	if _, err := open(t, s.url()).Push(t.Context(), from, from.Keys(), Push{}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	to, err := cache.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var reads atomic.Int32
	s.set(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") && r.Header.Get("Range") != "" {
			if reads.Add(1) > 1 {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			w = &cutAfter{w, 10 << 20}
		}
		next.ServeHTTP(w, r)
	})
	large := sorted([]cache.Key{cache.KeyOf(step("large"))})
	rep, err := open(t, s.url()).Pull(t.Context(), to, large, false, nil)
	if err != nil || len(rep.Failed) != 1 {
		t.Fatalf("%+v, %v; want a failure", rep, err)
	}
	if problems, err := to.Verify(t.Context(), nil); err != nil || len(problems) > 0 || to.Has(cache.KeyOf(step("large"))) {
		t.Errorf("after the failure: %v, %v", problems, err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	s.set(nil)
	if to, err = cache.Open(dir); err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	rep, err = open(t, s.url()).Pull(t.Context(), to, large, false, nil)
	if err != nil || rep.Moved.Entries != 1 || rep.Moved.Bytes > 8<<20 {
		t.Errorf("%+v, %v; want less than 8 MiB of 17", rep, err)
	}
	if _, err := to.Lookup(cache.KeyOf(step("large"))); err != nil {
		t.Error(err)
	}
}

// TestCutUpload: an upload that is cut leaves nothing that can be seen, and the next push sends
// only what is missing.
func TestCutUpload(t *testing.T) {
	s := fake(t, nil)
	from := filled(t)
	key := cache.KeyOf(step("large"))
	e, err := from.Lookup(key)
	if err != nil {
		t.Fatal(err)
	}
	var model, table cache.Output
	model, _ = e.Output("model")
	table, _ = e.Output("table")
	s.set(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, model.Digest.String()) {
			io.CopyN(io.Discard, r.Body, 1<<20)
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	})
	r := open(t, s.url())
	rep, err := r.Push(t.Context(), from, sorted([]cache.Key{key}), Push{})
	if err != nil || len(rep.Failed) != 1 || rep.Moved.Entries != 0 {
		t.Fatalf("%+v, %v; want a failure", rep, err)
	}
	if n := s.requests("PUT", "/entries/"); n > 0 {
		t.Errorf("an entry was written %d times without its blobs", n)
	}
	for _, name := range []string{entryName(key), blobName(model.Digest)} {
		if n, err := r.size(t.Context(), name); n >= 0 || err != nil {
			t.Errorf("%s has %d bytes, %v; want none", name, n, err)
		}
	}
	s.set(nil)
	// The small blob may have been written before the cut, or not, as outputs are in order of
	// names: model comes first.
	if n, err := r.size(t.Context(), blobName(table.Digest)); n >= 0 || err != nil {
		t.Errorf("table has %d bytes, %v", n, err)
	}
	rep, err = r.Push(t.Context(), from, from.Keys(), Push{})
	if err != nil || len(rep.Failed) > 0 || rep.Moved.Entries != 4 {
		t.Errorf("%+v, %v", rep, err)
	}
	s.set(nil)
	if rep, err = r.Push(t.Context(), from, from.Keys(), Push{}); err != nil || rep.There != 4 || s.requests("PUT", "/blobs/") > 0 {
		t.Errorf("%+v, %v; want nothing sent twice", rep, err)
	}
}

// TestDirectoryCut: a write to a directory that stops in the middle, as at a kill, is no blob; the
// next push writes it whole.
func TestDirectoryCut(t *testing.T) {
	from, to := filled(t), newCache(t)
	dir := filepath.Join(t.TempDir(), "shared")
	r := open(t, dir)
	e, err := from.Lookup(cache.KeyOf(step("two")))
	if err != nil {
		t.Fatal(err)
	}
	// A file system that lost the end of a renamed file, and a temporary file that nobody finished.
	path := filepath.Join(dir, filepath.FromSlash(blobName(e.Outputs[0].Digest)))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte("cut"), 0o666), os.WriteFile(path+".1.tmp", []byte("cu"), 0o666)); err != nil {
		t.Fatal(err)
	}
	if rep, err := r.Push(t.Context(), from, from.Keys(), Push{}); err != nil || len(rep.Failed) > 0 {
		t.Fatalf("%+v, %v", rep, err)
	}
	if rep, err := r.Pull(t.Context(), to, r.Keys(t.Context()), false, nil); err != nil || len(rep.Failed) > 0 {
		t.Fatalf("%+v, %v", rep, err)
	}
	wantSame(t, from, to)
}
