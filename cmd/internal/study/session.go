// Package study is what commands do: a Session loads studies, plans, runs, ranks, compares,
// explains and reports them. Everything here returns values and prints nothing; what a person
// should know while an operation goes on is told to the session as events.
package study

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"ablate/cache"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/sources"
	"ablate/pipeline"
	"ablate/runner"
	"ablate/runner/machine"
	"ablate/specs"
	"ablate/stages"
)

// A Session is what the commands of one invocation share: where things lie, how large studies are,
// and what the machine gives. The zero value works on the default cache with the whole machine.
type Session struct {
	CacheDir string // "": cache.DefaultDir
	Upstream string // another cache, read after this one and never changed; "": none
	Remote   string // directory or s3://BUCKET/PREFIX; "": none
	Scale    string // of studies: "" their own size, or mini

	Resources
	Version  string                                    // of the program, for provenance
	Variable func(name string) (value string, ok bool) // what ${NAME} in a pattern stands for; nil: sources.Environment
	Tell     func(Event)                               // what a person should know while an operation goes on; nil: nothing
}

// Resources are what operations may use of the machine. Results do not depend on them.
type Resources struct {
	Threads int   // processors; 0: all
	Memory  int64 // bytes; 0: four fifths of the machine's
}

// WithDefaults is r with what is 0 filled in. The memory stays 0 where the system does not say what
// there is.
func (r Resources) WithDefaults() Resources {
	if r.Threads < 1 {
		r.Threads = runtime.GOMAXPROCS(0)
	}
	if r.Memory == 0 {
		r.Memory = machine.Here().Memory() / 5 * 4 // the rest is for other programs and for files' pages
	}
	return r
}

// Program is what reports and bundles say of the program that made them.
func (s *Session) Program() string { return "ablate " + s.Version }

// TempDir makes a folder for temporary files.
func TempDir(pattern string) (string, error) {
	dir, err := os.MkdirTemp("", pattern)
	if err != nil {
		return "", fault.Place(fmt.Errorf("temporary files cannot be written to %s: %w; set TMPDIR to a folder that can be written to", os.TempDir(), err))
	}
	return dir, nil
}

// Running are the options of a run in this session, but for its cache: the one place where they are
// filled in. Instructions that the machine lacks are refused, before a cache is made.
func (s *Session) Running() (runner.Options, error) {
	kernels, err := stages.Kernels("")
	if err != nil {
		return runner.Options{}, fault.Usage(err)
	}
	r := s.WithDefaults()
	return runner.Options{Kinds: stages.Kinds(), Slots: r.Threads, Memory: r.Memory, Version: s.Version, Kernels: kernels}, nil
}

// Event is what a person should know while an operation goes on: a Note, a Warning, or one of the
// events that an operation documents.
type Event any

// Note says something that is no mistake.
type Note struct{ Text string }

// Warning says what is most likely not meant, or what could not be done and does not end the
// operation.
type Warning struct{ Text string }

// Progress is an event of steps that are carried out.
type Progress struct {
	Study string
	Event runner.Event
	Step  string // that it is about; "": none

	Left *time.Duration // that the run will go on for, as it is going; nil: not known
}

// StepsEnded is the event that nothing more is carried out of a study for now, well or not.
type StepsEnded struct {
	Study     string
	Conflicts []*cache.Conflict // steps that gave other bytes than another run's
	Moved     Moved
}

// Watch gives a function that tells each event of a study's steps. left says how long the run will
// go on for after an event; nil: nobody knows.
func (s *Session) Watch(study string, left func(runner.Event) *time.Duration) func(runner.Event) {
	var plan *pipeline.Plan
	return func(e runner.Event) {
		if e.State != nil {
			plan = e.State.Plan
		}
		p := Progress{Study: study, Event: e}
		if e.Step >= 0 {
			p.Step = plan.Steps[e.Step].ID
		}
		if left != nil {
			p.Left = left(e)
		}
		s.Say(p)
	}
}

// Say tells an event of an operation.
func (s *Session) Say(e Event) {
	if s.Tell != nil {
		s.Tell(e)
	}
}

// Load reads a study at the session's scale; everything wrong with it is an error of usage.
func (s *Session) Load(name string) (*specs.Study, error) {
	study, err := specs.LoadScale(name, s.Scale)
	var list specs.Errors
	if err != nil && !errors.As(err, &list) && !fault.OfMachine(err) {
		return nil, fault.Usage(err)
	}
	return study, err
}

