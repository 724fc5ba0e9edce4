package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"ablate/cache"
	"ablate/cmd/internal/output"
)

// The torture tests disturb runs of a small study - by kill -9, signals, full disks, failing calls,
// damaged files, clocks - then run it undisturbed and want what a calm run gives, bit for bit, and
// a cache in order (settle says what that is). `go test` does a few rounds of a fixed seed; `make
// torture` many of a new one. A failure names the seed: -torture.seed repeats its choices, though
// not what a scheduler did.
var (
	tortureRounds = flag.Int("torture", 0, "rounds of the torture tests: so many kills, and as much of the rest as fits beside them; 0: a few")
	tortureSeed   = flag.Uint64("torture.seed", 1, "seed of what the torture tests choose; 0: a new one")
)

// hung is how long a run of the study may take. It needs about a second, but the sign of life of a
// claim whose owner was changed is awaited for five minutes.
const hung = 8 * time.Minute

// torture is one directory with the study, its texts, a cache and an output directory.
type torture struct {
	t      *testing.T
	rand   *rand.Rand
	dir    string
	cache  string
	env    []string
	calm   *calm
	faults int            // so far, each counted as often as steps could be under way
	trains map[string]int // key of a training -> how often it was begun, in all runs
}

// calm is what a run that nobody disturbed gives.
type calm struct {
	artifacts []string // outputs of every entry
	out       map[string]string
	entries   int
	trainings map[string]bool // keys
	took      time.Duration   // the least that was seen
}

var theCalm *calm // done once

// rounds is how many rounds of a test to do: a few, or a share of what was asked for.
func rounds(few, per int) int {
	if *tortureRounds == 0 {
		return few
	}
	return max(few, *tortureRounds/per)
}

var newSeed = sync.OnceValue(func() uint64 {
	if *tortureSeed == 0 {
		return rand.Uint64()
	}
	return *tortureSeed
})

// newTorture prepares a test, and does the calm run if it is the first.
func newTorture(t *testing.T) *torture {
	seed := newSeed()
	t.Logf("-torture.seed %d", seed)
	h := &torture{t: t, rand: rand.New(rand.NewPCG(seed, uint64(len(t.Name()))))}
	h.fresh()
	if theCalm == nil {
		began := time.Now()
		h.must()
		c := &calm{took: time.Since(began), artifacts: h.artifacts(), out: h.out(), trainings: map[string]bool{}}
		h.entries(func(e *cache.Entry) {
			c.entries++
			if e.Kind == "train" {
				c.trainings[e.Key.String()] = true
			}
		})
		if len(c.trainings) < 3 {
			t.Fatalf("the study has %d trainings, too few to disturb", len(c.trainings))
		}
		t.Logf("a calm run: %d steps, %d of them trainings, %.2fs", c.entries, len(c.trainings), c.took.Seconds())
		theCalm = c
		h.fresh()
	}
	h.calm = theCalm
	return h
}

// fresh begins a round: an empty directory with the study in it.
func (h *torture) fresh() {
	if h.dir != "" { // thousands of rounds fill a disk
		os.RemoveAll(h.dir)
	}
	dir, err := filepath.EvalSymlinks(h.t.TempDir()) // as the kernel names it
	if err != nil {
		h.t.Fatal(err)
	}
	h.dir = dir
	h.prepare()
}

// prepare puts the study into the directory.
func (h *torture) prepare() {
	h.t.Helper()
	env := &testscript.Env{WorkDir: h.dir}
	if err := setup(env); err != nil {
		h.t.Fatal(err)
	}
	h.cache = filepath.Join(h.dir, "cache")
	h.env = append(os.Environ(), append(env.Vars, "HOME="+h.dir, "GOTRACEBACK=all")...)
	h.faults, h.trains = 0, map[string]int{}
}

// command is a run of the study that has not begun.
func (h *torture) command(args ...string) (*exec.Cmd, *bytes.Buffer) {
	h.t.Helper()
	self, err := exec.LookPath("ablate") // which TestMain put there
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), hung)
	h.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, append([]string{"run", "study.yaml", "--out", "out", "--json"}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) } // a run that hangs says where
	cmd.WaitDelay = 10 * time.Second
	var stderr bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = h.dir, h.env, new(bytes.Buffer), &stderr
	return cmd, &stderr
}

// wait waits for a run and counts the trainings that it began. It returns the exit code, -1 for a
// run that a signal ended.
func (h *torture) wait(cmd *exec.Cmd, stderr *bytes.Buffer) int {
	h.t.Helper()
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		h.t.Fatalf("%v\n%s", err, stderr)
	}
	began := map[string]bool{}
	for line := range bytes.Lines(cmd.Stdout.(*bytes.Buffer).Bytes()) {
		var e struct{ Event, Key, Step string }
		if json.Unmarshal(line, &e) != nil {
			continue // cut short by a kill
		}
		switch e.Event {
		case "started":
			began[e.Key] = true
		case "reused": // it had begun to look, and found what another made
			delete(began, e.Key)
		}
	}
	for key := range began {
		h.trains[key]++
	}
	code := cmd.ProcessState.ExitCode()
	if s := stderr.String(); strings.Contains(s, "internal error") || strings.Contains(s, "panic:") || strings.Contains(s, "goroutine ") || code > 3 && code != exitInterrupted {
		h.t.Fatalf("exit code %d\n%s", code, s)
	}
	return code
}

