package cache

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hostile lays a thing under a name that a program expects a plain file at.
var hostile = map[string]func(path, outside string) error{
	"a link outside": func(p, outside string) error { return os.Symlink(filepath.Join(outside, "secret"), p) },
	"a pipe":         func(p, _ string) error { return syscall.Mkfifo(p, 0o666) },
	"a device":       func(p, _ string) error { return os.Symlink("/dev/zero", p) },
	"a directory":    func(p, _ string) error { return os.Mkdir(p, 0o777) },
	"an exabyte": func(p, _ string) error {
		return errors.Join(os.WriteFile(p, nil, 0o666), os.Truncate(p, 1<<42))
	},
}

// outside is a directory that no cache may touch, and the check that none did.
func outside(t *testing.T) (dir string, check func()) {
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("secret"), 0o666); err != nil {
		t.Fatal(err)
	}
	before, err := os.Lstat(filepath.Join(dir, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	return dir, func() {
		t.Helper()
		now, err := os.Lstat(filepath.Join(dir, "secret"))
		if names := readNames(dir); err != nil || len(names) != 1 || now.Mode() != before.Mode() || !now.ModTime().Equal(before.ModTime()) {
			t.Errorf("outside there is %q, %v: the cache reached there", names, err)
		}
	}
}

// TestHostileFiles: whatever lies where an entry, the version, the memo, a root or a partial
// should, nothing hangs, nothing large is allocated and nothing outside is touched; a step can be
// made all the same, or the cache is refused.
func TestHostileFiles(t *testing.T) {
	for _, place := range []string{"version", "entry", "memo", "root", "run", "partial", "conflict"} {
		for name, lay := range hostile {
			t.Run(place+", "+name, func(t *testing.T) {
				dir := t.TempDir()
				c := mustOpen(t, dir)
				commitFiles(t, c, abc, map[string]string{"a": "x"})
				if err := c.Close(); err != nil {
					t.Fatal(err)
				}
				out, check := outside(t)
				defer check()
				path := map[string]string{
					"version": "version", "entry": c.rel(c.entryPath(KeyOf(abc))), "memo": c.rel(c.memo.path),
					"root": "roots/" + Root{}.id(), "run": "runs/far.1.2.3.4", "partial": "partial/" + KeyOf(abc).String(),
					"conflict": "conflicts/" + KeyOf(abc).String() + ".x",
				}[place]
				path = filepath.Join(dir, filepath.FromSlash(path))
				os.Remove(path)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), lay(path, out)); err != nil {
					t.Skip("cannot be laid here:", err)
				}
				c, err := Open(dir)
				if place == "version" {
					if err == nil {
						t.Error("the cache was opened")
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				c.Lookup(KeyOf(abc))
				for range c.Entries() {
				}
				if _, err := c.Usage(); err != nil {
					t.Errorf("Usage: %v", err)
				}
				if _, err := c.Verify(t.Context(), nil); err != nil {
					t.Errorf("Verify: %v", err)
				}
				c.GC(t.Context(), nil, Rules{}) // may refuse
				if p, err := c.Partial(KeyOf(abc)); err != nil {
					t.Error(err)
				} else if err := os.WriteFile(filepath.Join(p, "step-1"), []byte("x"), 0o666); err != nil {
					t.Error(err)
				}
				commitFiles(t, c, abc, map[string]string{"a": "x"})
				if _, err := c.Lookup(KeyOf(abc)); err != nil {
					t.Errorf("after the step was made: %v", err)
				}
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestHostileDirectories: a directory of the fan that leads outside is refused, for reading and
// writing.
func TestHostileDirectories(t *testing.T) {
	for _, top := range []string{"entries", "blobs"} {
		t.Run(top, func(t *testing.T) {
			c := mustOpen(t, t.TempDir())
			out, check := outside(t)
			defer check()
			path := c.entryPath(KeyOf(abc))
			if top == "blobs" {
				path = c.blobPath(DigestOf([]byte("x")))
			}
			if err := os.Symlink(out, filepath.Dir(path)); err != nil {
				t.Skip(err)
			}
			b := writeBuild(t, c, KeyOf(abc), map[string]string{"a": "x"})
			if _, err := b.Commit("eval", abc, Provenance{}); err == nil || !strings.Contains(err.Error(), "leads out of the cache") {
				t.Errorf("Commit: %v", err)
			}
			if err := c.PutBlob(t.Context(), DigestOf([]byte("x")), 1, strings.NewReader("x")); top == "blobs" && err == nil {
				t.Error("a blob was written outside")
			}
			if _, err := c.Blob(DigestOf([]byte("x"))); top == "blobs" && (err == nil || isMiss(err, Absent)) {
				t.Errorf("Blob: %v", err)
			}
			if _, err := c.Lookup(KeyOf(abc)); top == "entries" && (err == nil || isMiss(err, Absent)) {
				t.Errorf("Lookup: %v", err)
			}
			if problems, err := c.Verify(t.Context(), nil); err != nil || len(problems) == 0 {
				t.Errorf("Verify: %v, %v", problems, err)
			}
			c.GC(t.Context(), nil, Rules{})
		})
	}
}

// TestHostileRemains: what lies in tmp/ is removed when it is old, and not what it leads to.
func TestHostileRemains(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	out, check := outside(t)
	defer check()
	if err := errors.Join(os.Symlink(out, c.path("tmp", "far.1.2.3.x")), os.Symlink(out, c.path("partial", KeyOf(nil).String()))); err != nil {
		t.Skip(err)
	}
	c.sweep(time.Now().Add(30 * 24 * time.Hour))
	if n := readNames(c.path("tmp")); len(n) != 0 {
		t.Errorf("tmp holds %q", n)
	}
	c.ahead = time.Hour
	if _, err := c.GC(t.Context(), nil, Rules{}); err != nil {
		t.Error(err)
	}
}

// TestHostileNumbers: sizes that an entry states are added without running over, and nothing of
// that size is made.
func TestHostileNumbers(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	commitFiles(t, c, abc, map[string]string{"a": "x", "b": "y"})
	commitFiles(t, c, worked, map[string]string{"a": "x"})
	overwrite(t, c.entryPath(KeyOf(abc)), func(b []byte) []byte {
		return seal(strings.ReplaceAll(string(b[:len(b)-sumLen]), `"size":1}`, `"size":`+strconv.FormatInt(math.MaxInt64, 10)+`}`))
	})
	u, err := c.Usage()
	if err != nil || u.Kinds[0].Outputs.Bytes != math.MaxInt64 {
		t.Errorf("Usage: %+v, %v", u.Kinds, err)
	}
	for it, err := range c.Items() {
		if err != nil || it.Size < 0 {
			t.Errorf("%+v, %v", it, err)
		}
	}
	if _, err := c.Lookup(KeyOf(abc)); !isMiss(err, Corrupt) {
		t.Errorf("Lookup: %v", err)
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"unit/größe,1990-1995": "unit/größe,1990-1995", "a \"b\"": "a \"b\"", "\x1b[2Jx": `\x1b[2Jx`, "a\nb": `a\nb`, "\u202ex": `\u202ex`, "\xff": `\xff`,
		"\x00\"": `\x00"`,
	} {
		if got := Printable(in); got != want {
			t.Errorf("Printable(%q) = %q, want %q", in, got, want)
		}
	}
}
