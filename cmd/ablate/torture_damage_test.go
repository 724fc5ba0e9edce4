package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ablate/cache"
)

// unfinished leaves a cache with everything in it that a cache may hold: entries and blobs, a memo,
// the root of a run that ended, and of one that was killed in a training that it had saved: a run,
// a claim, a build and a partial.
func (h *torture) unfinished() {
	h.t.Helper()
	h.must("--corpus")
	for range 50 {
		cmd, stderr := h.command("--save-every", "1ms", "--jobs", "1")
		if err := cmd.Start(); err != nil {
			h.t.Fatal(err)
		}
		ended := make(chan int, 1)
		go func() {
			for deadline := time.Now().Add(hung); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
				if saved, _ := filepath.Glob(filepath.Join(h.cache, "partial", "*", "step-*", "state.json")); len(saved) > 0 {
					break
				}
				if cmd.Process.Signal(syscall.Signal(0)) != nil {
					break
				}
			}
			cmd.Process.Kill()
			ended <- 0
		}()
		code := h.wait(cmd, stderr)
		<-ended
		h.faults++
		if saved, _ := filepath.Glob(filepath.Join(h.cache, "partial", "*", "step-*", "state.json")); len(saved) > 0 {
			return
		}
		if code == exitDone {
			h.t.Fatal("the run ended before it was killed")
		}
	}
	h.t.Fatal("no kill met a training that was saved")
}

var (
	hexName  = regexp.MustCompile(`[0-9a-f]{32,64}`)
	fanName  = regexp.MustCompile(`/[0-9a-f]{2}(/|$)`)
	tempName = regexp.MustCompile(`/(tmp|runs)/[^/]+`)
	outTemp  = regexp.MustCompile(`\.ablate-[^/]+`)
	stepName = regexp.MustCompile(`step-[0-9]+`)
	memoName = regexp.MustCompile(`/memo/.*`)
)

// fileSort names what sort of file a path below the directory of a test is: digests, numbers and
// random ends are all one.
func fileSort(path string) string {
	path = tempName.ReplaceAllString(path, "/$1/NAME")
	path = memoName.ReplaceAllString(path, "/memo/HOST")
	path = hexName.ReplaceAllString(path, "KEY")
	path = fanName.ReplaceAllString(path, "/ab$1")
	path = outTemp.ReplaceAllString(path, "TEMP")
	return stepName.ReplaceAllString(path, "step-N")
}

