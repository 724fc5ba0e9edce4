package cache

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// madeBy commits a step that took so many seconds and left so many bytes.
func madeBy(t *testing.T, c *Cache, name string, seconds float64, size int, from ...*Entry) *Entry {
	t.Helper()
	in := []KeyInput{{"kind", "train"}, {"name", name}}
	for _, e := range from {
		in = append(in, KeyInput{"input " + e.Provenance.Step, e.Outputs[0].Digest.String()})
	}
	b := writeBuild(t, c, KeyOf(in), map[string]string{"out": name + strings.Repeat(".", size-len(name))})
	e, err := b.Commit("train", in, Provenance{Step: name, Study: "s", WallSeconds: seconds})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func keysOf(entries ...*Entry) map[Key]bool {
	m := map[Key]bool{}
	for _, e := range entries {
		m[e.Key] = true
	}
	return m
}

// mustGC collects as if an hour had passed, so that ticks of file times do not count.
func mustGC(t *testing.T, c *Cache, keep map[Key]bool, rules Rules) *Freed {
	t.Helper()
	if c.ahead == 0 {
		c.ahead = time.Hour
	}
	freed, err := c.GC(t.Context(), keep, rules)
	if err != nil {
		t.Fatal(err)
	}
	return freed
}

func removed(f *Freed) (steps []string) {
	for _, it := range f.Removed {
		steps = append(steps, it.Step)
	}
	return steps
}

func TestGCRules(t *testing.T) {
	const day = 24 * time.Hour
	for _, tc := range []struct {
		name  string
		rules Rules
		ahead time.Duration
		want  []string // removed, in this order
		bytes int64    // of blobs freed
	}{
		{"all that no root holds, the cheapest first", Rules{}, 0, []string{"cheap", "middle", "dear"}, 3000},
		{"young ones stay", Rules{OlderThan: day}, day - time.Hour, nil, 0},
		{"old ones go", Rules{OlderThan: day}, day + time.Hour, []string{"cheap", "middle", "dear"}, 3000},
		{"dear ones stay", Rules{KeepCost: time.Minute}, 0, []string{"cheap", "middle"}, 2000},
		{"as many as there is room for stay", Rules{MaxSize: 4000}, 0, []string{"cheap", "middle"}, 2000},
		{"there is room for all", Rules{MaxSize: 1 << 20}, 0, nil, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := mustOpen(t, t.TempDir())
			root := madeBy(t, c, "root", 1, 1000)
			madeBy(t, c, "dear", 100, 1000)
			madeBy(t, c, "cheap", 1, 1000)
			madeBy(t, c, "middle", 10, 1000)
			c.ahead = tc.ahead
			rules := tc.rules
			rules.DryRun = true
			dry := mustGC(t, c, keysOf(root), rules)
			u, err := c.Usage()
			if err != nil || u.Entries.Files != 4 || u.Blobs.Files != 4 {
				t.Fatalf("a dry run left %+v, %v", u, err)
			}
			freed := mustGC(t, c, keysOf(root), tc.rules)
			if got := removed(freed); !slices.Equal(got, tc.want) || !slices.Equal(removed(dry), tc.want) {
				t.Errorf("removed %q, dry %q; want %q", got, removed(dry), tc.want)
			}
			if freed.Blobs.Bytes != tc.bytes || dry.Blobs.Bytes != tc.bytes || freed.After() != dry.After() {
				t.Errorf("freed %d bytes of blobs, dry %d; want %d; after: %d, dry %d", freed.Blobs.Bytes, dry.Blobs.Bytes, tc.bytes, freed.After(), dry.After())
			}
			if u, err = c.Usage(); err != nil || u.Entries.Files != 4-len(tc.want) || u.Orphans.Files != 0 ||
				u.Entries.Bytes+u.Blobs.Bytes != freed.After() {
				t.Errorf("left %+v, %v; said %d bytes", u, err, freed.After())
			}
			if _, err := c.Lookup(root.Key); err != nil {
				t.Error(err)
			}
			wantWhole(t, c)
		})
	}
}

// TestGCShared: a blob goes with the last entry that names it; orphans and forgotten partials go,
// those of builds and of wanted steps stay.
func TestGCShared(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	commitFiles(t, c, abc, map[string]string{"a": "both", "b": "of abc"})
	commitFiles(t, c, worked, map[string]string{"a": "both", "b": "of worked"})
	wanted, err1 := c.Partial(KeyOf(benchKeyInputs(7)))
	other, err2 := c.Partial(KeyOf(nil))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(wanted, "step-1"), "12345")
	writeFile(t, filepath.Join(other, "step-1"), "12345")
	running := writeBuild(t, c, KeyOf(benchKeyInputs(1)), map[string]string{"x": "under way", "y": "of worked"})
	freed := mustGC(t, c, map[Key]bool{KeyOf(abc): true, KeyOf(benchKeyInputs(7)): true}, Rules{})
	if freed.Blobs != (Count{1, 9}) || freed.Partial != (Count{1, 5}) || freed.Entries.Files != 1 {
		t.Errorf("freed %+v", freed)
	}
	if _, err := os.Stat(wanted); err != nil {
		t.Error(err)
	}
	if _, err := c.Lookup(KeyOf(abc)); err != nil {
		t.Error(err)
	}
	if _, err := running.Commit("eval", benchKeyInputs(1), Provenance{}); err != nil {
		t.Errorf("the build under way: %v", err)
	}
	wantWhole(t, c)
}

