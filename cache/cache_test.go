package cache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDefaultDir(t *testing.T) {
	t.Setenv("ABLATE_CACHE", "/some/where")
	if got, err := DefaultDir(); err != nil || got != "/some/where" {
		t.Errorf("with ABLATE_CACHE: %q, %v", got, err)
	}
	t.Setenv("ABLATE_CACHE", "")
	t.Setenv("XDG_CACHE_HOME", "/xdg")
	t.Setenv("HOME", "/home/x")
	if got, err := DefaultDir(); err != nil || filepath.Base(got) != "ablate" || !filepath.IsAbs(got) {
		t.Errorf("without ABLATE_CACHE: %q, %v", got, err)
	}
}

func TestOpenMakesTheTree(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "cache")
	for range 2 { // the second time it is there
		c := mustOpen(t, dir)
		if c.Dir() != dir {
			t.Errorf("Dir() = %q, want %q", c.Dir(), dir)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"README", "blobs", "entries", "memo", "partial", "quarantine", "tmp", "version"}
	if d := cmp.Diff(want, readNames(dir)); d != "" {
		t.Errorf("tree (-want +got):\n%s", d)
	}
	if v, err := os.ReadFile(filepath.Join(dir, "version")); string(v) != "ablate cache 1\n" {
		t.Errorf("version is %q, %v", v, err)
	}
	if n := readNames(filepath.Join(dir, "tmp")); len(n) != 0 {
		t.Errorf("Open left %q in tmp", n)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, tc := range []struct {
		name, file, text, want string
	}{
		{"newer version", "version", "ablate cache 2\n", "use the ablate that wrote it"},
		{"no version text", "version", "", "use the ablate that wrote it"},
		{"something else", "thesis.tex", "x", "is not a cache"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, tc.file), []byte(tc.text), 0o666); err != nil {
				t.Fatal(err)
			}
			_, err := Open(dir)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("error %v, want %q and the directory", err, tc.want)
			}
			if d := cmp.Diff([]string{tc.file}, readNames(dir)); d != "" {
				t.Errorf("the directory was changed (-want +got):\n%s", d)
			}
		})
	}
	t.Run("a file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil {
			t.Error("a file was opened as a cache")
		}
	})
	t.Run("not writable", func(t *testing.T) {
		dir := t.TempDir()
		mustOpen(t, dir)
		d := realDisk()
		d.mkdirTemp = func(string, string) (string, error) { return "", syscall.EROFS }
		_, err := open(dir, d)
		var we *WriteError
		if !errors.As(err, &we) || we.Dir != dir || !errors.Is(err, syscall.EROFS) {
			t.Errorf("error %v, want a *WriteError of %s", err, dir)
		}
	})
	t.Run("a link for a directory", func(t *testing.T) {
		dir, outside := t.TempDir(), t.TempDir()
		mustOpen(t, dir)
		if err := errors.Join(os.RemoveAll(filepath.Join(dir, "blobs")), os.Symlink(outside, filepath.Join(dir, "blobs"))); err != nil {
			t.Skip(err)
		}
		for name, open := range map[string]func(string) (*Cache, error){"Open": Open, "OpenRead": OpenRead} {
			if _, err := open(dir); err == nil || !strings.Contains(err.Error(), "blobs is no directory") {
				t.Errorf("%s: error %v", name, err)
			}
		}
	})
	t.Run("read-only", func(t *testing.T) {
		if os.Geteuid() == 0 {
			t.Skip("root may write anywhere; run the tests as another user for this case")
		}
		dir := t.TempDir()
		mustOpen(t, dir)
		tmp := filepath.Join(dir, "tmp")
		if err := os.Chmod(tmp, 0o555); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(tmp, 0o755)
		if _, err := Open(dir); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("error %v, want permission denied", err)
		}
	})
}

var abc = []KeyInput{{"kind", "eval"}, {"params", "abc"}}