// sorts gathers the files of the cache by sort: blobs by what their entry calls them, without the
// names of partitions and numbers.
func (h *torture) sorts() map[string][]string {
	h.t.Helper()
	names := map[string]string{}
	c, err := cache.OpenRead(h.cache)
	if err != nil {
		h.t.Fatal(err)
	}
	defer c.Close()
	for e, err := range c.Entries() {
		if err != nil {
			h.t.Fatal(err)
		}
		for _, o := range e.Outputs {
			dir, _, _ := strings.Cut(o.Name, "/")
			if dir == o.Name {
				dir = ""
			}
			ext := filepath.Ext(o.Name)
			if dir == "" {
				ext = o.Name
			}
			names[o.Digest.String()] = strings.Join([]string{"blob", e.Kind, dir, ext}, " ")
		}
	}
	m := map[string][]string{}
	err = filepath.WalkDir(h.cache, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		sort := fileSort(strings.TrimPrefix(path, h.dir))
		if name, ok := names[d.Name()]; ok {
			sort = name
		}
		m[sort] = append(m[sort], path)
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return m
}

// damages are what happens to the bytes of a file, at a random place.
var damages = []struct {
	name string
	do   func(h *torture, b []byte) []byte
}{
	{"a bit flipped", func(h *torture, b []byte) []byte {
		if len(b) > 0 {
			b[h.rand.IntN(len(b))] ^= 1 << h.rand.IntN(8)
		}
		return b
	}},
	{"torn", func(h *torture, b []byte) []byte { return b[:h.rand.IntN(max(1, len(b)))] }},
	{"emptied", func(*torture, []byte) []byte { return nil }},
	{"zeros from here on", func(h *torture, b []byte) []byte {
		if len(b) > 0 {
			clear(b[h.rand.IntN(len(b)):])
		}
		return b
	}},
	{"longer", func(h *torture, b []byte) []byte { return append(b, b[:min(len(b), 100)]...) }},
}

// damage damages a file in place, as a disk does: its name, mode and times of change but the last
// stay.
func (h *torture) damage(path string) string {
	h.t.Helper()
	d := damages[h.rand.IntN(len(damages))]
	data, err := os.ReadFile(path)
	if err != nil {
		h.t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		h.t.Fatal(err)
	}
	err = errors.Join(os.Chmod(path, 0o644), os.WriteFile(path, d.do(h, data), 0o644), os.Chmod(path, info.Mode().Perm()), os.Chtimes(path, info.ModTime(), info.ModTime()))
	if err != nil {
		h.t.Fatal(err)
	}
	return d.name + ": " + strings.TrimPrefix(path, h.dir)
}

// TestTortureDamage flips bits in and tears files of every sort that a cache holds. Each is found
// and computed again, or does not matter; only a damaged version ends the run, which names it.
func TestTortureDamage(t *testing.T) {
	h := newTorture(t)
	met := map[string]int{}
	for round := range rounds(2, 2) {
		whole := round%2 == 0
		if whole {
			h.must()
		} else {
			h.unfinished()
		}
		sorts := h.sorts()
		var done []string
		for _, sort := range slices.Sorted(maps.Keys(sorts)) {
			switch {
			case *tortureRounds > 0 && h.rand.IntN(4) > 0: // a few at once: what one hides, another round finds
				continue
			case *tortureRounds == 0 && sort == "/cache/claims/KEY": // a run waits for minutes; TestTornClaim of package cache does not
				continue
			}
			path := sorts[sort][h.rand.IntN(len(sorts[sort]))]
			was, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			what := h.damage(path)
			met[sort]++
			if sort == "/cache/version" {
				now, _ := os.ReadFile(path)
				if code, stderr := h.run(); string(now) != string(was) && (code != exitFailed || !strings.Contains(stderr, "version")) {
					t.Fatalf("%s: exit code %d\n%s", what, code, stderr)
				}
				os.WriteFile(path, was, 0o644)
				continue
			}
			done = append(done, what)
		}
		h.faults += len(done)
		h.settle(fmt.Sprintf("round %d:\n%s\n", round, strings.Join(done, "\n")))
		h.fresh()
	}
	t.Logf("%d sorts of files damaged", len(met))
	if 0 < *tortureRounds && *tortureRounds < 100 {
		return
	}
	for _, want := range []string{"/cache/version", "/cache/entries/ab/KEY", "/cache/memo/HOST", "/cache/runs/NAME", "/cache/roots/KEY",
		"/cache/partial/KEY/step-N/model.safetensors", "/cache/partial/KEY/step-N/state.json", "blob train  model.safetensors", "blob tokenize  tokens.arrow",
		"blob eval  losses.parquet", "blob tokenizer  tokenizer.json"} {
		if met[want] == 0 {
			t.Errorf("no file %s was damaged, of %q", want, slices.Sorted(maps.Keys(met)))
		}
	}
}

// TestTortureVerify wants each damaged blob and entry found by verify, before any run heals them.
func TestTortureVerify(t *testing.T) {
	h := newTorture(t)
	for round := range rounds(1, 20) {
		h.must()
		damaged := map[string]string{}
		for sort, paths := range h.sorts() {
			if !strings.HasPrefix(sort, "blob ") && sort != "/cache/entries/ab/KEY" {
				continue
			}
			path := paths[h.rand.IntN(len(paths))]
			was, _ := os.ReadFile(path)
			what := h.damage(path)
			if now, _ := os.ReadFile(path); string(now) != string(was) {
				damaged[strings.TrimPrefix(path, h.cache+"/")] = what
			}
		}
		c, err := cache.Open(h.cache)
		if err != nil {
			t.Fatal(err)
		}
		problems, err := c.Verify(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			delete(damaged, p.Path)
		}
		if len(damaged) > 0 || len(problems) == 0 {
			t.Errorf("verify told %v, and not of %v", problems, damaged)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		h.faults += len(problems)
		h.settle(fmt.Sprintf("round %d", round))
		h.fresh()
	}
}

// TestTortureClock moves the times of all files by years, as a clock that jumps leaves them, in a
// whole cache and in one of a run that was killed. Nothing is computed again for it.
func TestTortureClock(t *testing.T) {
	h := newTorture(t)
	for round := range rounds(2, 8) {
		whole := round%2 == 0
		if whole {
			h.must()
		} else {
			h.unfinished()
		}
		was := h.artifacts()
		err := filepath.WalkDir(h.dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			to := time.Unix(h.rand.Int64N(130*365*24*3600), h.rand.Int64N(1e9)) // 1970 to 2100
			return os.Chtimes(path, to, to)
		})
		if err != nil {
			t.Fatal(err)
		}
		h.settle(fmt.Sprintf("round %d of moved times", round))
		began := map[string]bool{}
		for _, line := range was {
			began[strings.Fields(line)[1]] = true
		}
		for key, n := range h.trains {
			if began[key] && n > 1 {
				t.Fatalf("step %s was there and began again because file times had moved", key)
			}
		}
		h.fresh()
	}
}
