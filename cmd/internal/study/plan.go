package study

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"ablate/cache"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/sources"
	"ablate/specs"
)

// Load reads a study at the session's scale; everything wrong with it is an error of usage.
func (s *Session) Load(name string) (*specs.Study, error) {
	study, err := specs.LoadScale(name, s.Scale)
	var list specs.Errors
	if err != nil && !errors.As(err, &list) && !fault.OfMachine(err) {
		return nil, fault.Usage(err)
	}
	return study, err
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
