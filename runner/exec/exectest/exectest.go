// Package exectest holds executors to their contract: Test is the suite that each must pass.
// Cluster is an executor for tests that carries tasks out as a scheduler of another machine would.
package exectest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ablate/cache"
	"ablate/runner/exec"
	"ablate/stages/kind"
)

// bench is an executor with a cache of its own.
type bench struct {
	*testing.T
	cache    *cache.Cache
	executor exec.Executor
	reports  []exec.Report // of all tasks, as they came
}

// Test holds an executor to what package exec asks for. open makes one whose tasks are carried out
// as the worker would, by this process or by another with the worker's cache and Kinds.
func Test(t *testing.T, open func(t *testing.T, w exec.Worker) exec.Executor) {
	for _, c := range []struct {
		name string
		test func(b *bench)
	}{
		{"done", done},
		{"done before", doneBefore},
		{"failures", failures},
		{"a failure alone", failureAlone},
		{"stopped and begun again", stopped},
		{"stop of a stranger", stopStranger},
		{"lost input", lostInput},
		{"raw file that changed", changedFile},
		{"another version", anotherVersion},
		{"different bytes", otherBytes},
		{"rescued", rescued},
		{"never room", neverRoom},
		{"many", many},
		{"nothing to tell", nothingToTell},
	} {
		t.Run(c.name, func(t *testing.T) {
			store, err := cache.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			b := &bench{T: t, cache: store}
			b.executor = open(t, exec.Worker{Cache: store, Kinds: Kinds(store), Version: "test"})
			c.test(b)
			b.quiet()
		})
	}
}

// NewTask makes a task of kind Act.
func NewTask(t testing.TB, act, text string, inputs ...exec.Input) *exec.Task {
	t.Helper()
	params, err := json.Marshal(Params{act, text})
	if err != nil {
		t.Fatal(err)
	}
	task := &exec.Task{
		Kind: Act, Version: 1, Params: params, Inputs: append([]exec.Input{}, inputs...), Attempt: 1, Step: act + " " + text, Study: "exectest",
	}
	Sign(t, task)
	return task
}

// Sign gives a task the key that follows from it.
func Sign(t testing.TB, task *exec.Task) {
	t.Helper()
	ing, err := task.KeyInputs()
	if err != nil {
		t.Fatal(err)
	}
	task.Key = cache.KeyOf(ing)
}

// submit waits for room and submits a task.
func (b *bench) submit(task *exec.Task) {
	for !b.executor.Room(task.Needs) {
		b.reports = append(b.reports, b.executor.Poll(b.Context())...)
	}
	b.executor.Submit(task)
}

// find waits for a report of a task.
func (b *bench) find(task *exec.Task, what exec.What) exec.Report {
	b.Helper()
	for {
		if i := slices.IndexFunc(b.reports, func(r exec.Report) bool { return r.Key == task.Key && r.What == what }); i >= 0 {
			rep := b.reports[i]
			b.reports = slices.Delete(b.reports, i, i+1)
			return rep
		}
		got := b.executor.Poll(b.Context())
		if len(got) == 0 {
			b.Fatalf("step %s: the test ended before the report", task.Step)
		}
		b.reports = append(b.reports, got...)
	}
}

// carry carries a task out and returns the report of its end.
func (b *bench) carry(task *exec.Task) exec.Report {
	b.Helper()
	b.submit(task)
	return b.find(task, exec.Ended)
}

// quiet fails unless everything that the executor had to tell was expected.
func (b *bench) quiet() {
	b.Helper()
	over, cancel := context.WithCancel(context.Background())
	cancel()
	for range 20 {
		b.reports = append(b.reports, b.executor.Poll(over)...)
	}
	for _, rep := range b.reports {
		b.Errorf("a report that nobody waits for: %+v", rep)
	}
}

