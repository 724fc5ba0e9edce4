package cache

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// overwrite changes a read-only file in place, as a disk or a person would.
func overwrite(t *testing.T, path string, edit func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, edit(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

func flip(b []byte) []byte { b[len(b)/2] ^= 1; return b }

func TestCorruption(t *testing.T) {
	blob := DigestOf([]byte("bytes of a"))
	otherIn := []KeyInput{{"other", ""}}
	for _, tc := range []struct {
		name        string
		damage      func(t *testing.T, c *Cache)
		reason      Reason
		detail      string
		quarantined bool
	}{
		{"blob: flipped byte, same size", func(t *testing.T, c *Cache) {
			overwrite(t, c.blobPath(blob), flip)
		}, Corrupt, "its bytes have digest", true},
		{"blob: flipped byte, mtime put back", func(t *testing.T, c *Cache) {
			overwrite(t, c.blobPath(blob), flip)
			// Its ctime moves; wait for the clock that file times are taken from.
			before, _ := os.Lstat(c.blobPath(blob))
			for {
				if err := os.Chtimes(c.blobPath(blob), blobTime, blobTime); err != nil {
					t.Fatal(err)
				}
				now, _ := os.Lstat(c.blobPath(blob))
				a, _ := stampOf(before)
				if b, ok := stampOf(now); !ok || a.ctime != b.ctime {
					break
				}
			}
		}, Corrupt, "its bytes have digest", true},
		{"blob: truncated", func(t *testing.T, c *Cache) {
			overwrite(t, c.blobPath(blob), func(b []byte) []byte { return b[:3] })
		}, Corrupt, "output a: blob " + blob.String(), true},
		{"blob: empty", func(t *testing.T, c *Cache) {
			overwrite(t, c.blobPath(blob), func([]byte) []byte { return nil })
		}, Corrupt, "its bytes have digest", true},
		{"blob: missing", func(t *testing.T, c *Cache) {
			if err := os.Remove(c.blobPath(blob)); err != nil {
				t.Fatal(err)
			}
		}, Incomplete, "output a: blob " + blob.String() + ": absent", false},
		{"blob: a link to the right bytes", func(t *testing.T, c *Cache) {
			to := filepath.Join(t.TempDir(), "elsewhere")
			if err := os.Rename(c.blobPath(blob), to); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(to, c.blobPath(blob)); err != nil {
				t.Fatal(err)
			}
		}, Corrupt, "not a regular file", true},
		{"blob: a directory", func(t *testing.T, c *Cache) {
			if err := errors.Join(os.Remove(c.blobPath(blob)), os.Mkdir(c.blobPath(blob), 0o777)); err != nil {
				t.Fatal(err)
			}
		}, Corrupt, "not a regular file", true},
		{"entry: flipped byte", func(t *testing.T, c *Cache) {
			overwrite(t, c.entryPath(KeyOf(abc)), flip)
		}, Corrupt, "its file says", true},
		{"entry: truncated", func(t *testing.T, c *Cache) {
			overwrite(t, c.entryPath(KeyOf(abc)), func(b []byte) []byte { return b[:len(b)/2] })
		}, Corrupt, "does not end in its sum", true},
		{"entry: empty", func(t *testing.T, c *Cache) {
			overwrite(t, c.entryPath(KeyOf(abc)), func([]byte) []byte { return nil })
		}, Corrupt, "does not end in its sum", true},
		{"entry: not JSON, sum right", func(t *testing.T, c *Cache) {
			overwrite(t, c.entryPath(KeyOf(abc)), func([]byte) []byte { return seal("rubbish") })
		}, Corrupt, "does not parse", true},
		{"entry: of another key", func(t *testing.T, c *Cache) {
			commitFiles(t, c, otherIn, map[string]string{"a": "other"})
			data, err := os.ReadFile(c.entryPath(KeyOf(otherIn)))
			if err != nil {
				t.Fatal(err)
			}
			overwrite(t, c.entryPath(KeyOf(abc)), func([]byte) []byte { return data })
		}, Corrupt, "says it is " + KeyOf(otherIn).String(), true},
		{"entry: name leaves the cache", func(t *testing.T, c *Cache) {
			overwrite(t, c.entryPath(KeyOf(abc)), func(b []byte) []byte {
				return seal(strings.Replace(string(b[:len(b)-sumLen]), `"name":"a"`, `"name":"../../../a"`, 1))
			})
		}, Corrupt, "is not a plain relative path", true},
		{"entry: wrong size of a good blob", func(t *testing.T, c *Cache) {
			overwrite(t, c.entryPath(KeyOf(abc)), func(b []byte) []byte {
				return seal(strings.Replace(string(b[:len(b)-sumLen]), `"size":10`, `"size":11`, 1))
			})
		}, Corrupt, "has 10 bytes, the entry says 11", true},
		{"entry: too large", func(t *testing.T, c *Cache) {
			p := c.entryPath(KeyOf(abc))
			if err := errors.Join(os.Chmod(p, 0o644), os.Truncate(p, maxEntryBytes+1)); err != nil {
				t.Fatal(err)
			}
		}, Corrupt, "at most 67108864 are allowed", true},
		{"entry: a directory", func(t *testing.T, c *Cache) {
			p := c.entryPath(KeyOf(abc))
			if err := errors.Join(os.Remove(p), os.Mkdir(p, 0o777)); err != nil {
				t.Fatal(err)
			}
		}, Corrupt, "not a regular file", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			c := mustOpen(t, dir)
			files := map[string]string{"a": "bytes of a", "b": "bytes of b"}
			want := commitFiles(t, c, abc, files)
			if _, err := c.Lookup(KeyOf(abc)); err != nil {
				t.Fatal(err)
			}
			tc.damage(t, c) // while the memo still trusts the file
			wantMiss(t, c, KeyOf(abc), tc.reason, tc.detail)
			if got := len(readNames(c.path("quarantine"))); (got == 1) != tc.quarantined {
				t.Errorf("%d files in quarantine, want one: %v", got, tc.quarantined)
			}
			// It heals by running again, to the same outputs.
			e := commitFiles(t, c, abc, files)
			if d := cmp.Diff(want.Outputs, e.Outputs); d != "" {
				t.Errorf("outputs after healing (-want +got):\n%s", d)
			}
			if _, err := c.Lookup(KeyOf(abc)); err != nil {
				t.Errorf("after healing: %v", err)
			}
			if problems, err := c.Verify(t.Context(), nil); err != nil || len(problems) != 0 {
				t.Errorf("Verify after healing: %v, %v", problems, err)
			}
		})
	}
}

func TestBlobIsQuarantinedNotDeleted(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	commitFiles(t, c, abc, map[string]string{"a": "bytes of a"})
	d := DigestOf([]byte("bytes of a"))
	overwrite(t, c.blobPath(d), func([]byte) []byte { return []byte("BYTES OF A") })
	if path, err := c.Blob(d); !isMiss(err, Corrupt) {
		t.Fatalf("Blob = %q, %v, want corrupt", path, err)
	}
	names := readNames(c.path("quarantine"))
	if len(names) != 1 || !strings.HasPrefix(names[0], d.String()+".") {
		t.Fatalf("quarantine holds %q", names)
	}
	if data, err := os.ReadFile(c.path("quarantine", names[0])); err != nil || string(data) != "BYTES OF A" {
		t.Errorf("quarantine holds %q, %v", data, err)
	}
	if _, err := c.Blob(d); !isMiss(err, Absent) {
		t.Errorf("the second time: %v, want absent", err)
	}
}

// A file put in place of the one that was judged must not vanish with it.
func TestQuarantineOfAnother(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	commitFiles(t, c, abc, map[string]string{"a": "bytes of a"})
	path := c.blobPath(DigestOf([]byte("bytes of a")))
	judged, err := os.Lstat(c.path("version")) // any other file
	if err != nil {
		t.Fatal(err)
	}
	if err := c.quarantine(path, judged); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Lookup(KeyOf(abc)); err != nil {
		t.Errorf("after quarantine of another file: %v", err)
	}
	if n := readNames(c.path("quarantine")); len(n) != 0 {
		t.Errorf("quarantine holds %q", n)
	}
}
