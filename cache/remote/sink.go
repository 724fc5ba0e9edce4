package remote

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"ablate/cache"
)

// Sink writes entries to a remote beside a run, which does not wait for it before its end. What
// fails is told to warn, once, and the run goes on.
type Sink struct {
	r    *Remote
	c    *cache.Cache
	ctx  context.Context
	warn func(error)
	wg   sync.WaitGroup

	mu     sync.Mutex
	more   *sync.Cond
	queue  []cache.Key
	closed bool
	faults int
	down   bool
	rep    Report
	left   int
}

// NewSink starts a sink. warn is called from any goroutine.
func NewSink(ctx context.Context, r *Remote, c *cache.Cache, warn func(error)) *Sink {
	s := &Sink{r: r, c: c, ctx: ctx, warn: warn}
	s.more = sync.NewCond(&s.mu)
	for range workers / 2 { // beside steps that need the processors
		s.wg.Go(s.work)
	}
	return s
}

// Add hands over a key whose entry is in the cache.
func (s *Sink) Add(key cache.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, key)
	s.more.Signal()
}

func (s *Sink) work() {
	for {
		s.mu.Lock()
		for len(s.queue) == 0 && !s.closed {
			s.more.Wait()
		}
		if len(s.queue) == 0 {
			s.mu.Unlock()
			return
		}
		key := s.queue[0]
		s.queue = s.queue[1:]
		skip := s.down || s.ctx.Err() != nil
		s.mu.Unlock()
		var n Count
		err := error(nil)
		if !skip {
			n, err = s.r.give(s.ctx, s.c, key, way{})
		}
		s.done(n, err, skip)
	}
}

func (s *Sink) done(n Count, err error, skipped bool) {
	s.mu.Lock()
	conflicts := len(s.rep.Conflicts)
	s.rep.take(n, err)
	failed := err != nil && len(s.rep.Conflicts) == conflicts
	if skipped || failed {
		s.left++
	}
	tell := failed && !s.down && s.ctx.Err() == nil
	if failed {
		s.faults++
		s.down = s.down || s.faults >= faultsMost || final(err)
	} else if !skipped {
		s.faults = 0
	}
	s.mu.Unlock()
	if tell {
		s.warn(fmt.Errorf("a result could not be written to the remote: %w", err))
	}
}

// Close waits until everything is written, or has failed, and says what was. left is how many
// entries are not there.
func (s *Sink) Close() (rep Report, left int) {
	s.mu.Lock()
	s.closed = true
	s.more.Broadcast()
	s.mu.Unlock()
	s.wg.Wait()
	return s.rep, s.left
}

// sorted yields keys in their order, so that work and messages have one.
func sorted(keys []cache.Key) iter.Seq2[cache.Key, error] {
	slices.SortFunc(keys, func(a, b cache.Key) int { return bytes.Compare(a[:], b[:]) })
	return func(yield func(cache.Key, error) bool) {
		for _, k := range keys {
			if !yield(k, nil) {
				return
			}
		}
	}
}

// Sorted yields keys, for Push and Pull.
func Sorted(keys map[cache.Key]bool) iter.Seq2[cache.Key, error] {
	var list []cache.Key
	for k := range keys {
		list = append(list, k)
	}
	return sorted(list)
}

var _ cache.Source = (*Source)(nil)
