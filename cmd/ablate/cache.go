package main

import (
	"errors"
	"fmt"
	"time"

	"ablate/cache"
	"ablate/cache/remote"
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study/entries"
	"ablate/cmd/internal/study/fault"
)

type cacheCommand struct {
	Ls     cacheLs     `cmd:"" help:"List the entries: when each was made, its size, the time it took, its study and its step."`
	Du     cacheDu     `cmd:"" help:"Show how much space the cache takes, by kind of step and by study."`
	Gc     cacheGc     `cmd:"" help:"Remove entries that no study needs. Entries that a running study uses are kept."`
	Rm     cacheRm     `cmd:"" help:"Remove entries. Without --yes, show the entries and what was made from them, and remove nothing."`
	Verify cacheVerify `cmd:"" help:"Read every file of the cache, or with --remote URL every file of the remote, and check every digest."`
	Push   cachePush   `cmd:"" help:"Copy entries to a directory or bucket that other machines read. Entries that the remote has are not sent again."`
	Pull   cachePull   `cmd:"" help:"Copy entries from a directory or bucket into the cache. Entries that the cache has are not fetched again."`
}

// withCache opens the cache, to look only where it cannot be written, and calls f.
func (a *app) withCache(f func(*cache.Cache) error) error {
	c, err := a.ReadCache(a.ctx)
	if err != nil {
		return err
	}
	return errors.Join(f(c), c.Close())
}

// warn prints what could not be looked at.
func (a *app) warn(list []error) {
	for _, err := range list {
		fmt.Fprintln(a.stderr, "warning:", show.Printable(err))
	}
}

type cacheLs struct {
	Study string `help:"Only entries that this study made, or that its last run needed." placeholder:"NAME"`
	Kind  string `help:"Only steps of this kind." placeholder:"KIND"`
	Loose bool   `help:"Only entries that no study needed in its last run. gc chooses among these."`
	Sort  string `enum:"age,size,cost,study,kind" default:"age" help:"age (oldest first), size or cost (largest first), study or kind."`
	JSON  bool   `help:"Print a line of JSON for each entry."`
}

func (cmd cacheLs) Run(a *app) error {
	return a.withCache(func(c *cache.Cache) error {
		list, damaged, err := entries.List(c, entries.Filter{Study: cmd.Study, Kind: cmd.Kind, Loose: cmd.Loose, Sort: cmd.Sort})
		if err != nil {
			return err
		}
		a.warn(damaged)
		if cmd.JSON {
			return show.EntriesJSON(a.stdout, list)
		}
		return show.Entries(a.stdout, list)
	})
}

type cacheDu struct {
	JSON bool `help:"Print the usage as JSON."`
}

func (cmd cacheDu) Run(a *app) error {
	return a.withCache(func(c *cache.Cache) error {
		u, err := entries.UsageOf(c)
		if err != nil {
			return err
		}
		if cmd.JSON {
			return show.JSON(a.stdout, u)
		}
		return show.Usage(a.stdout, u)
	})
}

type cacheGc struct {
	Study     []string      `arg:"" optional:"" help:"Studies to keep: files, shipped studies, or names that cache du shows. Default: every study that was run on this cache."`
	DryRun    bool          `short:"n" help:"Remove nothing; show what gc would remove."`
	OlderThan days          `help:"Keep entries that are younger than this, such as 30d or 12h." placeholder:"AGE"`
	KeepCost  time.Duration `help:"Keep entries that took at least this long to make, such as 10m." placeholder:"TIME"`
	MaxSize   size          `help:"Keep entries of at most this size in all. gc first removes the entries that are cheapest to make again for their size." placeholder:"SIZE"`
	JSON      bool          `help:"Print what is removed as JSON."`
}