// text is what a task left, as the cache has it.
func (b *bench) text(rep exec.Report) string {
	b.Helper()
	if rep.Err != nil {
		b.Fatal(rep.Err)
	}
	entry, err := b.cache.Lookup(rep.Key)
	if err != nil {
		b.Fatal(err)
	}
	o, ok := entry.Output(out)
	if was, _ := rep.Entry.Output(out); !ok || was != o {
		b.Fatalf("the entry has output %+v, the report says %+v", o, was)
	}
	path, err := b.cache.BlobOf(o)
	if err != nil {
		b.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	return string(data)
}

// refused fails unless a task ended with an error of a class that has a text in it, and no entry.
func (b *bench) refused(rep exec.Report, class exec.Class, text string) {
	b.Helper()
	if rep.Err == nil || exec.ClassOf(rep.Err) != class || !strings.Contains(rep.Err.Error(), text) {
		b.Errorf("error %v, want one of class %q with %q", rep.Err, class, text)
	}
	if b.cache.Has(rep.Key) {
		b.Error("a task that failed has an entry")
	}
}

// input is the output of a task that is done as the input of another.
func (b *bench) input(role string, rep exec.Report) exec.Input {
	o, _ := rep.Entry.Output(out)
	return exec.Input{Role: role, Digest: o.Digest, Size: o.Size, Name: "made " + out}
}

func done(b *bench) {
	first := b.carry(NewTask(b, Write, "one "))
	if text := b.text(first); text != "one " || first.Found {
		b.Errorf("%q, found %t", text, first.Found)
	}
	task := NewTask(b, Write, "two ", b.input("before", first))
	rep := b.carry(task)
	if text := b.text(rep); text != "two one " {
		b.Errorf("with an input: %q", text)
	}
	if p := rep.Entry.Provenance; p.Step != task.Step || p.Study != task.Study || p.Ablate != "test" || p.Threads < 1 || p.Started == "" {
		b.Errorf("provenance %+v", p)
	}
}

func doneBefore(b *bench) {
	task := NewTask(b, Write, "one")
	b.carry(task)
	if rep := b.carry(task); !rep.Found || b.text(rep) != "one" {
		b.Errorf("a task that was done is carried out again: %+v", rep)
	}
}

func failures(b *bench) {
	for _, c := range []struct {
		act   string
		class exec.Class
		text  string
	}{
		{Fail, exec.Fault, "boom"},
		{Panic, exec.Fault, "internal error: panic: boom"},
		{Full, exec.OutOfDisk, "no space left on device"},
		{Memory, exec.OutOfMemory, "boom"},
	} {
		b.refused(b.carry(NewTask(b, c.act, "boom")), c.class, c.text)
	}
}

func failureAlone(b *bench) {
	bad, good := NewTask(b, Panic, "boom"), NewTask(b, Write, "one")
	b.submit(bad)
	b.submit(good)
	b.refused(b.find(bad, exec.Ended), exec.Fault, "boom")
	if text := b.text(b.find(good, exec.Ended)); text != "one" {
		b.Errorf("beside a failure: %q", text)
	}
}

func stopped(b *bench) {
	task := NewTask(b, Wait, "half")
	b.submit(task)
	if rep := b.find(task, exec.Progress); rep.Done != 1 || rep.Total != 2 || rep.Unit != "tokens" {
		b.Errorf("progress %+v", rep)
	}
	b.executor.Cancel(task.Key)
	b.refused(b.find(task, exec.Ended), exec.Interrupted, "")
	task.Attempt++
	rep := b.carry(task)
	if text := b.text(rep); text != "half" || rep.Entry.Provenance.Resumed != Resumed {
		b.Errorf("begun again: %q, resumed %d", text, rep.Entry.Provenance.Resumed)
	}
}

func stopStranger(b *bench) {
	b.executor.Cancel(cache.Key{1})
	task := NewTask(b, Write, "one")
	rep := b.carry(task)
	b.executor.Cancel(task.Key) // it is done
	b.text(rep)
}

func lostInput(b *bench) {
	rep := b.carry(NewTask(b, Write, "one", exec.Input{Role: "gone", Digest: cache.DigestOf([]byte("gone")), Size: 4, Name: "made gone.txt"}))
	b.refused(rep, exec.InputLost, "input gone (made gone.txt, digest ")
	var in *exec.InputError
	if !errors.As(rep.Err, &in) || in.Input.Role != "gone" {
		b.Errorf("%v does not say which input", rep.Err)
	}
}

func changedFile(b *bench) {
	path := filepath.Join(b.TempDir(), "raw.txt")
	if err := os.WriteFile(path, []byte("now"), 0o666); err != nil {
		b.Fatal(err)
	}
	raw := func(content string) *exec.Task {
		return NewTask(b, Write, "one ", exec.Input{Role: "file.0", Digest: cache.DigestOf([]byte(content)), Size: 3, Path: path, Name: "raw.txt"})
	}
	if text := b.text(b.carry(raw("now"))); text != "one now" {
		b.Errorf("of a raw file: %q", text)
	}
	b.refused(b.carry(raw("was")), exec.Fault, "raw.txt changed while it was read")
	if err := os.Remove(path); err != nil {
		b.Fatal(err)
	}
	b.refused(b.carry(raw("own")), exec.Fault, "no such file")
}

func anotherVersion(b *bench) {
	task := NewTask(b, Write, "one")
	task.Version = 2
	Sign(b, task)
	b.refused(b.carry(task), exec.Fault, "the task is of version 2 of kind act, this program has version 1")
	task.Kind = "odd"
	Sign(b, task)
	b.refused(b.carry(task), exec.Fault, `there is no kind of step "odd"`)
}

func otherBytes(b *bench) {
	task := NewTask(b, Beaten, "one")
	rep := b.carry(task)
	if text := b.text(rep); text != "other" {
		b.Errorf("the first result does not stand: %q", text)
	}
	var conflict *cache.Conflict
	if told := b.find(task, exec.Conflict); !errors.As(told.Err, &conflict) {
		b.Errorf("%v, want a conflict", told.Err)
	}
}

func rescued(b *bench) {
	task := NewTask(b, Rescue, "boom")
	rep := b.carry(task)
	if text := b.text(rep); text != "other" || !rep.Found {
		b.Errorf("%q, found %t", text, rep.Found)
	}
	if told := b.find(task, exec.Warning); !strings.Contains(told.Message, "failed in this run, but another run has finished it: boom") {
		b.Errorf("warning %q", told.Message)
	}
}

func neverRoom(b *bench) {
	task := NewTask(b, Write, "one")
	task.Needs = kind.Needs{Devices: 1 << 20}
	if !b.executor.Room(task.Needs) {
		b.Fatal("with nothing under way there is no room, so that a task that can never be carried out waits for ever")
	}
	b.refused(b.carry(task), exec.Fault, fmt.Sprint(1<<20))
}

func many(b *bench) {
	var tasks []*exec.Task
	for i := range 20 {
		task := NewTask(b, Write, fmt.Sprint(i))
		task.Priority = int64(i % 3)
		tasks = append(tasks, task)
		b.submit(task)
	}
	for i, task := range tasks {
		if text := b.text(b.find(task, exec.Ended)); text != fmt.Sprint(i) {
			b.Errorf("task %d left %q", i, text)
		}
	}
}

func nothingToTell(b *bench) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if got := b.executor.Poll(ctx); len(got) > 0 {
		b.Errorf("reports of nothing: %+v", got)
	}
	task := NewTask(b, Wait, "one")
	b.submit(task)
	b.find(task, exec.Progress)
	if got := b.executor.Poll(ctx); len(got) > 0 {
		b.Errorf("reports of a task that waits: %+v", got)
	}
	b.executor.Cancel(task.Key)
	b.find(task, exec.Ended)
}
