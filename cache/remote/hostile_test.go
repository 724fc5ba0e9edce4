package remote

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ablate/cache"
)

// forged is the file of an entry whose sum is right, and whose outputs may be anything.
func forged(name string, outputs ...cache.Output) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "{\"format\":1,\n\"key\":%q,\n\"kind\":\"test\",\n\"ingredients\":[\n{\"label\":\"step\",\"value\":%q}\n],\n\"outputs\":[\n", cache.KeyOf(step(name)), name)
	for i, o := range outputs {
		text, err := json.Marshal(o)
		if err != nil {
			panic(err)
		}
		if b.Write(text); i < len(outputs)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	p, err := json.Marshal(cache.Provenance{Host: "evil"})
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(&b, "],\n\"provenance\":%s,\n", p)
	return fmt.Appendf(nil, "%s\"sum\":\"%x\"}\n", b.String(), sha256.Sum256([]byte(b.String())))
}

// TestHostile: whatever lies at a remote, pull says what is wrong, nothing of it is kept, and
// nothing outside the cache is touched. Asked by a run, the same is a miss and a warning.
func TestHostile(t *testing.T) {
	text := []byte("the bytes")
	good := cache.Output{Name: "a", Digest: cache.DigestOf(text), Size: int64(len(text))}
	named := func(name string) cache.Output { o := good; o.Name = name; return o }
	sized := func(n int64) cache.Output { o := good; o.Size = n; return o }
	tests := map[string]struct {
		entry  []byte
		damage func(blob string) error // of the file of the blob
		want   string
	}{
		"name upwards":     {forged("x", named("../../../escaped")), nil, "plain relative path"},
		"absolute name":    {forged("x", named("/tmp/escaped")), nil, "plain relative path"},
		"name of control":  {forged("x", named("a\x1b[2J")), nil, "control character"},
		"other key":        {forged("y", good), nil, "says it is"},
		"cut entry":        {forged("x", good)[:100], nil, "truncated"},
		"flipped entry":    {[]byte(strings.Replace(string(forged("x", good)), "test", "tesu", 1)), nil, "sum is"},
		"huge entry":       {make([]byte, cache.MaxEntryBytes+2), nil, "more than"},
		"negative size":    {forged("x", sized(-1)), nil, "-1 bytes"},
		"size more":        {forged("x", sized(good.Size+1)), nil, "the entry says 10"},
		"size less":        {forged("x", sized(good.Size-1)), nil, "the entry says 8"},
		"size of the disk": {forged("x", sized(1<<61)), nil, "2305843009213693952"},
		"wrong digest":     {forged("x", good), func(p string) error { return os.WriteFile(p, []byte("the bites"), 0o666) }, "have digest"},
		"blob gone":        {forged("x", good), os.Remove, "not there"},
		"blob is a pipe":   {forged("x", good), func(p string) error { return errors.Join(os.Remove(p), syscall.Mkfifo(p, 0o666)) }, "no regular file"},
		"blob is a link":   {forged("x", good), func(p string) error { return errors.Join(os.Rename(p, p+"x"), os.Symlink(p+"x", p)) }, "no regular file"},
		"directory of links": {forged("x", good), func(p string) error {
			d := filepath.Dir(p)
			return errors.Join(os.Rename(d, d+"x"), os.Symlink(d+"x", d))
		}, "no regular file"},
		"blob is a folder": {forged("x", good), func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o777)) }, "no regular file"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			dir := filepath.Join(top, "remote")
			key := cache.KeyOf(step("x"))
			blob := filepath.Join(dir, filepath.FromSlash(blobName(good.Digest)))
			entry := filepath.Join(dir, filepath.FromSlash(entryName(key)))
			err := errors.Join(os.MkdirAll(filepath.Dir(blob), 0o777), os.MkdirAll(filepath.Dir(entry), 0o777),
				os.WriteFile(blob, text, 0o666), os.WriteFile(entry, tt.entry, 0o666), os.WriteFile(filepath.Join(dir, "version"), []byte(versionText), 0o666))
			if err == nil && tt.damage != nil {
				err = tt.damage(blob)
			}
			if err != nil {
				t.Fatal(err)
			}
			c, err := cache.Open(filepath.Join(top, "in", "cache"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			r := open(t, dir)
			rep, err := r.Pull(t.Context(), c, r.Keys(t.Context()), false, nil)
			if err != nil || len(rep.Failed) != 1 || !strings.Contains(rep.Failed[0].Error(), tt.want) || rep.Moved.Entries > 0 {
				t.Fatalf("%+v, %v; want a failure with %q", rep, err, tt.want)
			}
			var w warnings
			NewSource(t.Context(), r, c, false, w.add)
			if e, err := c.Lookup(key); !errors.As(err, new(*cache.Miss)) {
				t.Errorf("Lookup = %v, %v", e, err)
			}
			w.want(t, 1, tt.want)
			if problems, err := c.Verify(t.Context(), nil); err != nil || len(problems) > 0 || c.Has(key) {
				t.Errorf("Verify: %v, %v", problems, err)
			}
			if _, ok := c.HasBlob(good.Digest); ok && tt.damage != nil {
				t.Error("the blob was kept")
			}
			for _, path := range []string{filepath.Join(top, "escaped"), "/tmp/escaped", filepath.Join(top, "in", "escaped")} {
				if _, err := os.Lstat(path); err == nil {
					t.Errorf("%s was written", path)
				}
			}
		})
	}
}

