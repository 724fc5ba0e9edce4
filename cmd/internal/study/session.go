// Package study is what commands do: a Session loads studies, plans, runs, ranks, compares,
// explains and reports them. Everything here returns values and prints nothing; what a person
// should know while an operation goes on is told to the session as events.
package study

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"ablate/cache"
	"ablate/cmd/internal/study/fault"
	"ablate/runner"
	"ablate/runner/machine"
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
