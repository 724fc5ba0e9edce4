package cache

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBeginGivesAnEmptyDirectory(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	one, err1 := c.Begin(KeyOf(abc))
	two, err2 := c.Begin(KeyOf(abc))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if one.Dir == two.Dir || filepath.Dir(one.Dir) != c.path("tmp") || len(readNames(one.Dir)) != 0 {
		t.Errorf("directories %q and %q", one.Dir, two.Dir)
	}
	for range 2 {
		if err := one.Abort(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Lstat(one.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Abort left %s", one.Dir)
	}
}

func TestFirstCommitWins(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	one := writeBuild(t, c, KeyOf(abc), map[string]string{"a": "same", "b": "same too"})
	two := writeBuild(t, c, KeyOf(abc), map[string]string{"a": "same", "b": "same too"})
	first, err := one.Commit("eval", abc, Provenance{Host: "first"})
	if err != nil {
		t.Fatal(err)
	}
	second, err := two.Commit("eval", abc, Provenance{Host: "second"})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(first, second); d != "" || second.Provenance.Host != "first" {
		t.Errorf("the second commit did not return the first entry:\n%s", d)
	}
	if n := readNames(c.path("tmp")); len(n) != 0 {
		t.Errorf("tmp holds %q", n)
	}
}

func TestConflict(t *testing.T) {
	digest := func(s string) string { return DigestOf([]byte(s)).String() }
	for _, tc := range []struct {
		name   string
		second map[string]string
		want   []string
	}{
		{"other bytes", map[string]string{"a": "1", "b": "3"}, []string{"output b", digest("2"), digest("3")}},
		{"one less", map[string]string{"a": "1"}, []string{"output b is " + digest("2"), "absent in the second"}},
		{"one more", map[string]string{"a": "1", "b": "2", "c": "3"}, []string{"output c is absent in the first", digest("3")}},
		{"other name", map[string]string{"a": "1", "c": "2"}, []string{"output b is " + digest("2"), "absent in the second"}},
		{"nothing", nil, []string{"output a is " + digest("1")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := mustOpen(t, t.TempDir())
			first := commitFiles(t, c, abc, map[string]string{"a": "1", "b": "2"})
			_, err := writeBuild(t, c, KeyOf(abc), tc.second).Commit("eval", abc, Provenance{})
			var conflict *Conflict
			if !errors.As(err, &conflict) {
				t.Fatalf("error %v, want a *Conflict", err)
			}
			for _, part := range tc.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q, want %q", err, part)
				}
			}
			if got, err := c.Lookup(KeyOf(abc)); err != nil || cmp.Diff(first, got) != "" {
				t.Errorf("the first entry did not stay: %v, %v", got, err)
			}
			if n := readNames(c.path("tmp")); len(n) != 0 {
				t.Errorf("tmp holds %q", n)
			}
		})
	}
}

// An entry whose blob is lost, of a step that gives other bytes each time, must not block its key
// for ever.
func TestUnusableEntryGivesWay(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	commitFiles(t, c, abc, map[string]string{"a": "once"})
	if err := os.Remove(c.blobPath(DigestOf([]byte("once")))); err != nil {
		t.Fatal(err)
	}
	e := commitFiles(t, c, abc, map[string]string{"a": "twice"})
	got, err := c.Lookup(KeyOf(abc))
	if err != nil || cmp.Diff(e, got) != "" {
		t.Errorf("Lookup = %v, %v", got, err)
	}
	if n := readNames(c.path("quarantine")); len(n) != 1 || !strings.HasPrefix(n[0], KeyOf(abc).String()) {
		t.Errorf("quarantine holds %q, want the first entry", n)
	}
}