func TestRoundTrip(t *testing.T) {
	dir := t.TempDir()
	c := mustOpen(t, dir)
	files := map[string]string{"z": "last", "a/b": "deep", "a.txt": "", "copy": "last"}
	made := commitFiles(t, c, abc, files)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	again := mustOpen(t, dir)
	got, err := again.Lookup(KeyOf(abc))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(made, got); d != "" {
		t.Errorf("entry (-committed +found):\n%s", d)
	}
	var names []string
	for _, o := range got.Outputs {
		names = append(names, o.Name)
		path, err := again.Blob(o.Digest)
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil || string(data) != files[o.Name] || o.Size != int64(len(data)) {
			t.Errorf("%s: %q (%d bytes), %v, want %q", o.Name, data, o.Size, err, files[o.Name])
		}
		if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o444 || !fi.ModTime().Equal(blobTime) {
			t.Errorf("%s: mode %v, mtime %v, %v", o.Name, fi.Mode(), fi.ModTime(), err)
		}
	}
	if d := cmp.Diff([]string{"a.txt", "a/b", "copy", "z"}, names); d != "" {
		t.Errorf("names (-want +got):\n%s", d)
	}
	if o, ok := got.Output("z"); !ok || o.Digest != DigestOf([]byte("last")) {
		t.Errorf("Output(z) = %v, %v", o, ok)
	}
	if _, ok := got.Output("y"); ok {
		t.Error("Output(y) was found")
	}
	wantMiss(t, again, KeyOf(worked), Absent, "")
	if _, err := again.Blob(DigestOf([]byte("nowhere"))); !isMiss(err, Absent) {
		t.Errorf("Blob of an absent digest: %v", err)
	}
}

func isMiss(err error, reason Reason) bool {
	var miss *Miss
	return errors.As(err, &miss) && miss.Reason == reason
}

func wantMiss(t *testing.T, c *Cache, key Key, reason Reason, detail string) {
	t.Helper()
	e, err := c.Lookup(key)
	if !isMiss(err, reason) || !strings.Contains(err.Error(), detail) || e != nil {
		t.Errorf("Lookup = %v, %v, want a miss, %s, %q", e, err, reason, detail)
	}
}

