package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/runner/exec"
	"ablate/runner/exec/exectest"
	"ablate/runner/exec/local"
	"ablate/stages/kind"
)

// cluster is an executor that carries the bench's steps out as a scheduler of another machine
// would.
func (b *bench) cluster() *exectest.Cluster {
	return exectest.NewCluster(exec.Worker{Cache: b.cache, Kinds: b.kinds(), Version: "test"})
}

// through is an executor that lets a test see each task before it is submitted.
type through struct {
	exec.Executor
	task func(*exec.Task)
}

func (t through) Submit(task *exec.Task) {
	t.task(task)
	t.Executor.Submit(task)
}

// local is the executor that the runner has without another one.
func (b *bench) local() exec.Executor {
	return local.New(exec.Worker{Cache: b.cache, Kinds: b.kinds()}, local.Machine{Cores: 2})
}

func outputs(b *bench, s *pipeline.State) string {
	var out strings.Builder
	for i, e := range s.Entries {
		fmt.Fprintln(&out, b.plan.Steps[i].ID, e.Outputs)
	}
	return out.String()
}

// Another executor gives the same results, and what a person is told is the same.
func TestAnotherExecutor(t *testing.T) {
	here, there := newBench(t), newBench(t)
	want := outputs(here, here.mustRun(Options{}))
	c := there.cluster()
	if got := outputs(there, there.mustRun(Options{Executor: c})); got != want {
		t.Errorf("carried out elsewhere the outputs are\n%s\nwant\n%s", got, want)
	}
	if len(c.Sent) != len(there.plan.Steps) {
		t.Errorf("%d tasks were sent, want %d", len(c.Sent), len(there.plan.Steps))
	}
	told := map[What]int{}
	for _, e := range there.events {
		told[e.What]++
	}
	if n := len(there.plan.Steps); told[Started] != n || told[Finished] != n || told[Warning] > 0 {
		t.Errorf("told %v of %d steps", told, n)
	}
	wantNoClaims(t, there)
}

// What a task tells its executor of the step.
func TestTaskOfAStep(t *testing.T) {
	b := newBench(t)
	b.needs = map[string]kind.Needs{kind.Train: {Memory: 5, LeastMemory: 4, Time: 6}}
	tasks := map[string]*exec.Task{}
	b.mustRun(Options{Began: "2024-01-02T03:04:05Z", Executor: through{Executor: b.local(), task: func(task *exec.Task) { tasks[task.Step] = task }}})
	if len(tasks) != len(b.plan.Steps) {
		t.Fatalf("%d tasks of %d steps", len(tasks), len(b.plan.Steps))
	}
	for id, task := range tasks {
		if err := task.Check(); err != nil {
			t.Error(err)
		}
		i, err := b.plan.Find(id)
		if err != nil {
			t.Fatal(err)
		}
		if task.Study != "small" || task.Run != "2024-01-02T03:04:05Z" || task.Attempt != 1 || task.Priority != b.plan.CriticalPathCost(i) {
			t.Errorf("step %s: %+v", id, task)
		}
		if want := b.needs[task.Kind]; task.Needs != want {
			t.Errorf("step %s needs %+v, want %+v", id, task.Needs, want)
		}
	}
	seed, tokens := tasks["seed"].Inputs[0], tasks["tokenizer"].Inputs
	if seed.Raw() || !strings.HasSuffix(seed.Name, " "+kind.UnitOutput("all", 0)) {
		t.Errorf("input of the seed model: %+v", seed)
	}
	raw := slices.IndexFunc(tokens, func(in exec.Input) bool { return in.Role == "file.0" })
	if raw < 0 || !tokens[raw].Raw() || tokens[raw].Name != "seed.jsonl" || tokens[raw].Size != int64(len("text of seed.jsonl")) {
		t.Errorf("inputs of the tokenizer: %+v", tokens)
	}
}

// An input that is there when a task is submitted and gone when the task is begun is made again,
// and the task is begun again, behind the step that makes it.
func TestInputLostOnItsWay(t *testing.T) {
	const victim = "unit/parts/beta/0"
	b := newBench(t)
	lost := false
	attempts := map[string][]int{}
	b.mustRun(Options{Executor: through{Executor: b.local(), task: func(task *exec.Task) {
		attempts[task.Step] = append(attempts[task.Step], task.Attempt)
		if task.Step != victim || lost {
			return
		}
		lost = true
		for _, in := range task.Inputs {
			if strings.HasPrefix(in.Role, "unit.") {
				path, err := b.cache.Blob(in.Digest)
				if err = errors.Join(err, os.Remove(path)); err != nil {
					t.Error(err)
				}
			}
		}
	}}})
	if got := attempts[victim]; !slices.Equal(got, []int{1, 2}) {
		t.Errorf("the training was begun as attempts %v", got)
	}
	if got := attempts["split/parts"]; !slices.Equal(got, []int{1, 2}) {
		t.Errorf("the split was begun as attempts %v", got)
	}
	started := 0
	for _, e := range b.events {
		if e.What == Failed {
			t.Errorf("step %s failed: %v", b.plan.Steps[e.Step].ID, e.Err)
		}
		if e.What == Started && b.plan.Steps[e.Step].ID == victim {
			started++
		}
	}
	if w := b.says(Warning); started != 1 || len(w) != 1 || !strings.Contains(w[0], "must be made again") {
		t.Errorf("the training started %d times for a person, warnings %q", started, w)
	}
}