func TestCommitRefuses(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "input")
	for _, tc := range []struct {
		name, kind string
		p          Provenance
		in         []KeyInput // nil: those of the key
		make       func(dir string) error
		want       string
	}{
		{name: "symbolic link", make: func(d string) error { return os.Symlink(outside, filepath.Join(d, "l")) }, want: "output \"l\" is not a regular file"},
		{name: "link to a directory", make: func(d string) error { return os.Symlink("/", filepath.Join(d, "l")) }, want: "is not a regular file"},
		{name: "hard link", make: func(d string) error { return os.Link(outside, filepath.Join(d, "l")) }, want: "has 2 hard links"},
		{name: "pipe", make: func(d string) error { return syscall.Mkfifo(filepath.Join(d, "p"), 0o666) }, want: "is not a regular file"},
		{name: "line feed", make: func(d string) error { return os.WriteFile(filepath.Join(d, "a\nb"), nil, 0o666) }, want: "control character"},
		{name: "backslash", make: func(d string) error { return os.WriteFile(filepath.Join(d, `a\b`), nil, 0o666) }, want: "backslash"},
		{name: "not UTF-8", make: func(d string) error { return os.WriteFile(filepath.Join(d, "a\xff"), nil, 0o666) }, want: "plain relative path"},
		{name: "no directory", make: os.RemoveAll, want: "no such file"},
		{name: "no kind", kind: "-", want: "kind"},
		{name: "other key inputs", in: worked, want: "its key inputs give key " + KeyOf(worked).String()},
		{name: "wall time is no number", p: Provenance{WallSeconds: math.NaN()}, want: "NaN"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := mustOpen(t, t.TempDir())
			os.Remove(outside)
			if err := os.WriteFile(outside, []byte("input"), 0o644); err != nil {
				t.Fatal(err)
			}
			b := writeBuild(t, c, KeyOf(abc), map[string]string{"good": "good"})
			if tc.make != nil {
				if err := tc.make(b.Dir); err != nil {
					t.Fatal(err)
				}
			}
			in, kind := abc, "eval"
			if tc.in != nil {
				in = tc.in
			}
			if tc.kind != "" {
				kind = ""
			}
			_, err := b.Commit(kind, in, tc.p)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			wantMiss(t, c, KeyOf(abc), Absent, "")
			if u, err := c.Usage(); err != nil || u.Blobs.Files != 0 {
				t.Errorf("a refused commit left %d blobs, %v", u.Blobs.Files, err)
			}
			if fi, err := os.Stat(outside); err != nil || fi.Mode().Perm() != 0o644 {
				t.Errorf("the input outside has mode %v, %v", fi.Mode(), err)
			}
			if err := b.Abort(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestCommitOfNothingAndEmptyDirectories(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	b := writeBuild(t, c, KeyOf(abc), nil)
	if err := os.Mkdir(filepath.Join(b.Dir, "empty"), 0o777); err != nil {
		t.Fatal(err)
	}
	want, err := b.Commit("eval", abc, Provenance{})
	if err != nil || len(want.Outputs) != 0 {
		t.Fatalf("Commit = %v, %v", want, err)
	}
	if got, err := c.Lookup(KeyOf(abc)); err != nil || cmp.Diff(want, got) != "" {
		t.Errorf("Lookup = %v, %v", got, err)
	}
}

// The tree may have been tidied by someone who removed what was empty.
func TestMissingDirectoriesComeBack(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	b := writeBuild(t, c, KeyOf(abc), map[string]string{"a": "x"})
	if err := errors.Join(os.RemoveAll(c.path("blobs")), os.RemoveAll(c.path("entries")), os.RemoveAll(c.path("memo"))); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Commit("eval", abc, Provenance{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Lookup(KeyOf(abc)); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestConcurrentCommitsInOneProcess(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	const workers, steps = 8, 12
	var wg sync.WaitGroup
	entries := make([][steps]*Entry, workers)
	for w := range workers {
		wg.Go(func() {
			for i := range steps {
				in := benchKeyInputs((i + w) % steps)
				b, err := c.Begin(KeyOf(in))
				if err == nil {
					err = os.WriteFile(filepath.Join(b.Dir, "shared"), []byte("the same in all"), 0o666)
				}
				if err == nil {
					err = os.WriteFile(filepath.Join(b.Dir, "own"), []byte(in[2].Value), 0o666)
				}
				if err == nil {
					entries[w][(i+w)%steps], err = b.Commit("eval", in, Provenance{Threads: w})
				}
				if err == nil {
					_, err = c.Lookup(KeyOf(in))
				}
				if err != nil {
					t.Errorf("worker %d, step %d: %v", w, i, err)
				}
			}
		})
	}
	wg.Wait()
	for w := range workers {
		for i := range steps {
			if d := cmp.Diff(entries[0][i], entries[w][i]); d != "" {
				t.Errorf("step %d, worker %d got another entry:\n%s", i, w, d)
			}
		}
	}
	if problems, err := c.Verify(t.Context(), nil); err != nil || len(problems) != 0 {
		t.Errorf("Verify: %v, %v", problems, err)
	}
	if n := readNames(c.path("tmp")); len(n) != 0 {
		t.Errorf("tmp holds %q", n)
	}
}

func TestSweep(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	if _, known := processStart(os.Getpid()); !known {
		t.Fatal("this process is not alive")
	}
	parts := strings.Split(c.owner, ".")
	name := func(host, space, pid, start string) string {
		return strings.Join([]string{host, space, pid, start, "123"}, ".")
	}
	// Process ids end at 4194304 on Linux, so this one is never alive.
	const noPid = "99999999"
	cases := []struct {
		name, file  string
		now, inTime bool // swept now, swept after a week
	}{
		{"ours", c.owner + ".123", false, parts[3] == "0"},
		{"dead process of this host", name(parts[0], parts[1], noPid, parts[3]), true, true},
		{"process id used again", name(parts[0], parts[1], parts[2], parts[3]+"0"), parts[3] != "0", true},
		{"another name space", name(parts[0], parts[1]+"0", noPid, parts[3]), false, true},
		{"this boot under another host name", name("x"+parts[0], parts[1], noPid, parts[3]), true, true},
		{"another machine of this host name", name(parts[0], "0123456789abcdef-"+nameSpace(), noPid, parts[3]), false, true},
		{"this host as earlier versions named it", name(parts[0], strings.Split(nameSpace(), "-")[0], noPid, parts[3]), false, true},
		{"a process that could not tell its space", name(parts[0], noSpace, noPid, parts[3]), false, true},
		{"no owner", "strange", false, true},
		{"process id no number", name(parts[0], parts[1], "x", parts[3]), false, true},
	}
	exists := func(file string) bool {
		_, err := os.Lstat(c.path("tmp", file))
		return err == nil
	}
	for _, tc := range cases {
		dir := c.path("tmp", tc.file)
		if err := errors.Join(os.Mkdir(dir, 0o777), os.WriteFile(filepath.Join(dir, "f"), nil, 0o444)); err != nil {
			t.Fatal(err)
		}
	}
	c.sweep(time.Now())
	for _, tc := range cases {
		if exists(tc.file) == tc.now {
			t.Errorf("%s: swept %v, want %v", tc.name, !exists(tc.file), tc.now)
		}
	}
	// Old directories whose newest file is fresh are in use.
	old := time.Now().Add(-2 * abandoned)
	for _, tc := range cases {
		if exists(tc.file) {
			if err := os.Chtimes(c.path("tmp", tc.file), old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.sweep(time.Now())
	for _, tc := range cases {
		if exists(tc.file) == tc.now {
			t.Errorf("%s, fresh inside: swept %v, want %v", tc.name, !exists(tc.file), tc.now)
		}
	}
	c.sweep(time.Now().Add(abandoned + time.Hour))
	for _, tc := range cases {
		if exists(tc.file) == tc.inTime {
			t.Errorf("%s, a week later: swept %v, want %v", tc.name, !exists(tc.file), tc.inTime)
		}
	}
}
