package exec_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"ablate/cache"
	"ablate/runner"
	"ablate/runner/exec"
	"ablate/runner/exec/local"
	"ablate/runner/runnertest"
	"ablate/stages"
)

// The test binary runs itself as a worker: a process that is given tasks as files and the path of a
// cache, and nothing else.
const workerCache = "ABLATE_TEST_WORKER_CACHE"

func TestMain(m *testing.M) {
	dir := os.Getenv(workerCache)
	if dir == "" {
		goleak.VerifyTestMain(m) // fails when a goroutine is left after the tests
		return
	}
	if err := work(dir, os.Args[1:]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// work carries out the tasks in files.
func work(dir string, files []string) error {
	c, err := cache.Open(dir)
	if err != nil {
		return err
	}
	w := exec.Worker{Cache: c, Kinds: stages.Kinds(), Version: "worker"}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		t, err := exec.DecodeTask(text)
		if err != nil {
			return err
		}
		rep := w.Do(context.Background(), t, exec.Grant{Threads: 1}, func(exec.Report) {})
		if rep.Err != nil {
			return fmt.Errorf("%s: %w", t.Step, rep.Err)
		}
		if rep.Found {
			return fmt.Errorf("%s: the worker found the entry, so it showed nothing", t.Step)
		}
	}
	return c.Close()
}

// recorder is the executor of this process, which writes every task to a file.
type recorder struct {
	*local.Local
	t     *testing.T
	dir   string
	tasks []*exec.Task
	files []string
}

func (r *recorder) Submit(t *exec.Task) {
	text, err := t.Encode()
	path := filepath.Join(r.dir, fmt.Sprintf("%03d.json", len(r.tasks)))
	if err = errors.Join(err, os.WriteFile(path, text, 0o666)); err != nil {
		r.t.Error(err)
	}
	r.tasks, r.files = append(r.tasks, t), append(r.files, path)
	r.Local.Submit(t)
}

// A task suffices: a process that has the tasks of a study as files, and a cache of its own, makes
// the entries that the runner makes, to the byte of their outputs.
func TestTasksSuffice(t *testing.T) {
	mine, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	p := runnertest.Plan(t, t.TempDir())
	r := &recorder{
		Local: local.New(exec.Worker{Cache: mine, Kinds: stages.Kinds(), Version: "test"}, local.Machine{Cores: 2, Memory: 1 << 30}),
		t:     t, dir: t.TempDir(),
	}
	state, err := runner.Run(t.Context(), p, runner.Options{Cache: mine, Kinds: stages.Kinds(), Slots: 2, Began: "2024-01-02T03:04:05Z", Executor: r})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, task := range r.tasks {
		kinds[task.Kind] = true
	}
	// The study stores no merge, and does not ask for the proxy that is an ensemble.
	if len(r.tasks) != len(p.Steps) || len(kinds) != len(stages.Kinds())-2 {
		t.Fatalf("%d tasks of %d steps, of kinds %v", len(r.tasks), len(p.Steps), kinds)
	}

	// The worker has another working directory and another cache. Order is all that its caller
	// knows.
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	theirDir := t.TempDir()
	cmd := osexec.CommandContext(t.Context(), self, r.files...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), workerCache+"="+theirDir)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the worker failed: %v\n%s", err, text)
	}
	theirs, err := cache.Open(theirDir)
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	for i, step := range p.Steps {
		entry, err := theirs.Lookup(state.Keys[i])
		if err != nil {
			t.Fatalf("step %s: %v", step.ID, err)
		}
		want := state.Entries[i]
		if !slices.Equal(entry.Outputs, want.Outputs) || len(want.Outputs) == 0 {
			t.Errorf("step %s: the worker's outputs are %v, want %v", step.ID, entry.Outputs, want.Outputs)
		}
		if !slices.Equal(entry.KeyInputs, want.KeyInputs) || entry.Kind != want.Kind {
			t.Errorf("step %s: the worker's entry has other key inputs", step.ID)
		}
		// The first step of equal keys gives an entry its name.
		was := want.Provenance
		if got := entry.Provenance; got.Step != was.Step || got.Study != "tiny" || got.Run != "2024-01-02T03:04:05Z" || got.Ablate != "worker" || was.Ablate != "test" {
			t.Errorf("step %s: the worker's provenance is %+v, the runner's %+v", step.ID, got, was)
		}
	}
	// Who plans on the worker's cache has nothing left to do.
	again, err := p.Resolve(stages.Kinds(), theirs.Lookup)
	if err != nil {
		t.Fatal(err)
	}
	if hit, _, _ := again.Count(); hit != len(p.Steps) {
		t.Errorf("%d of %d steps are hits", hit, len(p.Steps))
	}
}
