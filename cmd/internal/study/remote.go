package study

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"ablate/cache"
	"ablate/cache/remote"
	"ablate/cmd/internal/study/fault"
	"ablate/runner"
)

// RemoteRun is the remote of a run: what the cache lacks is looked for there, and what the run
// makes is written there, beside it. A nil RemoteRun is a run without one.
type RemoteRun struct {
	r       *remote.Remote
	session *Session
	source  *remote.Source
	sink    *remote.Sink

	mu     sync.Mutex
	events func(runner.Event) // from when the run begins
	held   []string           // warnings until then

	report remote.Report
	unsent int
	ended  bool
}

// Moved is what a run read from its remote and wrote there.
type Moved struct {
	Remote    string // "": a run without one
	Read      remote.Count
	Wrote     remote.Count
	Conflicts []*cache.Conflict // results of ours that differ from those at the remote
	Unsent    int               // results of the run that are not at the remote
}

// OpenRemote opens what a person named as a remote.
func OpenRemote(at string) (*remote.Remote, error) {
	r, err := remote.Open(at)
	var wrong *remote.URLError
	if errors.As(err, &wrong) {
		return nil, fault.Usage(err)
	}
	return r, err
}

// RunRemote connects the cache with the session's remote, if one is named. A remote that does not
// answer is no error: the run goes on without.
func (s *Session) RunRemote(ctx context.Context, c *cache.Cache) (*RemoteRun, error) {
	if s.Remote == "" {
		return nil, nil
	}
	if c.ReadOnly() {
		s.Say(Warning{fmt.Sprintf("the cache %s cannot be written, so the run neither reads from the remote nor writes to the remote", c.Dir())})
		return nil, nil
	}
	r, err := OpenRemote(s.Remote)
	if err != nil {
		return nil, err
	}
	if r.IsCache(c) {
		return nil, errors.Join(fault.Usagef("%s is the cache itself and cannot be its remote", r), r.Close())
	}
	run := &RemoteRun{r: r, session: s}
	run.source = remote.NewSource(ctx, r, c, false, run.warn)
	run.sink = remote.NewSink(ctx, r, c, run.warn)
	return run, nil
}

// lookRemote lets an operation that only looks see what a run would find at the remote. Blobs come
// when they are read; nothing is written there.
func (s *Session) lookRemote(ctx context.Context, c *cache.Cache) (end func() error, err error) {
	if s.Remote == "" || c.ReadOnly() {
		return func() error { return nil }, nil
	}
	r, err := OpenRemote(s.Remote)
	if err != nil {
		return nil, err
	}
	source := remote.NewSource(ctx, r, c, true, func(err error) { s.Say(Warning{err.Error()}) })
	return func() error { source.Close(); return r.Close() }, nil
}

func (x *RemoteRun) warn(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.events == nil {
		x.held = append(x.held, err.Error())
		return
	}
	x.events(runner.Event{What: runner.Warning, Step: -1, Message: err.Error()})
}

// Watch gives the events of a run on, one at a time with the remote's warnings, and sends what
// finishes to the remote.
func (x *RemoteRun) Watch(events func(runner.Event)) func(runner.Event) {
	if x == nil {
		return events
	}
	return func(e runner.Event) {
		if e.What == runner.Finished {
			x.sink.Add(e.Key)
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		events(e)
		x.events = events
		for _, text := range x.held {
			events(runner.Event{What: runner.Warning, Step: -1, Message: text})
		}
		x.held = nil
	}
}

// Settle brings here what was found at the remote and not yet read. It is false where that failed,
// after which it is no longer found.
func (x *RemoteRun) Settle() (whole bool, err error) {
	if x == nil {
		return true, nil
	}
	return x.source.Settle(nil)
}

// Has reports whether an entry came from the remote.
func (x *RemoteRun) Has(key cache.Key) bool { return x != nil && x.source.Has(key) }

// Finish waits until everything is written, and says what was moved.
func (x *RemoteRun) Finish() Moved {
	if x == nil {
		return Moved{}
	}
	if !x.ended {
		x.report, x.unsent = x.sink.Close()
		x.ended = true
	}
	return Moved{Remote: x.r.String(), Read: x.source.Moved(), Wrote: x.report.Moved, Conflicts: x.report.Conflicts, Unsent: x.unsent}
}

// Close ends the run's use of the remote.
func (x *RemoteRun) Close() error {
	if x == nil {
		return nil
	}
	x.Finish()
	x.source.Close()
	for _, text := range x.held { // of a run that did not begin
		x.session.Say(Warning{text})
	}
	return x.r.Close()
}
