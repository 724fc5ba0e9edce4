package remote

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ablate/cache"
)

// TestSource: a cache finds at a remote what it lacks, reads blobs when they are asked for or ahead
// of that, and needs the remote no more after Settle.
func TestSource(t *testing.T) {
	eachStore(t, func(t *testing.T, url string) {
		for _, lazy := range []bool{false, true} {
			from, to := filled(t), newCache(t)
			r := open(t, url)
			if _, err := r.Push(t.Context(), from, from.Keys(), Push{}); err != nil {
				t.Fatal(err)
			}
			var w warnings
			s := NewSource(t.Context(), r, to, lazy, w.add)
			defer s.Close()
			for _, name := range []string{"none", "empty", "two", "large"} {
				key := cache.KeyOf(step(name))
				e, err := to.Lookup(key)
				if err != nil || e.Key != key || !s.Has(key) {
					t.Fatalf("%s: %v, %v", name, e, err)
				}
				if here := to.Has(key); here != (!lazy && name != "large") {
					t.Errorf("lazy %v: the entry of %s is here: %v", lazy, name, here)
				}
			}
			if _, err := to.Lookup(cache.KeyOf(step("never"))); !errors.As(err, new(*cache.Miss)) {
				t.Errorf("never made: %v", err)
			}
			path, err := to.Blob(cache.DigestOf([]byte(noise(2, 17<<20))))
			if fi, serr := os.Stat(path); err != nil || serr != nil || fi.Size() != 17<<20 {
				t.Errorf("the model: %v, %v", err, serr)
			}
			if whole, err := s.Settle(nil); !whole || err != nil || s.Missing() != (Count{}) {
				t.Errorf("Settle: %v, %v", whole, err)
			}
			if n := s.Moved(); n.Entries != 4 || n.Blobs != 5 {
				t.Errorf("moved %+v, want 4 entries and 5 blobs", n)
			}
			w.want(t, 0)
			wantSame(t, from, to)
		}
	})
}

// TestLostModel: a large blob that cannot be had is a miss when it is read, and its entry from then
// on; what else there is is used. A result that is made again is written over what was damaged.
func TestLostModel(t *testing.T) {
	from := filled(t)
	dir := filepath.Join(t.TempDir(), "shared")
	r := open(t, dir)
	if _, err := r.Push(t.Context(), from, from.Keys(), Push{}); err != nil {
		t.Fatal(err)
	}
	model := cache.DigestOf([]byte(noise(2, 17<<20)))
	path := filepath.Join(dir, filepath.FromSlash(blobName(model)))
	if err := errors.Join(os.Remove(path), os.WriteFile(path, []byte(noise(3, 17<<20)), 0o666)); err != nil {
		t.Fatal(err)
	}
	to := newCache(t)
	var w warnings
	s := NewSource(t.Context(), r, to, true, w.add)
	defer s.Close()
	key := cache.KeyOf(step("large"))
	if _, err := to.Lookup(key); err != nil {
		t.Fatal(err) // its blob has the right size
	}
	if _, err := to.Blob(model); !errors.As(err, new(*cache.Miss)) {
		t.Errorf("Blob: %v", err)
	}
	if _, err := to.Lookup(key); !errors.As(err, new(*cache.Miss)) || s.Has(key) {
		t.Errorf("Lookup afterwards: %v", err)
	}
	if _, err := to.Lookup(cache.KeyOf(step("two"))); err != nil {
		t.Errorf("another entry: %v", err)
	}
	w.want(t, 1, "have digest", "the entry is not used")

	commit(t, to, "large", map[string]string{"model": noise(2, 17<<20), "table": "x,y\n"})
	var told warnings
	sink := NewSink(t.Context(), r, to, told.add)
	sink.Add(key)
	if rep, left := sink.Close(); left != 0 || rep.Moved.Blobs != 1 || rep.Moved.Entries != 0 {
		t.Errorf("%+v, %d left; want the one blob", rep, left)
	}
	told.want(t, 0)
	if data, err := os.ReadFile(path); err != nil || cache.DigestOf(data) != model {
		t.Errorf("at the remote: %v", err)
	}
}

// TestSink: the results of a run are written beside it; others that differ are told; a second run
// writes nothing.
func TestSink(t *testing.T) {
	eachStore(t, func(t *testing.T, url string) {
		c := filled(t)
		r := open(t, url)
		var w warnings
		for turn, want := range []Count{{Entries: 4, Blobs: 5, Bytes: 17<<20 + 3000 + 13 + 4}, {}} {
			sink := NewSink(t.Context(), r, c, w.add)
			for key, err := range c.Keys() {
				if err != nil {
					t.Fatal(err)
				}
				sink.Add(key)
			}
			rep, left := sink.Close()
			// The blob that two entries share may be written by both at once.
			if left != 0 || rep.Moved.Entries != want.Entries || rep.Moved.Bytes < want.Bytes || rep.Moved.Bytes > want.Bytes+13 {
				t.Errorf("turn %d: %+v, %d left; want %+v", turn, rep, left, want)
			}
		}
		other := newCache(t)
		e := commit(t, other, "none", map[string]string{"more": "than before"})
		sink := NewSink(t.Context(), r, other, w.add)
		sink.Add(e.Key)
		if rep, left := sink.Close(); left != 0 || len(rep.Conflicts) != 1 {
			t.Errorf("%+v, %d left; want a conflict", rep, left)
		}
		w.want(t, 0)
	})
}

// TestStoreFails: a store that begins to fail in the middle is given up after a few failures, and
// told once or twice.
func TestStoreFails(t *testing.T) {
	s := fake(t, nil)
	from, to := filled(t), newCache(t)
	r := open(t, s.url())
	if _, err := r.Push(t.Context(), from, from.Keys(), Push{}); err != nil {
		t.Fatal(err)
	}
	s.set(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, "<Error><Code>ServiceUnavailable</Code><Message>later</Message></Error>")
	})
	var w warnings
	src := NewSource(t.Context(), r, to, false, w.add)
	defer src.Close()
	for _, name := range []string{"none", "empty", "two", "large", "never"} {
		if _, err := to.Lookup(cache.KeyOf(step(name))); !errors.As(err, new(*cache.Miss)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.want(t, 2, "ServiceUnavailable", "does not use the remote any more")
	if n := s.requests("GET"); n > 2*3 {
		t.Errorf("it was asked %d times", n)
	}
	if whole, err := src.Settle(nil); !whole || err != nil {
		t.Errorf("Settle: %v, %v", whole, err)
	}
	for _, line := range w.text {
		if strings.Contains(line, "\n") {
			t.Errorf("a warning of several lines: %q", line)
		}
	}
}