// TestGCBesideARun: what a run under way looked up stays, though no root holds it, also when it
// began during the collection; and the blob that a commit relies on is not old.
func TestGCBesideARun(t *testing.T) {
	dir := t.TempDir()
	c, run := mustOpen(t, dir), mustOpen(t, dir)
	used, late := madeBy(t, c, "used", 1, 100), madeBy(t, c, "late", 1, 100)
	madeBy(t, c, "loose", 1, 100)
	if err := run.Register("s", "/s.yaml"); err != nil {
		t.Fatal(err)
	}
	if _, err := run.Lookup(used.Key); err != nil {
		t.Fatal(err)
	}
	c.disk.rename = func(from, to string) error { // the run meets the collection before the first entry moves
		c.disk.rename = os.Rename
		if _, err := run.Lookup(late.Key); err != nil {
			t.Error(err)
		}
		return os.Rename(from, to)
	}
	c.ahead = 48 * time.Hour
	freed := mustGC(t, c, nil, Rules{})
	if got := removed(freed); !slices.Equal(got, []string{"loose"}) || len(freed.Live) != 1 || freed.Live[0].Study != "s" {
		t.Errorf("removed %q beside %+v", got, freed.Live)
	}
	for _, e := range []*Entry{used, late} {
		if _, err := run.Lookup(e.Key); err != nil {
			t.Error(err)
		}
	}
	wantWhole(t, c)
	if err := run.Close(); err != nil {
		t.Fatal(err)
	}
	roots, err := c.Roots()
	if err != nil || len(roots) != 1 || roots[0].Live || len(roots[0].Keys) != 2 {
		t.Errorf("roots %+v, %v", roots, err)
	}
}

func TestRenew(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	e := madeBy(t, c, "a", 1, 100)
	d := e.Outputs[0].Digest
	before, _ := os.Lstat(c.blobPath(d))
	for { // until the clock that file times come from has moved
		c.renew(d)
		now, err := os.Lstat(c.blobPath(d))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := stampOf(now); !ok {
			t.Skip("no ctime here")
		}
		if stored(now).After(stored(before)) {
			if !now.ModTime().Equal(blobTime) {
				t.Errorf("mtime %v", now.ModTime())
			}
			if st, _ := stampOf(now); c.memo.blob(d) != st {
				t.Error("the memo does not know the blob any more")
			}
			return
		}
	}
}

func TestRoots(t *testing.T) {
	dir := t.TempDir()
	session := func(path string, whole bool, keys ...int) {
		t.Helper()
		c := mustOpen(t, dir)
		if err := c.Register("a \"study\"\n", path); err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			c.Lookup(KeyOf(benchKeyInputs(k)))
			c.Lookup(KeyOf(benchKeyInputs(k)))
		}
		if err := errors.Join(c.Beat(), c.Unregister(whole), c.Close()); err != nil {
			t.Fatal(err)
		}
	}
	want := func(path string, keys ...int) {
		t.Helper()
		roots, err := mustOpen(t, dir).Roots()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range roots {
			if r.Path != path {
				continue
			}
			if len(r.Keys) != len(keys) || r.Study != "a \"study\"\n" || r.Host != hostName() || r.Live {
				t.Errorf("root %+v", r)
			}
			for _, k := range keys {
				if !slices.Contains(r.Keys, KeyOf(benchKeyInputs(k))) {
					t.Errorf("%s does not hold step %d", path, k)
				}
			}
			return
		}
		t.Errorf("no root %s in %+v", path, roots)
	}
	session("/x", true, 1, 2)
	want("/x", 1, 2)
	session("/x", false, 2, 3) // interrupted: what the last whole run has is wanted still
	want("/x", 1, 2, 3)
	session("/x", true, 3)
	session("/y", true, 4)
	want("/x", 3)
	want("/y", 4)
	if n := readNames(filepath.Join(dir, "runs")); len(n) != 0 {
		t.Errorf("runs holds %q", n)
	}
}

// registersRole registers a run, looks a step up, and dies.
func registersRole(dir, _ string) error {
	c, err := Open(dir)
	if err != nil {
		return err
	}
	if err := c.Register("dead", "/dead.yaml"); err != nil {
		return err
	}
	_, err = c.Lookup(KeyOf(abc))
	return err // without Close
}

func TestRootOfADeadRun(t *testing.T) {
	dir := t.TempDir()
	commitFiles(t, mustOpen(t, dir), abc, map[string]string{"a": "x"})
	if out, err := child(t, "registers", dir, "").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	roots, err := mustOpen(t, dir).Roots()
	if err != nil || len(roots) != 1 || roots[0].Live || roots[0].Study != "dead" || !slices.Equal(roots[0].Keys, []Key{KeyOf(abc)}) {
		t.Errorf("roots %+v, %v", roots, err)
	}
}

