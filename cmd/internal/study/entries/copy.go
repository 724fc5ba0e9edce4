package entries

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"ablate/cache"
	"ablate/cache/remote"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
)

// Copying says what is copied to a remote or from it.
type Copying struct {
	Remote   string          // a directory, or s3://BUCKET/PREFIX
	Studies  []string        // whose entries are copied; none: every entry
	Check    bool            // to a remote: every copy that is there already is read, and written again where it is damaged
	Dry      bool            // nothing is copied, but what is needed to plan the studies
	Progress remote.Progress // may be nil
}

// Copied is what was copied, or would be.
type Copied struct {
	remote.Report
	Remote string
	Pulled bool // from the remote; else to it
	Dry    bool
}

// Err says that something should have been copied and was not.
func (r *Copied) Err() error {
	switch {
	case len(r.Failed) > 0:
		return fmt.Errorf("%d entries could not be copied; run the command again, which copies only what is missing", len(r.Failed))
	case len(r.Conflicts) > 0:
		return fmt.Errorf("%d entries have different outputs in this cache and at %s", len(r.Conflicts), r.Remote)
	}
	return nil
}

// Push copies entries of the session's cache to a remote. Nothing there is overwritten, but for
// damaged copies. With an error, the report says what was copied before it.
func Push(ctx context.Context, s *study.Session, how Copying) (*Copied, error) {
	done := &Copied{Dry: how.Dry}
	err := done.with(how.Remote, func() (*cache.Cache, error) { return s.ReadCache(ctx) }, func(r *remote.Remote, c *cache.Cache) error {
		keys := c.Keys()
		if len(how.Studies) > 0 {
			needed, err := Needed(s, c, how.Studies)
			if err != nil {
				return err
			}
			keys = remote.Sorted(needed)
		}
		var err error
		done.Report, err = r.Push(ctx, c, keys, remote.Push{Dry: how.Dry, Check: how.Check, Progress: how.Progress})
		return err
	})
	return done, err
}

// Pull copies entries of a remote into the session's cache. With an error, the report says what was
// copied before it.
func Pull(ctx context.Context, s *study.Session, how Copying) (*Copied, error) {
	done := &Copied{Pulled: true, Dry: how.Dry}
	err := done.with(how.Remote, func() (*cache.Cache, error) { return s.OpenCache(ctx) }, func(r *remote.Remote, c *cache.Cache) (err error) {
		if len(how.Studies) == 0 {
			done.Report, err = r.Pull(ctx, c, r.Keys(ctx), how.Dry, how.Progress)
			return err
		}
		return done.pullStudies(ctx, s, r, c, how)
	})
	return done, err
}

// with opens a remote and the cache, and calls f.
func (d *Copied) with(at string, open func() (*cache.Cache, error), f func(*remote.Remote, *cache.Cache) error) (err error) {
	r, err := study.OpenRemote(at)
	if err != nil {
		return err
	}
	d.Remote = r.String()
	defer func() { err = errors.Join(err, r.Close()) }()
	c, err := open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if r.IsCache(c) {
		return fault.Usagef("%s is the cache itself", r)
	}
	return f(r, c)
}

// pullStudies brings here what the plans of studies find at the remote. Their keys follow from the
// outputs of the steps before, so that each is known when the entries before it are read.
func (d *Copied) pullStudies(ctx context.Context, session *study.Session, r *remote.Remote, c *cache.Cache, how Copying) error {
	if err := r.Check(ctx); err != nil {
		return err
	}
	var mu sync.Mutex // warnings come from any goroutine
	s := remote.NewSource(ctx, r, c, how.Dry, func(err error) {
		mu.Lock()
		defer mu.Unlock()
		d.Failed = append(d.Failed, err)
	})
	defer s.Close()
	for _, name := range how.Studies {
		p, err := session.Plan(c, name, study.Planning{Register: !how.Dry}) // what is pulled for a study is kept by gc as if it had run
		if err != nil {
			return err
		}
		_, run, waits := p.State.Count()
		for _, key := range p.State.Keys {
			if !s.Has(key) && c.Has(key) {
				d.There++
			}
		}
		d.Absent += run + waits
		if how.Dry {
			continue
		}
		if _, err := s.Settle(how.Progress); err != nil {
			return err
		}
		if err := c.Unregister(false); err != nil {
			return err
		}
	}
	d.Moved = s.Moved()
	if how.Dry {
		n := s.Missing()
		d.Moved.Entries += n.Entries
		d.Moved.Blobs += n.Blobs
		d.Moved.Bytes += n.Bytes
	}
	return nil
}

// Checked is what a verification of a remote found.
type Checked struct {
	remote.Checked
	Remote string
}

// VerifyRemote reads everything at the session's remote.
func VerifyRemote(ctx context.Context, s *study.Session, progress remote.Progress) (found Checked, err error) {
	r, err := study.OpenRemote(s.Remote)
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	found.Remote = r.String()
	found.Checked, err = r.Verify(ctx, progress)
	return found, err
}
