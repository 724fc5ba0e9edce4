package local

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"ablate/cache"
	"ablate/runner/exec"
	"ablate/runner/exec/exectest"
	"ablate/stages/kind"
)

// TestMain fails when a goroutine is left after the tests.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestExecutor(t *testing.T) {
	for _, m := range []Machine{{}, {Cores: 3}, {Cores: 4, Jobs: 2, Memory: 1 << 30, Devices: 1}} {
		t.Run(fmt.Sprintf("%+v", m), func(t *testing.T) {
			exectest.Test(t, func(_ *testing.T, w exec.Worker) exec.Executor { return New(w, m) })
		})
	}
}

// waiting submits tasks of these needs, as far as there is room, which wait until the test ends.
func waiting(t *testing.T, m Machine, needs ...kind.Needs) (l *Local, submitted []*exec.Task) {
	t.Helper()
	c, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l = New(exec.Worker{Cache: c, Kinds: exectest.Kinds(c)}, m)
	t.Cleanup(func() {
		for _, task := range submitted {
			l.Cancel(task.Key)
		}
		for len(l.active) > 0 {
			l.Poll(context.Background()) // the test's own has ended
		}
		c.Close()
	})
	for i, n := range needs {
		if !l.Room(n) {
			break
		}
		task := exectest.NewTask(t, exectest.Wait, fmt.Sprint(i))
		task.Needs, task.Priority = n, int64(-i)
		submitted = append(submitted, task)
		l.Submit(task)
	}
	return l, submitted
}

// Which tasks begin beside one another, and what each is granted of cores and memory.
func TestRoomAndGrants(t *testing.T) {
	const MB = 1_000_000
	for _, c := range []struct {
		name    string
		machine Machine
		needs   []kind.Needs
		cores   []int   // of those that began
		memory  []int64 // likewise, in MB; nil: no bound
	}{
		{"one has all cores", Machine{Cores: 4}, make([]kind.Needs, 1), []int{4}, nil},
		{"what is over goes to the most urgent", Machine{Cores: 5}, make([]kind.Needs, 3), []int{2, 2, 1}, nil},
		{"as many as there are cores", Machine{Cores: 2}, make([]kind.Needs, 3), []int{1, 1}, nil},
		{"as many as jobs", Machine{Cores: 8, Jobs: 2}, make([]kind.Needs, 3), []int{4, 4}, nil},
		{"a step of one core leaves the rest", Machine{Cores: 8}, []kind.Needs{{Cores: 1}, {}}, []int{1, 7}, nil},
		{"steps of few cores leave the rest", Machine{Cores: 16}, []kind.Needs{{Cores: 2}, {}, {Cores: 3}, {}}, []int{2, 6, 3, 5}, nil},
		{"nobody can use all cores", Machine{Cores: 8}, []kind.Needs{{Cores: 1}, {Cores: 2}}, []int{1, 2}, nil},
		{
			"memory of the first is gone", Machine{Cores: 4, Memory: 100 * MB},
			[]kind.Needs{{Memory: 60 * MB, LeastMemory: 50 * MB}, {Memory: 60 * MB, LeastMemory: 50 * MB}}, []int{4}, []int64{60},
		},
		{
			"the second can do with what is left", Machine{Cores: 4, Memory: 115 * MB},
			[]kind.Needs{{Memory: 60 * MB, LeastMemory: 50 * MB}, {Memory: 60 * MB, LeastMemory: 50 * MB}}, []int{2, 2}, []int64{60, 55},
		},
		{
			"one alone begins, however little there is", Machine{Cores: 4, Memory: 20 * MB},
			[]kind.Needs{{Memory: 60 * MB, LeastMemory: 50 * MB}}, []int{4}, []int64{20},
		},
		{
			"nothing left is not no bound", Machine{Cores: 4, Memory: 60 * MB},
			[]kind.Needs{{Memory: 60 * MB, LeastMemory: 50 * MB}, {Memory: 1 * MB}}, []int{4}, []int64{60},
		},
		{
			"what counts no memory begins all the same", Machine{Cores: 4, Memory: 60 * MB},
			[]kind.Needs{{Memory: 60 * MB, LeastMemory: 50 * MB}, {}}, []int{2, 2}, []int64{60, 0},
		},
		{"devices are for one step", Machine{Cores: 4, Devices: 2}, []kind.Needs{{Devices: 1}, {Devices: 1}, {Devices: 1}}, []int{2, 2}, nil},
		{"steps without a device go beside", Machine{Cores: 4, Devices: 1}, []kind.Needs{{Devices: 1}, {}, {Devices: 1}}, []int{2, 2}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, submitted := waiting(t, c.machine, c.needs...)
			var cores []int
			var memory []int64
			for _, r := range l.active {
				cores = append(cores, int(r.share.Load()))
				memory = append(memory, r.memory/MB)
			}
			if !slices.Equal(cores, c.cores) || len(submitted) != len(c.cores) {
				t.Errorf("%d tasks began, with %d cores, want %d", len(submitted), cores, c.cores)
			}
			if c.memory == nil {
				c.memory = make([]int64, len(c.cores))
			}
			if !slices.Equal(memory, c.memory) {
				t.Errorf("with %d MB, want %d", memory, c.memory)
			}
		})
	}
}

// A task that the machine is too small for fails at once, whatever is under way, and is not carried
// out.
func TestTooLarge(t *testing.T) {
	machine := Machine{Cores: 4, Devices: 1, DeviceMemory: 8_000_000}
	for _, c := range []struct {
		needs kind.Needs
		class exec.Class
		want  string
	}{
		{kind.Needs{Devices: 2}, exec.Fault, "the step needs 2 devices, and this run may use 1"},
		{kind.Needs{Devices: 1, DeviceMemory: 9_000_000}, exec.OutOfMemory, "the step needs 9 MB of memory of a device, and a device has 8 MB"},
	} {
		l, _ := waiting(t, machine, kind.Needs{Devices: 1})
		if !l.Room(c.needs) {
			t.Errorf("%+v waits for ever", c.needs)
		}
		task := exectest.NewTask(t, exectest.Write, "large")
		task.Needs = c.needs
		l.Submit(task)
		for {
			rep := l.Poll(t.Context())[0]
			if rep.Key != task.Key {
				continue
			}
			if rep.What != exec.Ended || rep.Err == nil || exec.ClassOf(rep.Err) != c.class || !strings.Contains(rep.Err.Error(), c.want) {
				t.Errorf("%+v: %+v, want an error with %q", c.needs, rep, c.want)
			}
			break
		}
	}
}

// A task that ended leaves its cores to those that go on.
func TestCoresAreLeft(t *testing.T) {
	l, submitted := waiting(t, Machine{Cores: 6}, kind.Needs{}, kind.Needs{})
	l.Cancel(submitted[0].Key)
	for len(l.active) > 1 {
		l.Poll(t.Context())
	}
	l.divide() // as the next Poll does
	if got := l.active[0].share.Load(); got != 6 || l.active[0].task != submitted[1] {
		t.Errorf("step %s has %d of 6 cores", l.active[0].task.Step, got)
	}
}
