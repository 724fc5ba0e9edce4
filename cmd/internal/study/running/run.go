// Package running carries studies out: it computes what the cache lacks, leaves the reports,
// compares several studies, and makes what a person takes out of a study.
package running

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"ablate/cache"
	"ablate/cmd/internal/output"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/corpora"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/reporting"
	"ablate/cmd/internal/study/timing"
	"ablate/runner"
	"ablate/specs"
)

// Options of a run.
type Options struct {
	Studies     []string // run one after the other
	Corpus      bool     // the corpora are tokenized and split, and nothing is trained
	Out         string   // where the report goes; "": out/STUDY; of several studies, below it
	Losses      bool     // with the losses of all documents
	Table       string   // file that a table of the studies will be written to; "": none
	Compare     bool     // the studies are compared with each other and with the paper
	Jobs        int      // steps at once at most; 0: one per thread
	SaveEvery   time.Duration
	FailFast    bool // after a failure nothing more is started
	IgnoreSpace bool // the disks are not looked at
	Force       bool // the report may go into a folder that holds files which no run of ablate wrote
}

// Begins is the event that a study of several begins.
type Begins struct {
	N, Of int // from 1
	Name  string
}

// Expects is the event that the steps of a study begin, with how long they take. A study whose units
// are not known yet tells it once more when they are.
type Expects struct {
	Study string
	timing.Estimate
}

// Read is the event that documents were read: what became of them. Where more than corpora is made,
// only readings in which something was left out or not found are told.
type Read struct {
	Study    string
	Readings []corpora.Reading
}

// Ends is the event that a study was carried out and its report lies where it should.
type Ends struct{ *Finished }

// Finished is a study that a run has carried out.
type Finished struct {
	*study.Compiled
	Name     string // as it was asked for
	Out      string // where its report lies
	Ran      int    // steps
	Upstream int    // steps that the upstream had
	Remote   int    // steps that the remote had
	Took     time.Duration
	Outcome  *timing.Outcome // how the estimate did; nil: there was none

	Result    *reporting.Result // nil where nothing was trained
	Catalogue []corpora.Split   // where nothing was trained: what the corpora are
	Changes   []corpora.Change  // likewise
}

// running is a run of several studies under way.
type running struct {
	Options
	s     *study.Session
	cache *cache.Cache
	with  runner.Options
}

// Run carries studies out. A study that fails does not keep those after it from running, unless
// FailFast says so; the error is of all that failed. What is told meanwhile are the session's
// warnings and notes, Begins, study.Progress, study.StepsEnded, Read and Ends. The comparison is
// nil where none was asked for or no study was carried out.
func Run(ctx context.Context, s *study.Session, opt Options) (x *Comparison, err error) {
	began := time.Now()
	with, err := s.Running()
	if err != nil {
		return nil, err
	}
	c, err := s.LookupCache(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	with.Cache, with.Jobs, with.FailFast, with.Save, with.Began = c, opt.Jobs, opt.FailFast, opt.SaveEvery, began.UTC().Format("2006-01-02T15:04:05.000000000Z07:00")
	r := &running{Options: opt, s: s, cache: c, with: with}
	outs, err := r.check()
	if err != nil {
		return nil, err
	}
	var failed error
	var done []*Finished
	for i, name := range opt.Studies {
		if len(opt.Studies) > 1 {
			s.Say(Begins{i + 1, len(opt.Studies), name})
		}
		f, err := r.one(ctx, name, outs[i])
		if err == nil {
			done = append(done, f)
			continue
		}
		failed = errors.Join(failed, err, c.Unregister(false))
		if opt.FailFast || ctx.Err() != nil {
			break
		}
	}
	if opt.Compare && len(done) > 0 {
		if x, err = compare(s, done); err == nil {
			x.Took = time.Since(began)
		}
		failed = errors.Join(failed, err)
	}
	return x, failed
}

// check reads every study before the first one runs and looks where its report goes, so that
// mistakes are told at once. It returns the output directory of each.
func (r *running) check() ([]*output.Dir, error) {
	names := map[string]string{}
	var outs []*output.Dir
	for _, name := range r.Studies {
		st, err := r.s.Load(name)
		if err != nil {
			return nil, err
		}
		if other, ok := names[st.Name]; ok {
			return nil, fault.Usagef("%s and %s are both called %s, and would write their reports to the same folder; give one of the studies another name", other, name, st.Name)
		}
		names[st.Name] = name
		out, err := reporting.Look(r.outOf(st), st, r.Force)
		if err != nil {
			return nil, err
		}
		outs = append(outs, out)
		if r.Table != "" {
			if err := reporting.CheckFile("--table", r.Table, st.Files()); err != nil {
				return nil, err
			}
		}
	}
	if r.Corpus {
		return outs, nil
	}
	temp, err := study.TempDir("ablate-*")
	if err != nil {
		return nil, err
	}
	return outs, os.Remove(temp)
}

// outOf is where the report of one of the studies goes.
func (r *running) outOf(s *specs.Study) string {
	if r.Out != "" && len(r.Studies) > 1 {
		return filepath.Join(r.Out, filepath.FromSlash(s.Name))
	}
	return reporting.Dir(r.Out, s)
}

// one runs one study and leaves its report. What studies before it have done it finds in the cache.
func (r *running) one(ctx context.Context, name string, out *output.Dir) (f *Finished, err error) {
	began := time.Now()
	remote, err := r.s.RunRemote(ctx, r.cache)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remote.Close()) }()
	p, err := r.s.Plan(r.cache, name, study.Planning{Register: true})
	if err != nil {
		return nil, err
	}
	f = &Finished{Compiled: p, Name: name, Out: out.Path()}
	for _, note := range p.Notes() {
		r.s.Say(study.Note{Text: note})
	}
	if err := r.claim(p, out); err != nil {
		return f, err
	}
	if err := r.steps(ctx, f, remote); err != nil {
		return f, blame(p, err)
	}
	if err := r.readings(p); err != nil {
		return f, err
	}
	if !r.Corpus {
		if err := reporting.Write(ctx, out, p, r.Losses); err != nil {
			return f, fmt.Errorf("%w\nno result is lost: all results are in the cache, and `ablate report %s --out DIR` writes the report elsewhere", err, name)
		}
	}
	if err := r.cache.Unregister(!r.Corpus); err != nil {
		return f, err
	}
	for _, key := range p.State.Keys {
		if r.cache.FromUpstream(key) {
			f.Upstream++
		} else if remote.Has(key) {
			f.Remote++
		}
	}
	if r.Corpus {
		f.Changes = corpora.Changes(p)
		f.Catalogue, err = corpora.Catalogue(p)
	} else {
		f.Result, err = reporting.ResultOf(p, f.Out)
	}
	if err != nil {
		return f, err
	}
	f.Took = time.Since(began)
	r.s.Say(Ends{f})
	return f, nil
}

