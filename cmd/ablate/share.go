package main

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"ablate/cache"
	"ablate/cache/remote"
	"ablate/runner"
	"ablate/specs/words"
)

// share is the remote of a run: what the cache lacks is looked for there, and what the run makes is written there, beside it. A nil share
// is a run without one.
type share struct {
	r      *remote.Remote
	stderr io.Writer
	source *remote.Source
	sink   *remote.Sink

	mu     sync.Mutex
	events func(runner.Event) // from when the run begins
	held   []string           // warnings until then

	report remote.Report
	left   int
	ended  bool
}

// openRemote opens what a person named as a remote.
func (a *app) openRemote(at string) (*remote.Remote, error) {
	r, err := remote.Open(at)
	var wrong *remote.URLError
	if errors.As(err, &wrong) {
		return nil, usageError{err}
	}
	return r, err
}

// shareRemote connects the cache with the remote, if one is named. One that does not answer is no error: the run goes on without.
func (a *app) shareRemote(c *cache.Cache) (*share, error) {
	if a.remote == "" {
		return nil, nil
	}
	if c.ReadOnly() {
		fmt.Fprintf(a.stderr, "warning: the cache %s cannot be written, so nothing is read from the remote or written to it\n", c.Dir())
		return nil, nil
	}
	r, err := a.openRemote(a.remote)
	if err != nil {
		return nil, err
	}
	if r.IsCache(c) {
		return nil, errors.Join(usageError{fmt.Errorf("%s is the cache itself and cannot be its remote", r)}, r.Close())
	}
	s := &share{r: r, stderr: a.stderr}
	s.source = remote.NewSource(a.ctx, r, c, false, s.warn)
	s.sink = remote.NewSink(a.ctx, r, c, s.warn)
	return s, nil
}

// lookRemote lets a command that only looks see what a run would find at the remote. Blobs come when they are read; nothing is written there.
func (a *app) lookRemote(c *cache.Cache) (end func() error, err error) {
	if a.remote == "" || c.ReadOnly() {
		return func() error { return nil }, nil
	}
	r, err := a.openRemote(a.remote)
	if err != nil {
		return nil, err
	}
	s := remote.NewSource(a.ctx, r, c, true, func(err error) { fmt.Fprintln(a.stderr, "warning:", err) })
	return func() error { s.Close(); return r.Close() }, nil
}

func (s *share) warn(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.events == nil {
		s.held = append(s.held, err.Error())
		return
	}
	s.events(runner.Event{What: runner.Warning, Step: -1, Message: err.Error()})
}

// watch gives the events of a run on, one at a time with the remote's warnings, and sends what finishes to the remote.
func (s *share) watch(events func(runner.Event)) func(runner.Event) {
	if s == nil {
		return events
	}
	return func(e runner.Event) {
		if e.What == runner.Finished {
			s.sink.Add(e.Key)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		events(e)
		s.events = events
		for _, text := range s.held {
			events(runner.Event{What: runner.Warning, Step: -1, Message: text})
		}
		s.held = nil
	}
}

// settle brings here what was found at the remote and not yet read. It is false where that failed, after which it is no longer found.
func (s *share) settle() (whole bool, err error) {
	if s == nil {
		return true, nil
	}
	return s.source.Settle(nil)
}

func (s *share) has(key cache.Key) bool { return s != nil && s.source.Has(key) }

// finish waits until everything is written.
func (s *share) finish() {
	if s != nil && !s.ended {
		s.report, s.left = s.sink.Close()
		s.ended = true
	}
}

// tell says what was moved, and what was not.
func (s *share) tell(w io.Writer) {
	if s == nil {
		return
	}
	if n := s.source.Moved(); n != (remote.Count{}) {
		fmt.Fprintf(w, "remote %s: read %s\n", s.r, moved(n))
	}
	if n := s.report.Moved; n != (remote.Count{}) {
		fmt.Fprintf(w, "remote %s: wrote %s\n", s.r, moved(n))
	}
	tellRemoteConflicts(w, s.r, s.report.Conflicts)
	if s.left > 0 {
		fmt.Fprintf(w, "remote %s: %d results of this run are not there; `ablate cache push` writes them\n", s.r, s.left)
	}
}

func (s *share) close() error {
	if s == nil {
		return nil
	}
	s.finish()
	s.source.Close()
	for _, text := range s.held { // of a run that did not begin
		fmt.Fprintln(s.stderr, "warning:", text)
	}
	return s.r.Close()
}

func moved(n remote.Count) string {
	text := fmt.Sprintf("%d entries, %d blobs, %s", n.Entries, n.Blobs, words.Bytes(n.Bytes))
	if n.Healed > 0 {
		text += fmt.Sprintf("; %d of them had been damaged there", n.Healed)
	}
	return text
}

// tellRemoteConflicts names results of ours that differ from those of others.
func tellRemoteConflicts(w io.Writer, r *remote.Remote, conflicts []*cache.Conflict) {
	for _, e := range conflicts {
		fmt.Fprintf(w, "NOT DETERMINISTIC: %v\n  at %s: %s on %s, %s\n  here: %s on %s, %s\n", e, r,
			cache.Printable(e.First.Provenance.Started), cache.Printable(e.First.Provenance.Host), cache.Printable(e.First.Provenance.CPU),
			cache.Printable(e.Second.Provenance.Started), cache.Printable(e.Second.Provenance.Host), cache.Printable(e.Second.Provenance.CPU))
	}
	if len(conflicts) > 0 {
		fmt.Fprintln(w, "What is at the remote stays there, and what is here stays here.")
	}
}