func (cmd cacheGc) Run(a *app) (err error) {
	rules := cache.Rules{OlderThan: time.Duration(cmd.OlderThan), KeepCost: cmd.KeepCost, MaxSize: int64(cmd.MaxSize), DryRun: cmd.DryRun}
	if rules.OlderThan < 0 || rules.KeepCost < 0 {
		return fault.Usagef("--older-than %s --keep-cost %s: neither can be below 0", rules.OlderThan, rules.KeepCost)
	}
	open := a.ChangeCache
	if cmd.DryRun {
		open = a.LookupCache
	}
	c, err := open(a.ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	went, err := entries.Collect(a.ctx, a.Session, c, cmd.Study, rules)
	switch {
	case err != nil:
		return err
	case cmd.JSON:
		return show.CollectionJSON(a.stdout, went)
	}
	return show.Collection(a.stdout, went)
}

type cacheRm struct {
	What  []string `arg:"" help:"Keys, of which 6 digits are enough, or names of steps as cache ls shows them. In a name, * stands for any text between slashes."`
	Study string   `help:"Only entries that this study made." placeholder:"NAME"`
	Yes   bool     `short:"y" help:"Remove the entries. Without this flag they are only shown."`
	Force bool     `help:"Also remove entries that others were made from, and entries that a running study uses."`
}

func (cmd cacheRm) Run(a *app) (err error) {
	c, err := a.OpenCache(a.ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	went, err := entries.Remove(a.ctx, c, entries.Choice{What: cmd.What, Study: cmd.Study, Yes: cmd.Yes, Force: cmd.Force})
	a.warn(went.Damaged)
	var stay *entries.StaysError
	if err != nil && !errors.As(err, &stay) {
		return err
	}
	return errors.Join(err, show.Removal(a.stdout, went, err))
}

// cacheVerify reads the cache or, where --remote names one on the command line, what is there: in
// the environment it is named for runs.
type cacheVerify struct{}

// errProblems is the answer of a cache that does not verify.
var errProblems = errors.New("the cache holds damaged files or results that differ; the next run that needs a damaged file makes it again")

// errRemoteProblems is the answer of a remote that does not verify.
var errRemoteProblems = errors.New("the remote holds damaged files; run `ablate cache push --check URL` with a cache that has these files to write them again")

func (cacheVerify) Run(a *app) error {
	if a.remoteNamed {
		return a.verifyRemote()
	}
	return a.withCache(func(c *cache.Cache) error {
		problems, err := c.Verify(a.ctx, nil)
		switch {
		case err != nil:
			return err
		case len(problems) > 0:
			return errors.Join(show.Problems(a.stdout, problems), errProblems)
		}
		return show.Printf(a.stdout, "every entry and blob verifies\n")
	})
}

func (a *app) verifyRemote() (err error) {
	found, err := entries.VerifyRemote(a.ctx, a.Session, show.Moving(a.stderr, "reading"))
	switch {
	case err != nil:
		return err
	case len(found.Problems) > 0:
		return errors.Join(show.Problems(a.stdout, found.Problems), errRemoteProblems)
	}
	return show.Verified(a.stdout, found)
}

type cachePush struct {
	URL    string   `arg:"" help:"A directory, or s3://BUCKET/PREFIX?region=REGION&endpoint=URL; credentials come from the environment."`
	Study  []string `arg:"" optional:"" help:"Studies whose entries to copy: files, shipped studies, or names that cache du shows. Default: every entry."`
	Check  bool     `help:"Read every copy that the remote has and compare its digest. Damaged copies are written again."`
	DryRun bool     `short:"n" help:"Copy nothing; show what would be copied."`
	JSON   bool     `help:"Print what was copied as JSON."`
}

func (cmd cachePush) Run(a *app) error {
	done, err := entries.Push(a.ctx, a.Session, entries.Copying{
		Remote: cmd.URL, Studies: cmd.Study, Check: cmd.Check, Dry: cmd.DryRun, Progress: show.Moving(a.stderr, "pushing"),
	})
	return a.copied(done, err, cmd.JSON)
}

type cachePull struct {
	URL    string   `arg:"" help:"A directory, or s3://BUCKET/PREFIX?region=REGION&endpoint=URL; credentials come from the environment."`
	Study  []string `arg:"" optional:"" help:"Studies whose entries to copy: files, or shipped studies. Default: every entry."`
	DryRun bool     `short:"n" help:"Copy only what is needed to plan the studies named, and show what would be copied."`
	JSON   bool     `help:"Print what was copied as JSON."`
}

func (cmd cachePull) Run(a *app) error {
	done, err := entries.Pull(a.ctx, a.Session, entries.Copying{
		Remote: cmd.URL, Studies: cmd.Study, Dry: cmd.DryRun, Progress: show.Moving(a.stderr, "pulling"),
	})
	return a.copied(done, err, cmd.JSON)
}

// copied shows what was copied, also where an error ended it; anything that should have been and
// was not is an error.
func (a *app) copied(done *entries.Copied, err error, asJSON bool) error {
	if err != nil && done.Moved == (remote.Count{}) {
		return err
	}
	if err == nil {
		err = done.Err()
	}
	if !asJSON {
		return errors.Join(show.Copied(a.stdout, a.stderr, done), err)
	}
	jerr := show.CopiedJSON(a.stdout, done)
	if jerr == nil {
		show.NotCopied(a.stderr, done)
	}
	return errors.Join(jerr, err)
}
