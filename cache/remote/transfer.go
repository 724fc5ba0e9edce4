package remote

import (
	"context"
	"errors"
	"iter"
	"path"
	"slices"
	"sync"

	"ablate/cache"
)

// workers is how many entries are on their way at once: enough to hide the round trips of small
// ones, and few enough that large ones, of which each takes several buffers, do not fill the
// memory.
const workers = 16

// requests is how many requests a run makes at once for entries that it looks up.
const requests = 32

// Report is what a push or a pull did.
type Report struct {
	Moved     Count
	There     int               // entries that were there, with all their blobs
	Absent    int               // keys that have no entry where they should come from
	Conflicts []*cache.Conflict // entries that were there with other outputs, and stay
	Failed    []error           // what else could not be moved
}

// Progress is told now and then what was moved so far; it may be nil.
type Progress func(Count)

// each calls do for every key, several at once, and gathers what came of it.
func each(ctx context.Context, keys iter.Seq2[cache.Key, error], progress Progress, do func(cache.Key) (Count, error)) (Report, error) {
	var (
		mu  sync.Mutex
		rep Report
		wg  sync.WaitGroup
		ch  = make(chan cache.Key)
	)
	for range workers {
		wg.Go(func() {
			for key := range ch {
				n, err := do(key)
				mu.Lock()
				rep.take(n, err)
				if progress != nil {
					progress(rep.Moved)
				}
				mu.Unlock()
			}
		})
	}
	var err error
	for key, kerr := range keys {
		if err = kerr; err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			break
		}
		ch <- key
	}
	close(ch)
	wg.Wait()
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return rep, err
}

func (rep *Report) take(n Count, err error) {
	rep.Moved.add(n)
	var conflict *cache.Conflict
	var miss *cache.Miss
	switch {
	case errors.As(err, &conflict):
		rep.Conflicts = append(rep.Conflicts, conflict)
	case errors.As(err, &miss) && miss.Reason == cache.Absent && n == (Count{}):
		rep.Absent++
	case err != nil:
		rep.Failed = append(rep.Failed, err)
	case n == (Count{}):
		rep.There++
	}
}

// Push says how a push goes.
type Push struct {
	Dry      bool // nothing is written, and the report says what would be
	Check    bool // what is there is read and compared with what is here, and written again where it is damaged
	Progress Progress
}

// Push writes the entries of keys to the remote, with what it lacks of their blobs. A blob of
// another size is written again, and one that seems to have been written to is read first.
func (r *Remote) Push(ctx context.Context, c *cache.Cache, keys iter.Seq2[cache.Key, error], how Push) (Report, error) {
	if err := r.begin(ctx, !how.Dry); err != nil {
		return Report{}, err
	}
	by := way{check: how.Check}
	if how.Dry {
		by.dry = &sync.Map{}
	}
	return each(ctx, keys, how.Progress, func(key cache.Key) (Count, error) { return r.give(ctx, c, key, by) })
}

// Pull brings the entries of keys into the cache, with what it lacks of their blobs. With dry
// nothing is read but the entries.
func (r *Remote) Pull(ctx context.Context, c *cache.Cache, keys iter.Seq2[cache.Key, error], dry bool, progress Progress) (Report, error) {
	if err := r.begin(ctx, false); err != nil {
		return Report{}, err
	}
	var told sync.Map
	return each(ctx, keys, progress, func(key cache.Key) (n Count, err error) {
		e, err := r.Entry(ctx, key)
		if err != nil {
			return n, err
		}
		lacks := missing(c, e)
		mine, err := c.Entry(key)
		here := err == nil && slices.Equal(mine.Outputs, e.Outputs)
		switch {
		case here && len(lacks) == 0:
			return n, nil
		case !dry:
			return r.take(ctx, c, e)
		case err == nil && !here:
			return n, &cache.Conflict{First: mine, Second: e}
		}
		for _, o := range lacks {
			if _, twice := told.LoadOrStore(o.Digest, true); !twice {
				n.Blobs++
				n.Bytes += o.Size
			}
		}
		n.Entries = 1
		return n, nil
	})
}

// Check says whether anything was ever written to the remote: what was named by mistake is empty.
func (r *Remote) Check(ctx context.Context) error {
	err := r.begin(ctx, false)
	if err == nil {
		_, err = r.small(ctx, versionName, 1024)
	}
	if errors.Is(err, errAbsent) {
		err = errors.New("the remote is empty; `ablate cache push` and `ablate run --remote` write to it")
	}
	if err != nil && !errors.As(err, new(*Error)) {
		err = r.failed("reading", versionName, err)
	}
	return err
}

// Keys lists the entries of the remote. Names that are none are passed over.
func (r *Remote) Keys(ctx context.Context) iter.Seq2[cache.Key, error] {
	return func(yield func(cache.Key, error) bool) {
		if err := r.Check(ctx); err != nil {
			yield(cache.Key{}, err)
			return
		}
		for obj, err := range r.place.list(ctx, "entries/") {
			if err != nil {
				yield(cache.Key{}, r.failed("listing", "entries/", err))
				return
			}
			if key, err := cache.ParseKey(path.Base(obj.name)); err == nil && obj.name == entryName(key) && !yield(key, nil) {
				return
			}
		}
	}
}