func TestEntriesAreSorted(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	want := make(map[Key]bool)
	for i := range 50 {
		in := benchKeyInputs(i)
		commitFiles(t, c, in, map[string]string{"a": "same"})
		want[KeyOf(in)] = true
	}
	overwrite(t, c.entryPath(KeyOf(benchKeyInputs(7))), flip)
	os.Mkdir(c.path("entries", "00"), 0o777) // may be there
	if err := os.WriteFile(c.path("entries", "00", "notes.txt"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	last, bad := "", 0
	for e, err := range c.Entries() {
		if isMiss(err, Corrupt) {
			bad++
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.Key.String() <= last {
			t.Errorf("%s after %s", e.Key, last)
		}
		last = e.Key.String()
		delete(want, e.Key)
	}
	if bad != 1 || len(want) != 1 || !want[KeyOf(benchKeyInputs(7))] {
		t.Errorf("%d corrupt, %d not seen, want the one that was damaged", bad, len(want))
	}
	if n := readNames(c.path("quarantine")); len(n) != 0 {
		t.Errorf("listing moved %q to quarantine", n)
	}
	n := 0
	for range c.Entries() {
		if n++; n == 3 {
			break
		}
	}
}

func TestPartial(t *testing.T) {
	dir := t.TempDir()
	c := mustOpen(t, dir)
	key := KeyOf(abc)
	p, err := c.Partial(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p, "step-5"), []byte("half"), 0o666); err != nil {
		t.Fatal(err)
	}
	again := mustOpen(t, dir)
	q, err := again.Partial(key)
	if err != nil || q != p {
		t.Fatalf("Partial = %q, %v, want %q", q, err, p)
	}
	if data, err := os.ReadFile(filepath.Join(q, "step-5")); string(data) != "half" {
		t.Errorf("the checkpoint holds %q, %v", data, err)
	}
	wantMiss(t, again, key, Absent, "")
	commitFiles(t, again, abc, map[string]string{"a": "x"})
	if _, err := os.Lstat(p); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Commit left %s: %v", p, err)
	}
	// What a process that died between entry and removal left goes with the next Open, unless the
	// step must run again.
	for _, whole := range []bool{true, false} {
		if p, err = c.Partial(key); err != nil {
			t.Fatal(err)
		}
		if !whole {
			if err := os.Remove(c.blobPath(DigestOf([]byte("x")))); err != nil {
				t.Fatal(err)
			}
		}
		mustOpen(t, dir)
		if _, err := os.Lstat(p); (err == nil) == whole {
			t.Errorf("whole entry: %t; its partial after Open: %v", whole, err)
		}
	}
}

func TestVerifyAndUsage(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	commitFiles(t, c, abc, map[string]string{"a": "four", "b": "four", "c": "other"})
	commitFiles(t, c, worked, map[string]string{"a": "four"})
	b := writeBuild(t, c, KeyOf(nil), map[string]string{"n": "123"})
	trainIn := []KeyInput{{"kind", "train"}}
	if _, err := writeBuild(t, c, KeyOf(trainIn), map[string]string{"m": "model!"}).Commit("train", trainIn, Provenance{}); err != nil {
		t.Fatal(err)
	}
	u, err := c.Usage()
	if err != nil {
		t.Fatal(err)
	}
	want := Usage{
		Kinds: []KindUsage{
			{Kind: "eval", Entries: 2, Outputs: Count{4, 17}, Blobs: Count{2, 9}},
			{Kind: "train", Entries: 1, Outputs: Count{1, 6}, Blobs: Count{1, 6}}},
		Entries: Count{3, u.Entries.Bytes}, Blobs: Count{3, 15}, Temporary: Count{1, 3},
	}
	if d := cmp.Diff(want, u); d != "" || u.Entries.Bytes < 1000 {
		t.Errorf("usage (-want +got):\n%s", d)
	}
	if err := b.Abort(); err != nil {
		t.Fatal(err)
	}

	var done, total int64
	problems, err := c.Verify(t.Context(), func(d, all int64) { done, total = d, all })
	if err != nil || len(problems) != 0 || done != 15 || total != 15 {
		t.Errorf("Verify of a good cache: %v, %v, %d of %d bytes", problems, err, done, total)
	}
	// One corrupt blob, one lost, one bad entry, one stray file.
	four, model := DigestOf([]byte("four")), DigestOf([]byte("model!"))
	overwrite(t, c.blobPath(four), flip)
	// Verify trusts no memo, not even one that was made to fit.
	c.memo.putBlob(four, mustHash(t, c.blobPath(four)))
	overwrite(t, c.entryPath(KeyOf(worked)), flip)
	os.Mkdir(c.path("blobs", "00"), 0o777) // may be there
	if err := errors.Join(os.Remove(c.blobPath(model)), os.WriteFile(c.path("blobs", "00", "stray"), nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	if problems, err = c.Verify(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	wantPart := map[string]string{
		c.rel(c.blobPath(four)):            "moved to quarantine",
		c.rel(c.entryPath(KeyOf(abc))):     "incomplete: output a: blob " + four.String() + ": absent",
		c.rel(c.entryPath(KeyOf(trainIn))): "incomplete: output m",
		c.rel(c.entryPath(KeyOf(worked))):  "corrupt: sum is",
		"blobs/00/stray":                   "no part of the cache",
	}
	for _, p := range problems {
		part, ok := wantPart[p.Path]
		if !ok || !strings.Contains(p.String(), part) {
			t.Errorf("problem %s, want %q", p, part)
		}
		delete(wantPart, p.Path)
	}
	if len(wantPart) != 0 {
		t.Errorf("not found: %v", wantPart)
	}
	if u, err = c.Usage(); err != nil || u.Quarantine.Files != 2 || u.Orphans.Files != 0 {
		t.Errorf("usage after Verify: %+v, %v", u, err)
	}
}

func mustHash(t *testing.T, path string) hashed {
	t.Helper()
	h, err := hashFile(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.began = time.Now().Add(time.Hour) // past the racy rule
	return h
}
