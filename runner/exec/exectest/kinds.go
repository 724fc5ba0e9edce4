package exectest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"ablate/cache"
	"ablate/stages/kind"
)

// Act is the one kind of the tests: what a step does is a parameter, so that a task can be carried
// out by any process that has Kinds.
const Act = "act"

// What a step can do.
const (
	Write  = "write"  // leave its text and the bytes of its inputs
	Fail   = "fail"   // fail with its text
	Panic  = "panic"  // panic with its text
	Full   = "full"   // find the disk full
	Memory = "memory" // want more memory than it may take
	Wait   = "wait"   // wait until it is told to stop, and save its text; begun again, leave what it saved
	Beaten = "beaten" // be late: another worker commits other bytes meanwhile
	Rescue = "rescue" // fail with its text, after another worker has committed the step
)

// Params are those of Act.
type Params struct {
	Act  string `json:"act"`
	Text string `json:"text"`
}

// Resumed is what a step that waited and was begun again says that it went on from.
const Resumed = 7

const (
	out   = "out.txt"
	saved = "saved"
)

// Kinds has the kind of the tests. Its steps that another worker is faster at commit to c what that
// worker would.
func Kinds(c *cache.Cache) kind.Kinds {
	a := act{c}
	return kind.Kinds{{Name: Act, History: []string{"first"}, Run: a.run}}
}

type act struct{ cache *cache.Cache }

func (a act) run(ctx context.Context, job *kind.Job) error {
	var p Params
	if err := job.Decode(&p); err != nil {
		return err
	}
	text := []byte(p.Text)
	for _, in := range job.Inputs {
		data, err := os.ReadFile(in.Path)
		if err != nil {
			return err
		}
		text = append(text, data...)
	}
	write := func() error { return os.WriteFile(filepath.Join(job.Dir, out), text, 0o666) }
	switch p.Act {
	case Write:
		return write()
	case Fail:
		return errors.New(p.Text)
	case Panic:
		panic(p.Text)
	case Full:
		return &fs.PathError{Op: "write", Path: job.Dir, Err: syscall.ENOSPC}
	case Memory:
		return &kind.MemoryError{Err: errors.New(p.Text)}
	case Wait:
		path := filepath.Join(job.Partial, saved)
		if before, err := os.ReadFile(path); err == nil {
			text = before
			job.Resumed = Resumed
			return write()
		}
		job.Progress(1, 2, "tokens")
		<-ctx.Done()
		return errors.Join(os.WriteFile(path, text, 0o666), ctx.Err())
	case Beaten:
		return errors.Join(a.other(job), write())
	case Rescue:
		return errors.Join(a.other(job), errors.New(p.Text))
	}
	return fmt.Errorf("nobody knows how to %q", p.Act)
}

// other commits the step as another worker would, with bytes of its own.
func (a act) other(job *kind.Job) error {
	flat, err := kind.Flatten(job.Params)
	if err != nil {
		return err
	}
	ing := kind.KeyInputs(Act, 1, flat, len(job.Inputs))
	for _, in := range job.Inputs {
		ing = append(ing, cache.KeyInput{Label: kind.InputLabel(in.Role), Value: in.Digest.String()})
	}
	build, err := a.cache.Begin(cache.KeyOf(ing))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(build.Dir, out), []byte("other"), 0o666); err != nil {
		return err
	}
	_, err = build.Commit(Act, ing, cache.Machine())
	return err
}