// run runs the study to its end and returns exit code and stderr.
func (h *torture) run(args ...string) (int, string) {
	h.t.Helper()
	cmd, stderr := h.command(args...)
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	return h.wait(cmd, stderr), stderr.String()
}

// must runs the study, and it must end well.
func (h *torture) must(args ...string) string {
	h.t.Helper()
	code, stderr := h.run(args...)
	if code != exitDone {
		h.t.Fatalf("exit code %d, want a run that ends well\n%s", code, stderr)
	}
	return stderr
}

// entries calls f for every entry.
func (h *torture) entries(f func(*cache.Entry)) {
	h.t.Helper()
	c, err := cache.Open(h.cache)
	if err != nil {
		h.t.Fatal(err)
	}
	defer c.Close()
	for e, err := range c.Entries() {
		if err != nil {
			h.t.Fatal(err)
		}
		f(e)
	}
}

func (h *torture) artifacts() []string {
	h.t.Helper()
	var lines []string
	h.entries(func(e *cache.Entry) {
		for _, o := range e.Outputs {
			lines = append(lines, fmt.Sprintf("%s %s %s %s", e.Kind, e.Key, o.Name, o.Digest))
		}
	})
	slices.Sort(lines)
	return lines
}

// out is what the output directory holds of results. Reports and provenance tell of times and
// machines too.
func (h *torture) out() map[string]string {
	h.t.Helper()
	m := map[string]string{}
	root := filepath.Join(h.dir, "out")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if strings.HasPrefix(d.Name(), ".") && d.Name() != output.MarkFile {
			h.t.Errorf("%s was left behind", path)
		}
		if ext := filepath.Ext(path); ext == ".csv" || ext == ".parquet" || ext == ".svg" {
			data, err := os.ReadFile(path)
			m[strings.TrimPrefix(path, root)] = string(data)
			return err
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	if len(m) < 4 {
		h.t.Errorf("%s holds %d files of results", root, len(m))
	}
	return m
}

// settle runs the study undisturbed and checks what must hold after any fault: it ends well; there
// is one entry per step, with the outputs of a calm run; the files of results are those of a calm
// run; every blob and entry verifies; no training was begun more often than there were reasons;
// after gc nothing is left that is under way or temporary, and nothing that is needed went.
func (h *torture) settle(what string) {
	h.t.Helper()
	h.must()
	h.check(what)
}

func (h *torture) check(what string) {
	h.t.Helper()
	got := h.artifacts()
	if !slices.Equal(got, h.calm.artifacts) {
		h.t.Errorf("%s: the cache holds\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(h.calm.artifacts, "\n"))
	}
	out := h.out()
	for name, want := range h.calm.out {
		if out[name] != want {
			h.t.Errorf("%s: out%s is not that of a calm run", what, name)
		}
	}
	trainings := 0
	for key, n := range h.trains {
		if h.calm.trainings[key] {
			trainings += n
		}
	}
	if most := len(h.calm.trainings) + h.faults; trainings > most {
		h.t.Errorf("%s: %d trainings began, want %d steps and one for each of %d faults", what, trainings, len(h.calm.trainings), h.faults)
	}
	c, err := cache.Open(h.cache)
	if err != nil {
		h.t.Fatal(err)
	}
	defer c.Close()
	if problems, err := c.Verify(h.t.Context(), nil); err != nil || len(problems) > 0 {
		h.t.Errorf("%s: verify: %v, %v", what, problems, err)
	}
	roots, err := c.Roots()
	if err != nil {
		h.t.Fatalf("%s: %v", what, err)
	}
	keep := map[cache.Key]bool{}
	for _, r := range roots {
		for _, k := range r.Keys {
			keep[k] = true
		}
	}
	freed, err := c.GC(h.t.Context(), keep, cache.Rules{})
	if err != nil {
		h.t.Fatalf("%s: gc: %v", what, err)
	}
	if len(freed.Removed) > 0 || len(freed.Live) > 0 {
		h.t.Errorf("%s: gc removed %d entries of the study, and took %d runs to be under way", what, len(freed.Removed), len(freed.Live))
	}
	for _, top := range []string{"tmp", "claims", "runs", "partial", "conflicts"} {
		left, _ := filepath.Glob(filepath.Join(h.cache, top, "*"))
		if len(left) > 0 {
			h.t.Errorf("%s: after gc %s holds %q", what, top, left)
		}
	}
	if h.t.Failed() {
		h.t.Fatalf("stopped at the first round that failed: %s; -torture.seed %d", what, newSeed())
	}
}
