package cache

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"
)

// TestTornClaim: a claim that names nobody, after a power cut say, is waited for no longer than a
// beat and, once its step is done, removed.
func TestTornClaim(t *testing.T) {
	for _, text := range []string{"", claimHead, claimHead + "owner vm.40", "owner vm.1.2.3\n", "\x00\x00\x00"} {
		dir := t.TempDir()
		c := mustOpen(t, dir)
		now := time.Now()
		c.now = func() time.Time { return now }
		key := KeyOf(abc)
		mustClaim(t, c, key)
		overwrite(t, c.path("claims", key.String()), func([]byte) []byte { return []byte(text) })
		w := mustWatch(t, c, key)
		now = now.Add(29 * time.Second)
		wantOver(t, w, 5*time.Minute, false, "")
		now = now.Add(time.Second)
		wantOver(t, w, 5*time.Minute, true, "an unknown process sent no heartbeat for 30s")
		mustClaim(t, c, key)
		overwrite(t, c.path("claims", key.String()), func([]byte) []byte { return []byte(text) })
		if again := mustOpen(t, dir); len(readNames(again.path("claims"))) != 1 {
			t.Errorf("%q: the claim of a step that is not done went", text)
		}
		commitFiles(t, c, abc, map[string]string{"a": "x"})
		if again := mustOpen(t, dir); len(readNames(again.path("claims"))) != 0 {
			t.Errorf("%q: the claim stays for ever", text)
		}
	}
}

// TestSweepByTheClockOfTheDisk: where the clock of this machine is a month ahead of that of the
// disk, what others are at is not old.
func TestSweepByTheClockOfTheDisk(t *testing.T) {
	dir := t.TempDir()
	c := mustOpen(t, dir)
	month := time.Now().Add(-30 * 24 * time.Hour)
	build := c.path("tmp", "far.1.2.3.build")
	if err := os.Mkdir(build, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(build, month, month); err != nil {
		t.Fatal(err)
	}
	behind := realDisk()
	behind.mkdirTemp = func(dir, pattern string) (string, error) {
		name, err := os.MkdirTemp(dir, pattern)
		if err == nil {
			err = os.Chtimes(name, month, month)
		}
		return name, err
	}
	if _, err := open(dir, behind); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(build); err != nil {
		t.Errorf("the build of a machine that is at work went: %v", err)
	}
	mustOpen(t, dir) // by a disk of this clock it is old
	if _, err := os.Stat(build); err == nil {
		t.Error("the build of nobody stays")
	}
}

// TestClockJumps lets the clock of two runs jump by years, back and forth, at every look at it:
// they find what they stored, and one result of each step.
func TestClockJumps(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	jumps := func() time.Time { return time.Now().AddDate(r.IntN(60)-30, 0, r.IntN(300)) }
	dir := t.TempDir()
	want := map[Key][]Output{}
	for range 4 {
		var both [2]*Cache
		for i := range both {
			both[i] = mustOpen(t, dir)
			both[i].now = jumps
			if err := both[i].Register("s", "/s.yaml"); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 20 {
			c, other := both[r.IntN(2)], both[r.IntN(2)]
			key := KeyOf(benchKeyInputs(i))
			cl, w, err := c.Claim(key, "x", "s")
			if err != nil {
				t.Fatal(err)
			}
			if w == nil {
				_, w, err = other.Claim(key, "x", "s")
			}
			if err != nil || w == nil {
				t.Fatalf("a second claim: %v, %v", w, err)
			}
			if _, _, err := w.Over(5 * time.Minute); err != nil { // broken or not: it costs work at most
				t.Fatal(err)
			}
			for _, c := range []*Cache{c, other} {
				if err := step(c, i); err != nil {
					t.Fatal(err)
				}
				e, err := c.Lookup(key)
				if err != nil {
					t.Fatal(err)
				}
				if want[key] == nil {
					want[key] = e.Outputs
				} else if !slices.Equal(want[key], e.Outputs) {
					t.Errorf("step %d has other outputs than before", i)
				}
			}
			if cl != nil {
				cl.Release()
			}
		}
		for _, c := range both {
			freed, err := c.GC(t.Context(), nil, Rules{})
			if err != nil {
				t.Fatal(err)
			}
			if len(freed.Removed) > 0 {
				t.Errorf("gc beside runs under way removed %v", freed.Removed)
			}
		}
		for _, c := range both {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		wantWhole(t, mustOpen(t, dir))
	}
}
