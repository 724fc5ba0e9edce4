package remote

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"ablate/cache"
)

const (
	// Blobs up to this size come with their entry: tables that are read between steps, losses,
	// figures. Models come when a step opens them, because most are not opened.
	smallBlob = 1 << 20

	// How long it is believed that the remote has no entry of a key. A run looks a key up several
	// times before it begins, and once more when its step does.
	absentFor = time.Minute

	// So many failures in a row, and the remote is not asked any more: each may have cost the
	// patience of a request.
	faultsMost = 2
)

// Source lets a cache find what it lacks at a remote. What fails is told to warn and is a miss: the
// run makes the step. It implements [cache.Source].
type Source struct {
	r    *Remote
	c    *cache.Cache
	ctx  context.Context // of the run, until Close: Lookup has none
	end  context.CancelFunc
	warn func(error)
	lazy bool // bring only what is read

	mu      sync.Mutex
	found   map[cache.Key]*cache.Entry // of which not all is here yet
	outputs map[cache.Digest]cache.Output
	absent  map[cache.Key]time.Time
	spoilt  map[cache.Key]bool // of no use
	hits    map[cache.Key]bool
	flights map[cache.Digest]*flight
	asked   map[cache.Key]*asking // entries that are asked for now
	faults  int
	down    bool
	moved   Count

	ahead ahead
	gate  chan struct{} // holds a token for each request under way for an entry that is looked up
}

// asking is one request for an entry that others wait for: steps of one key are looked up at once.
type asking struct {
	done  chan struct{}
	entry *cache.Entry
	err   error
}

type flight struct {
	done chan struct{}
	err  error
}

// NewSource makes a source of a remote for a cache, which is told of it. With lazy no blob comes
// before it is read, and no entry before Settle; else large ones are brought ahead of that, until
// Close. warn is called from any goroutine.
func NewSource(ctx context.Context, r *Remote, c *cache.Cache, lazy bool, warn func(error)) *Source {
	ctx, end := context.WithCancel(ctx)
	s := &Source{r: r, c: c, ctx: ctx, end: end, lazy: lazy, warn: warn, found: map[cache.Key]*cache.Entry{}, outputs: map[cache.Digest]cache.Output{},
		absent: map[cache.Key]time.Time{}, spoilt: map[cache.Key]bool{}, hits: map[cache.Key]bool{}, flights: map[cache.Digest]*flight{}, asked: map[cache.Key]*asking{}, gate: make(chan struct{}, requests)}
	c.ReadThrough(s)
	if !lazy {
		s.ahead.start(s.early)
	}
	return s
}

// Close ends what is under way ahead of need.
func (s *Source) Close() {
	s.end()
	s.ahead.stop()
}

// early brings a blob before anybody asks for it.
func (s *Source) early(d cache.Digest) {
	s.mu.Lock()
	o := s.outputs[d]
	down := s.down
	s.mu.Unlock()
	if down || s.ctx.Err() != nil || !s.room(o.Size) {
		return // whoever needs it will say what is wrong
	}
	s.BringBlob(d) // what fails is told
}

// room says whether a blob may come that no step has asked for: it must leave as much as it takes,
// for what the run makes.
func (s *Source) room(size int64) bool {
	free := s.c.Free()
	return free < 0 || size <= free/2
}

// FindEntry implements [cache.Source].
func (s *Source) FindEntry(key cache.Key) (*cache.Entry, error) {
	miss := &cache.Miss{What: "entry " + key.Short() + " of remote " + s.r.name, Reason: cache.Absent}
	s.mu.Lock()
	e := s.found[key]
	pass := s.down || s.spoilt[key] || time.Since(s.absent[key]) < absentFor
	a := s.asked[key]
	if e != nil || pass || a != nil {
		s.mu.Unlock()
		switch {
		case e != nil:
			return e, nil
		case pass:
			return nil, miss
		}
		<-a.done
		return a.entry, a.err
	}
	a = &asking{done: make(chan struct{})}
	s.asked[key] = a
	s.mu.Unlock()
	a.entry, a.err = s.ask(key, miss)
	s.mu.Lock()
	delete(s.asked, key)
	s.mu.Unlock()
	close(a.done)
	return a.entry, a.err
}

// ask asks the remote for an entry, and brings what comes with it.
func (s *Source) ask(key cache.Key, miss *cache.Miss) (*cache.Entry, error) {
	s.gate <- struct{}{}
	e, err := s.r.Entry(s.ctx, key)
	<-s.gate
	switch {
	case s.ctx.Err() != nil:
		return nil, context.Cause(s.ctx)
	case errors.As(err, new(*cache.Miss)):
		s.mu.Lock()
		s.absent[key], s.faults = time.Now(), 0
		s.mu.Unlock()
		return nil, miss
	case err != nil:
		s.fault(err, key)
		return nil, miss
	}
	if err := s.begin(e); err != nil {
		if s.ctx.Err() != nil {
			return nil, context.Cause(s.ctx)
		}
		s.fault(err, key)
		return nil, miss
	}
	return e, nil
}

