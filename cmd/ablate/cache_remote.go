package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"ablate/cache"
	"ablate/cache/remote"
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
)

type cachePush struct {
	URL    string   `arg:"" help:"A directory, or s3://BUCKET/PREFIX?region=REGION&endpoint=URL; credentials come from the environment."`
	Study  []string `arg:"" optional:"" help:"Studies whose entries to copy: files, shipped studies, or names that cache du shows. Default: every entry."`
	Check  bool     `help:"Read every copy that is there already and compare its digest; a damaged copy is written again."`
	DryRun bool     `short:"n" help:"Copy nothing; say what would be."`
	JSON   bool     `help:"Print what was copied as JSON."`
}

func (cmd cachePush) Run(a *app) error {
	return a.withRemote(cmd.URL, a.ReadCache, func(r *remote.Remote, c *cache.Cache) error {
		keys := c.Keys()
		if len(cmd.Study) > 0 {
			needed, err := a.roots(c, cmd.Study)
			if err != nil {
				return err
			}
			keys = remote.Sorted(needed)
		}
		rep, err := r.Push(a.ctx, c, keys, remote.Push{Dry: cmd.DryRun, Check: cmd.Check, Progress: a.copying("pushing")})
		return a.copied(rep, err, r, copyWords{"pushed", "would push", "were there", "have no entry here", cmd.DryRun, cmd.JSON})
	})
}

type cachePull struct {
	URL    string   `arg:"" help:"A directory, or s3://BUCKET/PREFIX?region=REGION&endpoint=URL; credentials come from the environment."`
	Study  []string `arg:"" optional:"" help:"Studies whose entries to copy: files, or shipped studies. Default: every entry."`
	DryRun bool     `short:"n" help:"Copy nothing but what is needed to plan the studies named; say what would be."`
	JSON   bool     `help:"Print what was copied as JSON."`
}

func (cmd cachePull) Run(a *app) error {
	return a.withRemote(cmd.URL, a.OpenCache, func(r *remote.Remote, c *cache.Cache) error {
		words := copyWords{"pulled", "would pull", "were here", "have no entry there", cmd.DryRun, cmd.JSON}
		if len(cmd.Study) == 0 {
			rep, err := r.Pull(a.ctx, c, r.Keys(a.ctx), cmd.DryRun, a.copying("pulling"))
			return a.copied(rep, err, r, words)
		}
		rep, err := a.pullStudies(r, c, cmd.Study, cmd.DryRun)
		return a.copied(rep, err, r, words)
	})
}

// pullStudies brings here what the plans of studies find at the remote. Their keys follow from the outputs of the steps before, so that
// each is known when the entries before it are read.
func (a *app) pullStudies(r *remote.Remote, c *cache.Cache, studies []string, dry bool) (rep remote.Report, err error) {
	if err := r.Check(a.ctx); err != nil {
		return rep, err
	}
	var failed []error
	s := remote.NewSource(a.ctx, r, c, dry, func(err error) { failed = append(failed, err) })
	defer s.Close()
	for _, name := range studies {
		p, err := a.Plan(c, name, study.Planning{Register: !dry}) // what is pulled for a study is kept by gc as if it had run
		if err != nil {
			return rep, err
		}
		_, run, waits := p.State.Count()
		for _, key := range p.State.Keys {
			if !s.Has(key) && c.Has(key) {
				rep.There++
			}
		}
		rep.Absent += run + waits
		if !dry {
			if _, err := s.Settle(a.copying("pulling")); err != nil {
				return rep, err
			}
			if err := c.Unregister(false); err != nil {
				return rep, err
			}
		}
	}
	rep.Moved = s.Moved()
	if dry {
		n := s.Missing()
		rep.Moved.Entries += n.Entries
		rep.Moved.Blobs += n.Blobs
		rep.Moved.Bytes += n.Bytes
	}
	rep.Failed = failed
	return rep, nil
}

// withRemote opens a remote and the cache, and calls f.
func (a *app) withRemote(at string, open func(context.Context) (*cache.Cache, error), f func(*remote.Remote, *cache.Cache) error) (err error) {
	r, err := study.OpenRemote(at)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	c, err := open(a.ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if r.IsCache(c) {
		return fault.Usagef("%s is the cache itself", r)
	}
	return f(r, c)
}

// copying shows on a terminal how far a copy is.
func (a *app) copying(doing string) remote.Progress {
	status := show.Status(a.stderr)
	if status == nil {
		return nil
	}
	return func(n remote.Count) { status(fmt.Sprintf("%s: %s", doing, moved(n))) }
}

// copyWords are how a push or a pull says what it did.
type copyWords struct {
	done, would, there, absent string
	dry, json                  bool
}

// copied shows what was copied; anything that should have been and was not is an error.
func (a *app) copied(rep remote.Report, err error, r *remote.Remote, w copyWords) error {
	if err != nil && rep.Moved == (remote.Count{}) {
		return err
	}
	if w.json {
		if jerr := printCopied(a.stdout, rep, r, w.dry); jerr != nil {
			return errors.Join(err, jerr)
		}
	} else {
		did := w.done
		if w.dry {
			did = w.would
		}
		fmt.Fprintf(a.stdout, "%s: %s %s; %d %s\n", r, did, moved(rep.Moved), rep.There, w.there)
		if rep.Absent > 0 {
			fmt.Fprintf(a.stdout, "%d steps %s\n", rep.Absent, w.absent)
		}
	}
	tellRemoteConflicts(a.stderr, r.String(), rep.Conflicts)
	const most = 10
	for i, f := range rep.Failed {
		if i == most {
			fmt.Fprintf(a.stderr, "and %d more\n", len(rep.Failed)-most)
			break
		}
		fmt.Fprintln(a.stderr, "failed:", f)
	}
	switch {
	case err != nil:
		return err
	case len(rep.Failed) > 0:
		return fmt.Errorf("%d entries could not be copied; run the command again, what is whole is not copied twice", len(rep.Failed))
	case len(rep.Conflicts) > 0:
		return fmt.Errorf("%d entries have other outputs here than at %s", len(rep.Conflicts), r)
	}
	return nil
}

func printCopied(w io.Writer, rep remote.Report, r *remote.Remote, dry bool) error {
	type differs struct {
		Key  cache.Key `json:"key"`
		What string    `json:"what"`
	}
	conflicts, failed := []differs{}, []string{}
	for _, e := range rep.Conflicts {
		conflicts = append(conflicts, differs{e.First.Key, e.Error()})
	}
	for _, err := range rep.Failed {
		failed = append(failed, err.Error())
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Remote    string    `json:"remote"`
		DryRun    bool      `json:"dry_run"`
		Entries   int       `json:"entries"`
		Blobs     int       `json:"blobs"`
		Bytes     int64     `json:"bytes"`
		Healed    int       `json:"healed"` // of the entries and blobs: those that were there and damaged
		There     int       `json:"there"`
		Absent    int       `json:"absent"`
		Conflicts []differs `json:"conflicts"`
		Failed    []string  `json:"failed"`
	}{r.String(), dry, rep.Moved.Entries, rep.Moved.Blobs, rep.Moved.Bytes, rep.Moved.Healed, rep.There, rep.Absent, conflicts, failed})
}
