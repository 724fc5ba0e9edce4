package remote

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"ablate/cache"
)

// TestPushPull takes a cache through each kind of remote into another, and tells what would be, and
// is, moved.
func TestPushPull(t *testing.T) {
	eachStore(t, func(t *testing.T, url string) {
		from, to := filled(t), newCache(t)
		r := open(t, url)
		size := int64(17<<20 + 3000 + len("shared by two") + len("x,y\n"))
		all := Count{Entries: 4, Blobs: 5, Bytes: size}

		want := func(what string, rep Report, err error, moved Count, there int) {
			t.Helper()
			if err != nil || rep.Moved.Entries != moved.Entries || rep.Moved.Bytes < moved.Bytes || rep.There != there || rep.Absent+len(rep.Failed)+len(rep.Conflicts) > 0 {
				t.Fatalf("%s: %+v, %v; want %+v moved, %d there", what, rep, err, moved, there)
			}
		}
		rep, err := r.Push(t.Context(), from, from.Keys(), Push{Dry: true})
		want("push --dry-run", rep, err, all, 0)
		if _, err := r.Entry(t.Context(), cache.KeyOf(step("two"))); !errors.As(err, new(*cache.Miss)) {
			t.Fatalf("after a dry run: %v", err)
		}
		rep, err = r.Push(t.Context(), from, from.Keys(), Push{})
		want("push", rep, err, all, 0)
		rep, err = r.Push(t.Context(), from, from.Keys(), Push{})
		want("push again", rep, err, Count{}, 4)

		again := open(t, url) // as another process would
		rep, err = again.Pull(t.Context(), to, again.Keys(t.Context()), true, nil)
		want("pull --dry-run", rep, err, all, 0)
		for range to.Keys() {
			t.Fatal("a dry run copies")
		}
		rep, err = again.Pull(t.Context(), to, again.Keys(t.Context()), false, nil)
		want("pull", rep, err, all, 0)
		wantSame(t, from, to)
		rep, err = again.Pull(t.Context(), to, again.Keys(t.Context()), false, nil)
		want("pull again", rep, err, Count{}, 4)
	})
}

// TestConflict: what is at a remote under a key stays, and both digests are told.
func TestConflict(t *testing.T) {
	eachStore(t, func(t *testing.T, url string) {
		one, two := newCache(t), newCache(t)
		first := commit(t, one, "dice", map[string]string{"n": "4"})
		second := commit(t, two, "dice", map[string]string{"n": "6"})
		r := open(t, url)
		if rep, err := r.Push(t.Context(), one, one.Keys(), Push{}); err != nil || rep.Moved.Entries != 1 {
			t.Fatalf("%+v, %v", rep, err)
		}
		want := func(what string, rep Report, err error) {
			t.Helper()
			if err != nil || len(rep.Conflicts) != 1 || len(rep.Failed) > 0 {
				t.Fatalf("%s: %+v, %v", what, rep, err)
			}
			for _, e := range []*cache.Entry{first, second} {
				if text := rep.Conflicts[0].Error(); !strings.Contains(text, e.Outputs[0].Digest.String()) {
					t.Errorf("%s: %s does not name %s", what, text, e.Outputs[0].Digest)
				}
			}
		}
		rep, err := r.Push(t.Context(), two, two.Keys(), Push{})
		want("push", rep, err)
		rep, err = r.Pull(t.Context(), two, r.Keys(t.Context()), false, nil)
		want("pull", rep, err)
		rep, err = r.Pull(t.Context(), two, r.Keys(t.Context()), true, nil)
		want("pull --dry-run", rep, err)
		if e, err := r.Entry(t.Context(), first.Key); err != nil || e.Outputs[0] != first.Outputs[0] {
			t.Errorf("at the remote is %+v, %v", e, err)
		}
		if e, err := two.Lookup(second.Key); err != nil || e.Outputs[0] != second.Outputs[0] {
			t.Errorf("here is %+v, %v", e, err)
		}
	})
}

