package exec

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"ablate/cache"
	"ablate/stages/kind"
)

// Worker carries out tasks against a cache: the executor of this process has one, and so has a
// process that an executor starts elsewhere. It may be used from several goroutines.
type Worker struct {
	Cache     *cache.Cache
	Kinds     kind.Kinds
	SaveEvery time.Duration // how often a training is saved, so that a kill loses no more
	Version   string        // of the program, for provenance
	Kernels   string        // what the arithmetic runs on, for provenance
}

// Do carries one task out, and returns the report of its end. tell is told of progress, warnings
// and conflicts meanwhile. The cache has the last word: a task whose entry is there is not carried
// out, and one that failed while another worker committed its entry has not failed.
func (w Worker) Do(ctx context.Context, t *Task, g Grant, tell func(Report)) Report {
	began := time.Now()
	end := Report{Key: t.Key, What: Ended}
	if end.Entry, end.Err = w.Cache.Lookup(t.Key); end.Err == nil {
		end.Found = true // since the step was found missing
	} else if end.Entry, end.Err = w.make(ctx, t, g, began, tell); end.Err != nil && ClassOf(end.Err) != Interrupted {
		// A worker that shares the cache may have committed the step and, with that, removed what
		// this one had saved of it.
		if entry, err := w.Cache.Lookup(t.Key); err == nil {
			if !errors.Is(end.Err, fs.ErrNotExist) {
				tell(Report{Key: t.Key, What: Warning, Message: fmt.Sprintf("step %s failed in this run, but another run has finished it: %v", t.Step, end.Err)})
			}
			end.Entry, end.Found, end.Err = entry, true, nil
		}
	}
	end.Took = time.Since(began)
	return end
}

// make runs the stage in a fresh build and commits what the stage left.
func (w Worker) make(ctx context.Context, t *Task, g Grant, began time.Time, tell func(Report)) (entry *cache.Entry, err error) {
	build, err := w.Cache.Begin(t.Key)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, build.Abort())
		}
	}()
	partial, err := w.Cache.Partial(t.Key)
	if err != nil {
		return nil, err
	}
	place := Place{Find: w.find, Dir: build.Dir, Partial: partial, Grant: g, SaveEvery: w.SaveEvery}
	var work int64
	progress, documents := progress(t.Key, tell)
	place.Documents = documents
	place.Progress = func(done, total int64, unit string) {
		work = done
		progress(done, total, unit)
	}
	job, err := Run(ctx, w.Kinds, t, place)
	if err != nil {
		return nil, err
	}
	if err := w.unchanged(t); err != nil {
		return nil, err
	}
	keyInputs, err := t.KeyInputs()
	if err != nil {
		return nil, err
	}
	p := w.provenance(t, job, began)
	if g.CoreSeconds != nil && job.Resumed == 0 { // else an earlier attempt did part of the work
		p.Work, p.CoreSeconds = work, g.CoreSeconds()
	}
	entry, err = build.Commit(t.Kind, keyInputs, p)
	var conflict *cache.Conflict
	if errors.As(err, &conflict) { // the first result stands, and everything after it is consistent with it
		tell(Report{Key: t.Key, What: Conflict, Err: conflict})
		return conflict.First, nil
	}
	return entry, err
}

// find gives the path of an input.
func (w Worker) find(in Input) (string, error) {
	if in.Raw() {
		return in.Path, nil
	}
	return w.Cache.BlobOf(cache.Output{Name: in.Name, Digest: in.Digest, Size: in.Size})
}

// progress makes the functions by which a stage tells how far it is, no more often than a person
// reads.
func progress(key cache.Key, tell func(Report)) (func(done, total int64, unit string), func(n int64)) {
	const between = 100 * time.Millisecond
	var last time.Time
	var docs int64
	return func(done, total int64, unit string) {
		if now := time.Now(); now.Sub(last) >= between {
			last = now
			tell(Report{Key: key, What: Progress, Done: done, Total: total, Unit: unit, Docs: docs})
		}
	}, func(n int64) { docs = n }
}

// unchanged checks that the raw files a step read are still what its key says.
func (w Worker) unchanged(t *Task) error {
	for _, in := range t.Inputs {
		if !in.Raw() {
			continue
		}
		d, _, err := w.Cache.FileDigest(in.Path)
		if err != nil {
			return err
		}
		if d != in.Digest {
			return fmt.Errorf("%s changed while it was read (content %s when the plan was made, %s now); run again", in.Path, in.Digest.Short(), d.Short())
		}
	}
	return nil
}

func (w Worker) provenance(t *Task, job *kind.Job, began time.Time) cache.Provenance {
	p := cache.Machine()
	if w.Kernels != "" {
		p.CPU += " (" + w.Kernels + ")"
	}
	p.Ablate, p.Threads, p.Step, p.Study, p.Run = w.Version, job.Threads, t.Step, t.Study, t.Run
	p.Resumed = job.Resumed
	p.Started, p.WallSeconds = began.UTC().Format(cache.StartedLayout), time.Since(began).Seconds()
	return p
}