// An executor that never sees an input that is there does not keep the runner busy for ever.
func TestInputNeverThere(t *testing.T) {
	b := newBench(t)
	begun := 0
	miss := &exec.InputError{Input: exec.Input{Role: "unit.0", Name: "a unit"}, Err: &cache.Miss{What: "blob x", Reason: cache.Absent}}
	b.do["seed"] = func(context.Context, *kind.Job) error {
		begun++
		return miss
	}
	_, err := b.run(t.Context(), Options{})
	var failed *FailedError
	if !errors.As(err, &failed) || !errors.Is(err, miss) || failed.Failures[0].Class != exec.InputLost || begun != mostAttempts {
		t.Errorf("begun %d times: %v", begun, err)
	}
}

// What a failure calls for is said with the failure, and in its log.
func TestClassOfAFailure(t *testing.T) {
	for _, c := range []struct {
		err  error
		want exec.Class
	}{
		{errors.New("boom"), exec.Fault},
		{&kind.MemoryError{Err: errors.New("boom")}, exec.OutOfMemory},
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.EDQUOT}, exec.OutOfDisk},
		{context.Canceled, exec.Interrupted}, // by nobody of this run
	} {
		b := newBench(t)
		b.do["seed"] = func(context.Context, *kind.Job) error { return c.err }
		_, err := b.run(t.Context(), Options{LogDir: b.dir + "/logs"})
		var failed *FailedError
		if !errors.As(err, &failed) || failed.Failures[0].Class != c.want {
			t.Errorf("%v: %v, want a failure of class %q", c.err, err, c.want)
			continue
		}
		if text, err := os.ReadFile(failed.Failures[0].Log); err != nil || !strings.Contains(string(text), "\nclass "+c.want.String()+"\n") {
			t.Errorf("%v: the log does not say the class %q: %v\n%s", c.err, c.want, err, text)
		}
	}
}

// A step that needs a device where there is none fails before it begins; where there is one, steps
// take turns.
func TestDevices(t *testing.T) {
	b := newBench(t)
	b.needs = map[string]kind.Needs{kind.Train: {Devices: 1}}
	_, err := b.run(t.Context(), Options{Slots: 4})
	if err == nil || !strings.Contains(err.Error(), "the step needs 1 devices, and this run may use 0") || slices.Contains(b.ran, "seed") {
		t.Errorf("without a device: %v", err)
	}
	b.needs = map[string]kind.Needs{kind.Train: {Devices: 1, DeviceMemory: 9_000_000}}
	if _, err = b.run(t.Context(), Options{Slots: 4, Devices: 1, DeviceMemory: 8_000_000}); err == nil || !strings.Contains(err.Error(), "a device has 8 MB") {
		t.Errorf("on too small a device: %v", err)
	}
	b.mustRun(Options{Slots: 4, Devices: 1, DeviceMemory: 9_000_000})
}

// An executor that tells of what nobody asked for does no harm, and a person hears of it.
func TestStrangeReport(t *testing.T) {
	b := newBench(t)
	b.mustRun(Options{Executor: strange{b.local(), new(bool)}})
	if w := b.says(Warning); len(w) != 1 || !strings.Contains(w[0], "the executor reports on key 01000000, but no step of this key is running") {
		t.Errorf("warnings %q", w)
	}
}

// strange reports once on a task that was never submitted.
type strange struct {
	exec.Executor
	told *bool
}

func (s strange) Poll(ctx context.Context) []exec.Report {
	reports := s.Executor.Poll(ctx)
	if !*s.told {
		*s.told = true
		reports = append(reports, exec.Report{Key: cache.Key{1}, What: exec.Ended})
	}
	return reports
}

// An interrupt reaches the steps that an executor has in a queue.
func TestInterruptElsewhere(t *testing.T) {
	b := newBench(t)
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	b.do["tokenizer"] = func(ctx context.Context, _ *kind.Job) error {
		cancel(stop)
		<-ctx.Done()
		return ctx.Err()
	}
	c := b.cluster()
	if _, err := b.run(ctx, Options{Executor: c}); !errors.Is(err, stop) {
		t.Fatalf("error %v, want the cause of the interruption", err)
	}
	if len(c.Sent) != 1 {
		t.Errorf("%d tasks were sent", len(c.Sent))
	}
	wantNoClaims(t, b)
}

// deaf hears of an interrupt after it has a report, as may happen to any executor.
type deaf struct {
	exec.Executor
	polled chan struct{} // closed when it is first asked for reports
}

func (d *deaf) Poll(ctx context.Context) []exec.Report {
	select {
	case <-d.polled:
	default:
		close(d.polled)
	}
	return d.Executor.Poll(context.WithoutCancel(ctx))
}

// A step that the interrupt reached by another way than the executor, such as a cache that reads no
// further, has not failed either.
func TestInterruptBesideTheExecutor(t *testing.T) {
	b := newBench(t)
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	d := &deaf{b.local(), make(chan struct{})}
	b.do["tokenizer"] = func(context.Context, *kind.Job) error {
		<-d.polled
		cancel(stop)
		return fmt.Errorf("cache: %w", ctx.Err())
	}
	if _, err := b.run(ctx, Options{Executor: d}); !errors.Is(err, stop) {
		t.Fatalf("error %v, want the cause of the interruption", err)
	}
	for _, e := range b.events {
		if e.What == Failed {
			t.Errorf("step %s failed: %v", b.plan.Steps[e.Step].ID, e.Err)
		}
	}
}