// TestManyWriters: of many who write one key at once with other outputs, one wins and all others
// are told.
func TestManyWriters(t *testing.T) {
	eachStore(t, func(t *testing.T, url string) {
		const n = 6
		var wg sync.WaitGroup
		reports := make([]Report, n)
		for i := range n {
			c, r := newCache(t), open(t, url)
			commit(t, c, "dice", map[string]string{"n": noise(uint64(i), 100)})
			wg.Go(func() {
				var err error
				if reports[i], err = r.Push(t.Context(), c, c.Keys(), Push{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		won, lost := 0, 0
		for _, rep := range reports {
			won += rep.Moved.Entries
			lost += len(rep.Conflicts)
		}
		if won != 1 || lost != n-1 {
			t.Errorf("%d won and %d lost, want 1 and %d: %+v", won, lost, n-1, reports)
		}
	})
}

// TestUnconditional: a store that writes over what is there is refused before the first entry.
func TestUnconditional(t *testing.T) {
	s := fake(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		r.Header.Del("If-None-Match")
		next.ServeHTTP(w, r)
	})
	c := filled(t)
	_, err := open(t, s.url()).Push(t.Context(), c, c.Keys(), Push{})
	if err == nil || !strings.Contains(err.Error(), "ignores If-None-Match") {
		t.Errorf("Push: %v", err)
	}
	if n := s.requests("PUT", "/entries/"); n > 0 {
		t.Errorf("%d entries were written", n)
	}
}

func TestOpen(t *testing.T) {
	hideCredentials(t)
	const secret = "hunter2-and-more"
	for at, want := range map[string]string{
		"":                                    "no name",
		"s3://AKIA:" + secret + "@bucket/x":   "user or password",
		"https://bucket/x?password=" + secret: "no kind of remote",
		"s3://bucket/x?secret_access_key=" + secret:                           "no parameter",
		"s3://bucket/x?endpoint=http%3A%2F%2Fme%3A" + secret + "%40127.0.0.1": "endpoint has a user",
		"s3://bucket/x?endpoint=http%3A%2F%2F127.0.0.1%2F%3Fk%3D" + secret:    "endpoint has a user",
		"s3://bucket/x?endpoint=" + secret:                                    "endpoint is no",
		"s3://bucket/../x?region=r":                                           "plain path",
		"s3://?region=" + secret:                                              "names a bucket",
		"s3://bucket/\x7f" + secret:                                           "cannot be read",
		"file:///d?metadata=" + secret:                                        "nothing more",
		"s3://bucket?region=a&region=" + secret:                               "2 times",
	} {
		r, err := Open(at)
		var wrong *URLError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q) = %v, %v; want an error with %q", at, r, err, want)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("Open(%q) tells a secret: %v", at, err)
		}
	}
	for at, name := range map[string]string{
		"s3://bucket/a/b/?region=eu-north-1":                     "s3://bucket/a/b",
		"s3://bucket?endpoint=http%3A%2F%2F127.0.0.1:9&region=x": "s3://bucket",
		"file:///no/such/place":                                  "/no/such/place",
		"/no/such/place/":                                        "/no/such/place",
	} {
		if r, err := Open(at); err != nil || r.String() != name {
			t.Errorf("Open(%q) = %v, %v; want %s", at, r, err, name)
		}
	}
}

// TestVersion: what is laid out otherwise is neither read nor written.
func TestVersion(t *testing.T) {
	dir := t.TempDir()
	c := filled(t)
	if err := os.WriteFile(filepath.Join(dir, "version"), []byte("ablate cache 7\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := open(t, dir).Push(t.Context(), c, c.Keys(), Push{})
	_, err2 := open(t, dir).Entry(t.Context(), cache.KeyOf(step("two")))
	for _, err := range []error{err, err2} {
		if err == nil || !strings.Contains(err.Error(), "ablate cache 7") {
			t.Errorf("a later version: %v", err)
		}
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "*", "*")); len(names) > 0 {
		t.Errorf("written: %q", names)
	}
}

// TestDirectoryIsACache: what lies in a directory can be looked at as a cache, and be an upstream.
func TestDirectoryIsACache(t *testing.T) {
	c := filled(t)
	dir := filepath.Join(t.TempDir(), "shared")
	r := open(t, dir)
	if _, err := r.Push(t.Context(), c, c.Keys(), Push{}); err != nil {
		t.Fatal(err)
	}
	there, err := cache.OpenRead(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	wantSame(t, c, there)
	if left, _ := filepath.Glob(filepath.Join(dir, "*", "*", "*.tmp")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	mine := open(t, c.Dir())
	if !mine.IsCache(c) || r.IsCache(c) {
		t.Error("IsCache does not tell the cache from another")
	}
}