// begin brings the small blobs of an entry here and looks whether the large ones are there. When
// nothing is missing the entry is the cache's.
func (s *Source) begin(e *cache.Entry) error {
	var large []cache.Output
	var wg sync.WaitGroup
	todo := missing(s.c, e)
	errs := make([]error, len(todo))
	for i, o := range todo {
		s.gate <- struct{}{}
		wg.Go(func() {
			defer func() { <-s.gate }()
			errs[i] = s.beginBlob(o)
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	for _, o := range todo {
		if s.late(o) {
			large = append(large, o)
		}
	}
	if len(large) == 0 && !s.lazy {
		n, err := s.r.take(s.ctx, s.c, e)
		if err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.moved.add(n)
		s.hits[e.Key], s.faults = true, 0
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found[e.Key], s.hits[e.Key], s.faults = e, true, 0
	for _, o := range large {
		s.outputs[o.Digest] = o
		s.ahead.add(o.Digest)
	}
	return nil
}

// late says whether a blob comes when it is read and not with its entry.
func (s *Source) late(o cache.Output) bool { return s.lazy || o.Size > smallBlob }

func (s *Source) beginBlob(o cache.Output) error {
	if !s.late(o) {
		n, err := s.r.fetch(s.ctx, s.c, o)
		s.came(n, err)
		return err
	}
	name := blobName(o.Digest)
	size, err := s.r.size(s.ctx, name)
	if err == nil && size < 0 {
		err = errAbsent
	} else if err == nil && size != o.Size {
		err = &damaged{fmt.Errorf("has %d bytes, the entry says %d", size, o.Size)}
	}
	if err != nil {
		return s.r.failed("looking for", name, err)
	}
	return nil
}

func (s *Source) came(n int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moved.Bytes += n
	if err == nil {
		s.moved.Blobs++
	}
}

// fault tells of a failure. The entry is not used any more; where the remote as a whole seems to be
// away, nothing of it is.
func (s *Source) fault(err error, key cache.Key) {
	s.mu.Lock()
	s.spoilt[key] = true
	delete(s.found, key)
	delete(s.hits, key)
	was := s.down
	if !isDamaged(err) {
		if s.faults++; s.faults >= faultsMost || final(err) {
			s.down = true
		}
	}
	now := s.down
	s.mu.Unlock()
	switch {
	case was: // told before
	case now:
		s.warn(fmt.Errorf("%w; this run does not use the remote any more", err))
	default:
		s.warn(fmt.Errorf("%w; the entry is not used", err))
	}
}

// BringBlob implements [cache.Source].
func (s *Source) BringBlob(d cache.Digest) error {
	s.mu.Lock()
	o, known := s.outputs[d]
	f := s.flights[d]
	if f == nil && known {
		f = &flight{done: make(chan struct{})}
		s.flights[d] = f
		s.mu.Unlock()
		if size, here := s.c.HasBlob(d); !here || size != o.Size { // else it came since
			var n int64
			n, f.err = s.r.fetch(s.ctx, s.c, o)
			s.came(n, f.err)
		}
		s.mu.Lock()
		delete(s.flights, d)
		s.mu.Unlock()
		if f.err != nil {
			s.lose(d, f.err)
		}
		close(f.done)
		return f.err
	}
	s.mu.Unlock()
	if f == nil {
		return &cache.Miss{What: "blob " + d.Short() + " of remote " + s.r.name, Reason: cache.Absent}
	}
	<-f.done
	return f.err
}

// lose gives up the entries that have a blob which cannot be had.
func (s *Source) lose(d cache.Digest, err error) {
	if s.ctx.Err() != nil {
		return // interrupted
	}
	s.mu.Lock()
	delete(s.outputs, d)
	var keys []cache.Key
	for key, e := range s.found {
		for _, o := range e.Outputs {
			if o.Digest == d {
				keys = append(keys, key)
				break
			}
		}
	}
	s.mu.Unlock()
	for _, key := range keys {
		s.fault(err, key)
	}
}

// Settle brings here what is missing of the entries that were found, so that the cache has them
// without the remote. It is false where some could not be had: they are misses now. What there is
// no room for stays where it is, which is told.
func (s *Source) Settle(progress Progress) (whole bool, err error) {
	s.ahead.clear()
	s.mu.Lock()
	var keys []cache.Key
	entries := map[cache.Key]*cache.Entry{}
	for key, e := range s.found {
		keys = append(keys, key)
		entries[key] = e
	}
	s.mu.Unlock()
	rep, err := each(s.ctx, sorted(keys), progress, func(key cache.Key) (Count, error) { return s.settle(entries[key]) })
	crowded := 0
	for _, err := range rep.Failed {
		if errors.Is(err, errRoom) {
			crowded++
		}
	}
	if crowded > 0 {
		s.warn(fmt.Errorf("%d entries stay only at remote %s, because the disk of the cache has no room for them", crowded, s.r))
	}
	return len(rep.Failed)-crowded+len(rep.Conflicts) == 0, err
}

var errRoom = errors.New("no room")

// settle brings one entry here. n leaves out the blobs that are counted as they come.
func (s *Source) settle(e *cache.Entry) (n Count, err error) {
	for _, o := range missing(s.c, e) {
		if !s.room(o.Size) {
			return n, errRoom
		}
		if err := s.BringBlob(o.Digest); err != nil {
			return n, err // told, and the entry given up
		}
	}
	n, err = s.r.take(s.ctx, s.c, e)
	if err != nil {
		if s.ctx.Err() == nil {
			s.fault(err, e.Key)
		}
		return n, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moved.add(n)
	delete(s.found, e.Key)
	return n, nil
}

// Missing is what Settle would bring.
func (s *Source) Missing() Count {
	s.mu.Lock()
	defer s.mu.Unlock()
	var n Count
	seen := map[cache.Digest]bool{}
	for _, e := range s.found {
		n.Entries++
		for _, o := range missing(s.c, e) {
			if !seen[o.Digest] {
				seen[o.Digest] = true
				n.Blobs++
				n.Bytes += o.Size
			}
		}
	}
	return n
}

// Has says whether the entry of a key came from the remote.
func (s *Source) Has(key cache.Key) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hits[key]
}

// Moved is what came from the remote so far.
func (s *Source) Moved() Count {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.moved
}
