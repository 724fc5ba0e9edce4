package cache

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// openLater opens a cache whose clock is an hour ahead, so that files written now count as having
// kept still.
func openLater(t *testing.T, dir string) *Cache {
	t.Helper()
	c := mustOpen(t, dir)
	c.now = func() time.Time { return time.Now().Add(time.Hour) }
	return c
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// remembers says whether the memo answers for a file as it is now.
func remembers(t *testing.T, c *Cache, path string) bool {
	t.Helper()
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	st, ok := stampOf(fi)
	if !ok {
		t.Skip("this system has no stamps, nothing is memoised; run on Linux")
	}
	_, ok = c.memo.file(path, st)
	return ok
}

func TestFileDigest(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	dir := t.TempDir()
	path, link := filepath.Join(dir, "in put.jsonl"), filepath.Join(dir, "link")
	writeFile(t, path, "text")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, link, path} {
		d, size, err := c.FileDigest(p)
		if err != nil || d != DigestOf([]byte("text")) || size != 4 {
			t.Errorf("FileDigest(%s) = %s, %d, %v", p, d, size, err)
		}
	}
	for name, p := range map[string]string{"directory": dir, "nothing": path + "x"} {
		if d, _, err := c.FileDigest(p); err == nil || !strings.Contains(err.Error(), p) {
			t.Errorf("%s: %s, %v", name, d, err)
		}
	}
	t.Chdir(dir)
	if d, _, err := c.FileDigest("in put.jsonl"); err != nil || d != DigestOf([]byte("text")) {
		t.Errorf("relative path: %s, %v", d, err)
	}
}

func TestFileMemo(t *testing.T) {
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "a \"b\"\n\xff.txt") // awkward, and legal
	writeFile(t, path, "one")
	c := mustOpen(t, dir)
	if _, _, err := c.FileDigest(path); err != nil {
		t.Fatal(err)
	}
	if remembers(t, c, path) {
		t.Error("a file written just now was memoised")
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.FileDigest(path); err != nil || remembers(t, c, path) {
		t.Errorf("a file whose mtime was set back just now was memoised, %v", err)
	}
	c = openLater(t, dir)
	if _, _, err := c.FileDigest(path); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c = openLater(t, dir)
	if !remembers(t, c, path) {
		t.Fatal("the memo of a quiet file was lost by Close and Open")
	}
	for name, change := range map[string]func(){
		"same size": func() { writeFile(t, path, "two") },
		"longer":    func() { writeFile(t, path, "three") },
		"put in place": func() {
			writeFile(t, path+"x", "six")
			if err := os.Rename(path+"x", path); err != nil {
				t.Fatal(err)
			}
		},
	} {
		// The edit falls into another clock tick than the stamp before it, as the racy rule makes
		// sure of in earnest.
		waitForTick(t)
		change()
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d, _, err := c.FileDigest(path); err != nil || d != DigestOf(data) {
			t.Errorf("%s: digest %s, %v, want that of %q", name, d, err, data)
		}
	}
}

// waitForTick returns when the clock of file times has moved.
func waitForTick(t *testing.T) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tick")
	var first time.Time
	for {
		writeFile(t, path, "x")
		fi, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if first.IsZero() {
			first = fi.ModTime()
		} else if !fi.ModTime().Equal(first) {
			return
		}
	}
}

// TestMemoIsUsed shows that a known file is not read again: a memo made to lie is believed. It is
// why an audit uses Verify.
func TestMemoIsUsed(t *testing.T) {
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "f")
	writeFile(t, path, "truth")
	c := openLater(t, dir)
	if _, _, err := c.FileDigest(path); err != nil {
		t.Fatal(err)
	}
	if !remembers(t, c, path) {
		t.Fatal("not memoised")
	}
	lie := DigestOf([]byte("lie"))
	c.memo.files[path] = fileMemo{c.memo.files[path].stamp, lie}
	if d, _, err := c.FileDigest(path); err != nil || d != lie {
		t.Errorf("FileDigest read the file again: %s, %v", d, err)
	}
}

// A blob is remembered from its commit, and an edit shows though it falls into the clock tick of
// the commit.
func TestBlobMemo(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	for i := range 20 {
		text := fmt.Sprintf("blob %02d", i)
		d, in := DigestOf([]byte(text)), benchKeyInputs(i)
		b := writeBuild(t, c, KeyOf(in), map[string]string{"a": text})
		f, err := os.OpenFile(filepath.Join(b.Dir, "a"), os.O_RDWR, 0) // a writer that stays
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Commit("eval", in, Provenance{}); err != nil {
			t.Fatal(err)
		}
		if st := c.memo.blob(d); st == (stamp{}) {
			t.Fatal("a committed blob is not in the memo")
		}
		if _, err := f.WriteAt([]byte("B"), 0); err != nil {
			t.Fatal(err)
		}
		f.Close()
		wantMiss(t, c, KeyOf(in), Corrupt, "its bytes have digest")
	}
}

func TestMemoSurvivesAnything(t *testing.T) {
	for _, tc := range []struct {
		name   string
		damage func(b []byte) []byte
		kept   bool // whether the blob is still remembered
	}{
		{"untouched", func(b []byte) []byte { return b }, true},
		{"empty", func([]byte) []byte { return nil }, false},
		{"cut short", func(b []byte) []byte { return b[:len(b)-5] }, false},
		{"flipped digit", func(b []byte) []byte { return flip(b) }, false},
		{"rubbish before", func(b []byte) []byte { return append([]byte("\x00\xff rubbish\n\n00000000 b "), b...) }, true},
		{"rubbish after", func(b []byte) []byte { return append(b, strings.Repeat("0", 500)...) }, true},
		{"two lines in one", func(b []byte) []byte { return append(b[:len(b)-1:len(b)-1], b[1:]...) }, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			c := mustOpen(t, dir)
			commitFiles(t, c, abc, map[string]string{"a": "x"})
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(c.memo.path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(c.memo.path, tc.damage(data), 0o666); err != nil {
				t.Fatal(err)
			}
			again := mustOpen(t, dir)
			if kept := again.memo.blob(DigestOf([]byte("x"))) != (stamp{}); kept != tc.kept {
				t.Errorf("remembered: %v, want %v", kept, tc.kept)
			}
			if _, err := again.Lookup(KeyOf(abc)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestMemoIsRewritten(t *testing.T) {
	dir := t.TempDir()
	c := mustOpen(t, dir)
	commitFiles(t, c, abc, map[string]string{"a": "x"})
	d := DigestOf([]byte("x"))
	last := c.memo.blob(d)
	for i := range 1000 {
		c.memo.putBlob(d, hashed{known: true, began: time.Now(), stamp: stamp{size: int64(i)}})
		c.memo.putFile("/old", hashed{known: true, began: time.Now(), stamp: stamp{size: int64(i)}})
	}
	c.memo.putBlob(d, hashed{known: true, began: time.Now(), stamp: last})
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(c.memo.path)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		again := mustOpen(t, dir)
		if got := again.memo.blob(d); got != last {
			t.Errorf("the last line does not count: %+v, want %+v", got, last)
		}
		if got := again.memo.files["/old"].stamp.size; got != 999 {
			t.Errorf("the last line of a file has size %d, want 999", got)
		}
		after, err := os.Stat(c.memo.path)
		if err != nil || after.Size() >= 1000 || before.Size() < 100_000 {
			t.Errorf("%d bytes became %d, %v", before.Size(), after.Size(), err)
		}
		// A rewritten memo takes lines like any other.
		again.memo.putFile("/old", hashed{known: true, began: time.Now(), stamp: stamp{size: 999}})
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}
}
