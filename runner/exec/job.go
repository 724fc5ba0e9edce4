package exec

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ablate/cache"
	"ablate/stages/kind"
)

// Place is where and with what a task is carried out. Nothing of it changes a result.
type Place struct {
	Find func(Input) (path string, err error) // where the bytes of an input can be read

	Dir     string // for outputs: empty
	Partial string // for what a later attempt may go on from

	Grant
	SaveEvery time.Duration // see kind.Job

	Progress  func(done, total int64, unit string) // see kind.Job; may be nil
	Documents func(n int64)                        // see kind.Job; may be nil
}

// Grant is what a task may take of a machine.
type Grant struct {
	Threads int        // see kind.Job
	Share   func() int // see kind.Job; may be nil
	Memory  int64      // bytes; 0: as many as the task is fastest with

	// CoreSeconds is the share of the processors that the task had until now, summed up over its
	// time, for provenance; nil: not known.
	CoreSeconds func() float64
}

// InputError says that an input of a task could not be opened.
type InputError struct {
	Input Input
	Err   error
}

func (e *InputError) Error() string {
	return fmt.Sprintf("input %s (%s, digest %s): %v", e.Input.Role, e.Input.Name, e.Input.Digest.Short(), e.Err)
}

// Unwrap gives the cause.
func (e *InputError) Unwrap() error { return e.Err }

// VersionError says that a task is of another version of its kind than the program has. Its bytes
// would be committed under a key that promises others.
type VersionError struct {
	Kind       string
	Task, Ours int
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("the task is of version %d of kind %s, this program has version %d: carry the task out with the ablate that planned it", e.Task, e.Kind, e.Ours)
}

// Run carries a task out at a place: it makes the job, and calls the stage. It returns the job as
// the stage left it, nil where there was none. What the stage leaves is in the place's Dir; who
// calls Run compares or commits it.
func Run(ctx context.Context, kinds kind.Kinds, t *Task, p Place) (*kind.Job, error) {
	k, err := kinds.Named(t.Kind)
	if err != nil {
		return nil, err
	}
	if k.Version() != t.Version {
		return nil, &VersionError{Kind: t.Kind, Task: t.Version, Ours: k.Version()}
	}
	job, err := newJob(t, p)
	if err != nil {
		return nil, err
	}
	return job, Call(ctx, k.Run, job)
}

// newJob makes the job of a task. It is the only place where one is made, so that a run, a worker
// and an audit show a stage the same.
func newJob(t *Task, p Place) (*kind.Job, error) {
	job := &kind.Job{
		Params: t.Params, Dir: p.Dir, Partial: p.Partial, Threads: max(1, p.Threads), Share: p.Share, Memory: p.Memory,
		SaveEvery: p.SaveEvery, Progress: p.Progress, Documents: p.Documents,
	}
	for _, in := range t.Inputs {
		path, err := p.Find(in)
		if err != nil {
			return nil, &InputError{in, err}
		}
		job.Inputs = append(job.Inputs, kind.Input{Role: in.Role, Digest: in.Digest, Path: path, Name: in.Name, Files: in.Files})
	}
	return job, nil
}

// lost says whether an error is that an input of a task is no longer in the cache.
func lost(err error) bool {
	var in *InputError
	var miss *cache.Miss
	return errors.As(err, &in) && errors.As(in.Err, &miss)
}