// TestDamagedRoot: a run that died and whose file is damaged does not stand in the way of a
// collection for ever; a root that is damaged is not taken for an empty one.
func TestDamagedRoot(t *testing.T) {
	dir := t.TempDir()
	c := mustOpen(t, dir)
	gone := hostName() + "." + space() + ".4194304.1.x" // no process has this number
	if err := os.MkdirAll(c.path("runs"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "\x00\x00", runHead + "study \"s\"\nhost \"h\"\npath \"/tmp", runHead[1:]} {
		writeFile(t, c.path("runs", gone), text)
		again := mustOpen(t, dir)
		if roots, err := again.Roots(); err != nil || len(roots) != 0 {
			t.Errorf("%q: %v, %v", text, roots, err)
		}
	}
	if n := readNames(c.path("quarantine")); len(n) != 4 {
		t.Errorf("quarantine holds %q", n)
	}
	writeFile(t, c.path("runs", gone), "ablate run 2\n") // which a later version will read
	if _, err := mustOpen(t, dir).Roots(); err == nil || !strings.Contains(err.Error(), "use the ablate that wrote it") {
		t.Errorf("error %v", err)
	}
	if err := os.Remove(c.path("runs", gone)); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(c.path("roots"), 0o777); err != nil {
		t.Fatal(err)
	}
	writeFile(t, c.path("roots", strings.Repeat("a", 32)), rootHead+"study \"s\nhost")
	if _, err := mustOpen(t, dir).Roots(); err == nil || !strings.Contains(err.Error(), "remove the file, and run the study again") {
		t.Errorf("error %v", err)
	}
}

// TestRunElsewhere: of a run on another machine only the age of its last sign is known.
func TestRunElsewhere(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	e := madeBy(t, c, "used", 1, 100)
	if err := os.Mkdir(c.path("runs"), 0o777); err != nil {
		t.Fatal(err)
	}
	writeFile(t, c.path("runs", "far.1.2.3.x"), runHead+"study \"s\"\nhost \"far\"\npath \"p\"\nstarted x\nbeat 0\n"+e.Key.String()+"\n")
	c.ahead = runSilence - time.Minute
	if got := removed(mustGC(t, c, nil, Rules{})); len(got) != 0 {
		t.Errorf("removed %q, which a run uses", got)
	}
	c.ahead = runSilence + time.Minute
	if got := removed(mustGC(t, c, nil, Rules{})); len(got) != 1 {
		t.Errorf("removed %q after the run was silent for long", got)
	}
}

func TestRemoveAndDependants(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	corpus := madeBy(t, c, "corpus", 1, 100)
	model := madeBy(t, c, "model", 1, 100, corpus)
	score := madeBy(t, c, "score", 1, 100, model)
	alone := madeBy(t, c, "alone", 1, 100)
	steps := func(items []Item, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var s []string
		for _, it := range items {
			s = append(s, it.Step)
		}
		slices.Sort(s)
		return strings.Join(s, " ")
	}
	for _, tc := range []struct {
		of   []Key
		want string
	}{
		{[]Key{corpus.Key}, "model score"}, {[]Key{model.Key}, "score"}, {[]Key{score.Key, alone.Key}, ""}, {[]Key{corpus.Key, score.Key}, "model"},
	} {
		if got := steps(c.Dependants(tc.of)); got != tc.want {
			t.Errorf("dependants %q, want %q", got, tc.want)
		}
	}
	run := mustOpen(t, c.Dir())
	if err := run.Register("s", "p"); err != nil {
		t.Fatal(err)
	}
	run.Lookup(model.Key)
	for _, tc := range []struct {
		force, dry bool
		want       int
	}{{false, false, 0}, {true, true, 1}, {true, false, 1}} {
		c.ahead = 48 * time.Hour
		freed, err := c.Remove(t.Context(), []Key{model.Key}, tc.force, tc.dry)
		if err != nil || len(freed.Removed) != tc.want || freed.Kept.Roots != 1-tc.want {
			t.Errorf("force %v, dry %v: %+v, %v", tc.force, tc.dry, freed, err)
		}
	}
	wantMiss(t, c, model.Key, Absent, "")
	if _, err := c.Lookup(score.Key); err != nil {
		t.Errorf("the dependant is not whole: %v", err)
	}
	wantWhole(t, c)
}

func TestCollectionOfAReadOnlyCache(t *testing.T) {
	dir := t.TempDir()
	madeBy(t, mustOpen(t, dir), "a", 1, 100)
	c, err := OpenRead(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.GC(t.Context(), nil, Rules{}); !errors.Is(err, os.ErrPermission) {
		t.Errorf("gc: %v", err)
	}
	if _, err := c.Remove(t.Context(), nil, true, false); !errors.Is(err, os.ErrPermission) {
		t.Errorf("rm: %v", err)
	}
	c.ahead = time.Hour
	if freed, err := c.GC(t.Context(), nil, Rules{DryRun: true}); err != nil || len(freed.Removed) != 1 {
		t.Errorf("a dry run: %+v, %v", freed, err)
	}
}