// claim makes the output directory, and looks whether what the study reads is where something is to
// be written.
func (r *running) claim(p *study.Compiled, out *output.Dir) error {
	if r.Table != "" {
		if err := reporting.CheckFile("--table", r.Table, p.Reads()); err != nil {
			return err
		}
	}
	if r.Corpus {
		return nil
	}
	was, err := reporting.Claim(out, p, r.IgnoreSpace)
	if was != "" {
		r.s.Say(reporting.Replaces(out, was))
	}
	return err
}

// readings tells what became of documents.
func (r *running) readings(p *study.Compiled) error {
	list, err := corpora.Readings(p)
	if err != nil {
		return err
	}
	told := Read{Study: p.Study.Name}
	for _, x := range list {
		if r.Corpus || x.Notable() {
			told.Readings = append(told.Readings, x)
		}
	}
	r.s.Say(told)
	return nil
}

// steps carries the steps of a study out and tells how that went.
func (r *running) steps(ctx context.Context, f *Finished, remote *study.RemoteRun) error {
	ended := study.StepsEnded{Study: f.Study.Name}
	with := r.with
	with.LogDir = filepath.Join(f.Out, "logs")
	x := &expectation{r: r}
	with.Events = remote.Watch(r.s.Watch(f.Study.Name, x.left))
	events := with.Events
	with.Events = func(e runner.Event) {
		if e.What == runner.Finished {
			f.Ran++
		}
		var conflict *cache.Conflict
		if e.What == runner.Conflict && errors.As(e.Err, &conflict) {
			ended.Conflicts = append(ended.Conflicts, conflict)
		}
		events(e)
	}
	err := r.carryOut(ctx, f.Compiled, with, remote, x)
	f.Outcome = x.end()
	ended.Moved = remote.Finish()
	r.s.Say(ended)
	return err
}

// carryOut runs the plan; where units are not known yet, or not by their names, up to the split and
// the seed model, after which the plan is extended by them.
func (r *running) carryOut(ctx context.Context, p *study.Compiled, with runner.Options, remote *study.RemoteRun, x *expectation) (err error) {
	if r.Corpus {
		p.Plan = p.Plan.Corpora(false) // that is all of it
	}
	if err := x.make(ctx, p); err != nil {
		return err
	}
	for {
		part := p.Plan
		whole := r.Corpus || p.Settled()
		if !whole {
			part = part.Corpora(true)
		}
		if !r.Corpus && !r.IgnoreSpace {
			if err := r.checkDisk(p, part); err != nil {
				return err
			}
		}
		state, err := runner.Run(ctx, part, with)
		if err != nil {
			return err
		}
		if whole {
			p.State = state
			if here, err := remote.Settle(); err != nil || here {
				return err
			}
			continue // what the remote could not give after all is made here
		}
		if err := p.Resolve(); err != nil {
			return err
		}
		if grown, err := p.Extend(); err != nil {
			return err
		} else if !grown || !p.Settled() {
			return fmt.Errorf("internal error: every corpus is split, yet %s", p.Plan.Partial)
		}
		if err := x.make(ctx, p); err != nil {
			return err
		}
	}
}
