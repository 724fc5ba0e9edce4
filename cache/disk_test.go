package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// failing is a real disk whose calls number at and later fail; at 0 none do. before is told each
// call by number and name.
func failing(at int, cause error, before func(n int, name string)) disk {
	real, n := realDisk(), 0
	fail := func(name string) error {
		n++
		if before != nil {
			before(n, name)
		}
		if at > 0 && n >= at {
			return &fs.PathError{Op: name, Path: "x", Err: cause}
		}
		return nil
	}
	return disk{
		mkdirTemp: real.mkdirTemp,
		write: func(f *os.File, b []byte) error {
			if err := fail("write"); err != nil {
				real.write(f, b[:len(b)/2]) // what a full disk does
				return err
			}
			return real.write(f, b)
		},
		sync: func(f *os.File) error { return errors.Join(fail("sync"), real.sync(f)) },
		// A failed close has closed.
		close: func(f *os.File) error { return errors.Join(real.close(f), fail("close")) },
		rename: func(from, to string) error {
			if err := fail("rename"); err != nil {
				return err
			}
			return real.rename(from, to)
		},
		link: func(from, to string) error {
			if err := fail("link"); err != nil {
				return err
			}
			return real.link(from, to)
		},
	}
}

// TestDiskFails lets each call of a commit be the first to fail, then mends the disk and commits
// the same build again.
func TestDiskFails(t *testing.T) {
	files := map[string]string{"a": "bytes of a", "b": "bytes of b", "c": "bytes of a"}
	calls := 0
	c := mustOpen(t, t.TempDir())
	c.disk = failing(0, nil, func(n int, name string) { calls = n; t.Logf("call %d: %s", n, name) })
	commitFiles(t, c, abc, files)
	// Files a and b: sync, rename, which finds no directory, rename. Then sync of two directories
	// of blobs and of blobs. The entry: write, sync, close, link, which finds no directory, sync of
	// entries, link, sync of the directory.
	if want := 6 + 3 + 7; calls != want {
		t.Fatalf("a commit makes %d calls, want %d", calls, want)
	}
	for _, cause := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EIO} {
		for at := 1; at <= calls; at++ {
			t.Run(fmt.Sprintf("%v/%d", cause, at), func(t *testing.T) {
				c := mustOpen(t, t.TempDir())
				b := writeBuild(t, c, KeyOf(abc), files)
				c.disk = failing(at, cause, nil)
				_, err := b.Commit("eval", abc, Provenance{})
				var we *WriteError
				if !errors.As(err, &we) || !errors.Is(err, cause) || we.Dir != c.Dir() || we.Writing == "" || we.Free <= 0 {
					t.Fatalf("error %v, want a *WriteError of %v", err, cause)
				}
				if full := cause != syscall.EIO; we.Full() != full {
					t.Errorf("Full() = %v, want %v", we.Full(), full)
				}
				if msg := err.Error(); !strings.Contains(msg, c.Dir()) || !strings.Contains(msg, fmt.Sprint(we.Free)) {
					t.Errorf("error %q does not name the directory and the bytes free", msg)
				}
				wantWhole(t, c)
				c.disk = realDisk()
				if n := readNames(c.path("tmp")); len(n) != 1 {
					t.Errorf("tmp holds %q, want the build", n)
				}
				want, err := b.Commit("eval", abc, Provenance{})
				if err != nil {
					t.Fatalf("on the mended disk: %v", err)
				}
				if got, err := c.Lookup(KeyOf(abc)); err != nil || cmp.Diff(want.Outputs, got.Outputs) != "" || len(got.Outputs) != 3 {
					t.Errorf("Lookup = %v, %v", got, err)
				}
				wantWhole(t, c)
				if n := readNames(c.path("tmp")); len(n) != 0 {
					t.Errorf("tmp holds %q", n)
				}
			})
		}
	}
}

// wantWhole checks that all that is visible is good.
func wantWhole(t *testing.T, c *Cache) {
	t.Helper()
	problems, err := c.Verify(t.Context(), nil)
	if err != nil || len(problems) != 0 {
		t.Errorf("Verify: %v, %v", problems, err)
	}
}

func TestDiskFailsInOpen(t *testing.T) {
	calls := 0
	if _, err := open(t.TempDir(), failing(0, nil, func(n int, _ string) { calls = n })); err != nil {
		t.Fatal(err)
	}
	for at := 1; at <= calls; at++ {
		dir := t.TempDir()
		_, err := open(dir, failing(at, syscall.ENOSPC, nil))
		var we *WriteError
		if !errors.As(err, &we) || we.Dir != dir {
			t.Errorf("call %d of %d: error %v, want a *WriteError", at, calls, err)
		}
		if _, err := Open(dir); err != nil {
			t.Errorf("call %d of %d: on the mended disk: %v", at, calls, err)
		}
	}
}

func TestDiskFailsInMemo(t *testing.T) {
	dir := t.TempDir()
	c := mustOpen(t, dir)
	commitFiles(t, c, abc, map[string]string{"a": "x"})
	c.disk = failing(1, syscall.ENOSPC, nil)
	var we *WriteError
	if err := c.Close(); !errors.As(err, &we) || we.Writing != "the memo" {
		t.Errorf("Close = %v, want a *WriteError of the memo", err)
	}
	again := mustOpen(t, dir)
	if _, err := again.Lookup(KeyOf(abc)); err != nil {
		t.Error(err)
	}
	c.disk = realDisk() // the lines were kept, and the torn one ends
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	d := DigestOf([]byte("x"))
	if third := mustOpen(t, dir); third.memo.blob(d) != c.memo.blob(d) {
		t.Error("the memo was not written after its disk was mended")
	}
}

// A file system that does a link twice, or reports a success as an error, as NFS does when a reply
// is lost.
func TestLostReplyOfLink(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	link := c.disk.link
	c.disk.link = func(from, to string) error {
		if err := link(from, to); err != nil {
			return err
		}
		return link(from, to) // EEXIST, and it is ours
	}
	want := commitFiles(t, c, abc, map[string]string{"a": "x"})
	if got, err := c.Lookup(KeyOf(abc)); err != nil || cmp.Diff(want, got) != "" {
		t.Errorf("Lookup = %v, %v", got, err)
	}
}

func TestNoHardLinks(t *testing.T) {
	d := realDisk()
	d.link = func(from, to string) error { return &os.LinkError{Op: "link", Old: from, New: to, Err: syscall.EPERM} }
	if _, err := open(t.TempDir(), d); err == nil || !strings.Contains(err.Error(), "must have hard links") {
		t.Errorf("error %v", err)
	}
}

func TestChangedWhileCommitted(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	b := writeBuild(t, c, KeyOf(abc), map[string]string{"a": "bytes of a"})
	f, err := os.OpenFile(b.Dir+"/a", os.O_WRONLY, 0) // a stage that forgot to close
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sync := c.disk.sync
	c.disk.sync = func(g *os.File) error { // between hash and rename
		if _, err := f.WriteAt([]byte("B"), 0); err != nil {
			t.Error(err)
		}
		return sync(g)
	}
	if _, err := b.Commit("eval", abc, Provenance{}); err == nil || !strings.Contains(err.Error(), "changed while it was committed") {
		t.Errorf("error %v", err)
	}
	wantMiss(t, c, KeyOf(abc), Absent, "")
}