// TestListedNames: names below entries/ that are no keys are passed over.
func TestListedNames(t *testing.T) {
	c := filled(t)
	dir := filepath.Join(t.TempDir(), "remote")
	r := open(t, dir)
	if _, err := r.Push(t.Context(), c, c.Keys(), Push{}); err != nil {
		t.Fatal(err)
	}
	key := cache.KeyOf(step("two")).String()
	for _, name := range []string{"note", "ab/KEY", "zz/" + key, key[:2] + "/" + strings.ToUpper(key), key[:2] + "/" + key + ".1.tmp", "..%2f..%2fx", "a\nb"} {
		path := filepath.Join(dir, "entries", name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte("x"), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for key, err := range r.Keys(t.Context()) {
		if err != nil || !c.Has(key) {
			t.Errorf("%s, %v", key, err)
		}
		n++
	}
	if n != 4 {
		t.Errorf("%d keys, want 4", n)
	}
}

// TestEndless: a body without an end, of an entry or a blob, is left after the bytes that may come.
func TestEndless(t *testing.T) {
	for _, of := range []string{"/entries/", "/blobs/"} {
		t.Run(of, func(t *testing.T) {
			s := fake(t, nil)
			from, to := filled(t), newCache(t)
			r := open(t, s.url())
			if _, err := r.Push(t.Context(), from, from.Keys(), Push{}); err != nil {
				t.Fatal(err)
			}
			s.set(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, of) {
					next.ServeHTTP(w, r)
					return
				}
				w.Header().Set("ETag", `"0"`)
				w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
				block := make([]byte, 1<<16)
				for {
					if _, err := w.Write(block); err != nil {
						return
					}
				}
			})
			rep, err := r.Pull(t.Context(), to, sorted([]cache.Key{cache.KeyOf(step("empty"))}), false, nil)
			if err != nil || len(rep.Failed) != 1 || rep.Moved.Entries > 0 {
				t.Errorf("%+v, %v; want a failure", rep, err)
			}
		})
	}
}

// TestSecrets: what a store sends back, and what a message holds, does not carry credentials on.
func TestSecrets(t *testing.T) {
	s := fake(t, func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, "<Error><Code>Bad</Code><Message>%s of %s, %s</Message></Error>", testSecret, testID, r.Header.Get("Authorization"))
	})
	c := filled(t)
	_, err := open(t, s.url()).Push(t.Context(), c, c.Keys(), Push{})
	if err == nil || !strings.Contains(err.Error(), "[credential]") {
		t.Fatalf("Push: %v; want the store's own words, without credentials", err)
	}
	for _, secret := range []string{testSecret, testID} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%v tells %s", err, secret)
		}
	}
}

// TestAway: a remote that does not answer costs a run two warnings and some seconds, and nothing
// else.
func TestAway(t *testing.T) {
	s := fake(t, nil)
	c := filled(t)
	url := strings.Replace(s.url(), "127.0.0.1%3A", "127.0.0.1%3A1", 1) // a port where nobody listens, or none at all
	r := open(t, url)
	var w warnings
	NewSource(t.Context(), r, c, false, w.add)
	began := time.Now()
	for i := range 50 {
		if _, err := c.Lookup(cache.KeyOf(step(fmt.Sprint("no", i)))); !errors.As(err, new(*cache.Miss)) {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took > 2*patience {
		t.Errorf("it took %s", took)
	}
	w.want(t, 2, "does not use the remote any more")
	if _, err := c.Lookup(cache.KeyOf(step("two"))); err != nil {
		t.Errorf("what is here: %v", err)
	}
	var lost warnings
	sink := NewSink(t.Context(), r, c, lost.add)
	for _, name := range []string{"none", "empty", "two", "large"} {
		sink.Add(cache.KeyOf(step(name)))
	}
	if rep, left := sink.Close(); left != 4 || rep.Moved != (Count{}) {
		t.Errorf("%+v, %d left; want all 4 left", rep, left)
	}
}