// OpenCache opens the cache to be written. What is read of it ends with ctx.
func (s *Session) OpenCache(ctx context.Context) (*cache.Cache, error) {
	return s.open(ctx, cache.Open)
}

// ReadCache opens the cache for an operation that only looks: where it cannot be written, because
// it belongs to another, lies on a read-only file system or the disk is full, looking is all the
// same possible.
func (s *Session) ReadCache(ctx context.Context) (*cache.Cache, error) {
	return s.open(ctx, cache.OpenOrRead)
}

// LookupCache is ReadCache with the upstream, for an operation that looks studies up.
func (s *Session) LookupCache(ctx context.Context) (*cache.Cache, error) {
	return s.join(s.ReadCache(ctx))
}

// ChangeCache is OpenCache with the upstream, for an operation that looks studies up and changes
// the cache.
func (s *Session) ChangeCache(ctx context.Context) (*cache.Cache, error) {
	return s.join(s.OpenCache(ctx))
}

// AuditCache opens the cache for an audit, which writes nothing, with the upstream.
func (s *Session) AuditCache(ctx context.Context) (*cache.Cache, error) {
	return s.join(s.open(ctx, cache.OpenAudit))
}

// join adds the upstream, if one is named.
func (s *Session) join(c *cache.Cache, err error) (*cache.Cache, error) {
	if err == nil && s.Upstream != "" {
		err = c.Upstream(s.Upstream)
	}
	return c, err
}

func (s *Session) open(ctx context.Context, open func(dir string) (*cache.Cache, error)) (*cache.Cache, error) {
	dir, err := s.CacheDir, error(nil)
	if dir == "" {
		dir, err = cache.DefaultDir()
	}
	if err != nil {
		return nil, err
	}
	if cache.GroupWrites(dir) {
		// A cache that a group shares, as git's shared repositories: what steps leave there half
		// done must be for the others to go on with.
		syscall.Umask(syscall.Umask(0o077) &^ 0o070)
	}
	c, err := open(dir)
	if err == nil {
		c.Until(ctx)
	}
	return c, err
}

// Planning is how a study is planned.
type Planning struct {
	Absent   bool // a study whose data is not there is planned, too, where it declares its units
	Assume   bool // where the corpus must be split again, the plan is completed with the units of the last split
	Register bool // what the study needs is kept by a collection of the cache's garbage, as of a study that ran
	Local    bool // the remote is not looked at
}

// Plan loads a study and plans it as far as the cache allows: where the catalogue of units is known
// from an earlier split, the plan is complete.
func (s *Session) Plan(c *cache.Cache, name string, how Planning) (*Compiled, error) {
	study, err := s.Load(name)
	if err != nil {
		return nil, err
	}
	if how.Register && !c.ReadOnly() { // else nothing of it is run, and whoever owns the cache decides what is kept
		path := study.Path
		if _, err := os.Stat(path); err == nil { // else a shipped study, which has one name everywhere
			if path, err = filepath.Abs(path); err != nil {
				return nil, err
			}
		}
		if err := c.Register(study.Name, path); err != nil {
			return nil, err
		}
	}
	src, err := sources.Finder{Digest: c.FileDigest, Variable: s.Variable, Absent: how.Absent}.Find(study)
	if err != nil {
		return nil, err
	}
	p := &Compiled{Study: study, Sources: src, Cache: c, Program: s.Program(), lookup: c.Lookup, units: unitsFound}
	if err := p.compile(); err != nil {
		return nil, err
	}
	if how.Assume && p.Plan.Partial != "" {
		return p, p.assume()
	}
	return p, nil
}

// WithPlan opens the cache to look, plans a study and calls f. It closes the cache.
func (s *Session) WithPlan(ctx context.Context, name string, how Planning, f func(*Compiled) error) error {
	return s.WithPlans(ctx, []string{name}, how, func(plans []*Compiled) error { return f(plans[0]) })
}

// WithPlans is WithPlan of several studies, on one cache.
func (s *Session) WithPlans(ctx context.Context, names []string, how Planning, f func([]*Compiled) error) (err error) {
	c, err := s.LookupCache(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if !how.Local {
		end, err := s.lookRemote(ctx, c)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, end()) }()
	}
	var plans []*Compiled
	for _, name := range names {
		p, err := s.Plan(c, name, how)
		if err != nil {
			return err
		}
		plans = append(plans, p)
	}
	return f(plans)
}
