// Package auditing audits a finished study, or the bundle of one: it finds the study, its raw
// files, its cache and its report, has package audit check them against each other, and packs a
// bundle of what is sound.
package auditing

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"ablate/cmd/internal/output"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/reporting"
	"ablate/runner/audit"
	"ablate/runner/bundle"
	"ablate/stages"
	"ablate/stages/report"
)

// Options say what is audited, and what is executed again.
type Options struct {
	Study     string        // a YAML file, the name of a shipped study, or a bundle
	Out       string        // where the run left its report; "": out/STUDY
	Recompute []string      // steps that are executed again: so many drawn at random, the one of this name, or all
	Budget    time.Duration // for steps that are executed again unasked; 0: none of them
	Seed      uint64        // of what is drawn; 0: a random one
	Data      []string      // of a bundle: where raw files lie, DIR or NAME=DIR
	Pack      *Packing      // what is packed where there is no difference; nil: nothing
}

// Packing says what a bundle holds beside what every bundle does.
type Packing struct {
	File        string // where the bundle goes
	License     string // of what is packed, or its address
	Hosts       bool   // the names of the machines
	Checkpoints bool
	Tokens      bool
}

// Result is what an audit found.
type Result struct {
	audit.Result
	Study   string
	Cache   string           // where it lies
	Out     string           // where the report lies
	Beneath string           // the cache that is read after it; "": none
	Bundle  *bundle.Manifest // of what was audited; nil: a study and its cache
	All     int              // steps of the study
	Seed    uint64           // of what was drawn; 0: nothing was
	Drawn   bool             // the seed decided which steps were executed again
	Packed  int64            // bytes of the bundle that was written; 0: none
}

// Sound reports whether the audit found no difference.
func (r *Result) Sound() bool { return len(r.Findings) == 0 }

// Audit checks a finished study, and packs it where that is asked for and there is no difference.
// Where the audit ended and the packing failed, both the result and an error are returned. What
// goes on is told as notes.
func Audit(ctx context.Context, s *study.Session, opt Options) (_ *Result, err error) {
	if s.Threads < 0 || opt.Budget < 0 {
		return nil, fault.Usagef("--threads %d --budget %s: neither can be below 0", s.Threads, opt.Budget)
	}
	if opt.Pack != nil {
		if err := reporting.CheckFile("--bundle", opt.Pack.File, nil); err != nil {
			return nil, err
		}
	}
	temp, err := study.TempDir("ablate-audit-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	sub, err := open(ctx, s, opt, temp)
	if err != nil {
		return nil, err
	}
	if opt.Pack != nil {
		if err := reporting.CheckFile("--bundle", opt.Pack.File, sub.study.Files()); err != nil {
			return nil, err
		}
	}
	c := &check{subject: sub, opt: opt, temp: temp, seed: opt.Seed, session: s}
	if err := c.all(ctx); ctx.Err() != nil {
		return nil, context.Cause(ctx)
	} else if err != nil {
		return nil, err
	}
	r := c.result()
	if opt.Pack != nil && r.Sound() {
		r.Packed, err = c.pack()
	}
	return r, err
}

// check is an audit under way.
type check struct {
	*subject
	*audit.Audit
	opt     Options
	session *study.Session
	temp    string // for all that is made again
	p       *study.Compiled
	seed    uint64
	drawn   bool
}

// remade is the directory of what was made again of the report.
func (c *check) remade() string { return filepath.Join(c.temp, "out") }

// tell says what goes on.
func (c *check) tell(format string, args ...any) {
	c.session.Say(study.Note{Text: fmt.Sprintf(format, args...)})
}

// all carries the audit out.
func (c *check) all(ctx context.Context) error {
	rec, damage := study.ReadRecord(c.out)
	if damage != nil && len(rec.Damaged) == 0 {
		return damage
	}
	use := c.session.WithDefaults()
	c.Audit = audit.New(audit.Options{
		Cache: c.cache, Kinds: stages.Kinds(), Threads: use.Threads, Memory: use.Memory, Temp: c.temp, Tell: func(line string) { c.session.Say(study.Note{Text: line}) },
		Beside: []string{output.MarkFile}, Differ: report.Difference, Lacks: c.lacks(),
	}, rec.Steps)
	for _, d := range rec.Damaged {
		c.Find("report", d.Name, "", "cannot be read: %v", d.Err)
	}
	src, err := c.raw(ctx, rec)
	if errors.Is(err, errNoRecord) {
		c.Skip("steps, blobs and the report", "no key of the study can be derived without "+study.SourcesFile)
		return nil
	} else if err != nil {
		return err
	}
	if rec.Study != nil && c.bundle == nil {
		c.sameStudy(rec.Study)
	}
	if c.p, err = c.session.PlanRecorded(c.study, src, c.cache, c.Lookup); err != nil {
		return err
	}
	c.Steps(c.p.State)
	c.tell("reading the blobs of %d steps", len(c.p.Plan.Steps))
	if err := c.Blobs(ctx); err != nil {
		return err
	}
	if err := c.execute(ctx); err != nil {
		return err
	}
	if err := c.report(ctx); err != nil {
		return err
	}
	c.metadata()
	c.Skip("who ran it, where, when and how long it took", "entries hold what the machine reported about itself; no key and no result depends on this record")
	return nil
}

func (c *check) result() *Result {
	r := &Result{
		Result: c.Result, Study: c.study.Name, Cache: c.cache.Dir(), Out: c.out, Beneath: c.session.Upstream, Bundle: c.bundle,
		Seed: c.seed, Drawn: c.drawn,
	}
	if c.p != nil {
		r.All = len(c.p.Plan.Steps)
	}
	return r
}

// complete reports whether the cache has every step of the study.
func (c *check) complete() bool {
	_, run, waits := c.p.State.Count()
	return run+waits == 0 && c.p.Plan.Partial == ""
}

// report makes the output directory again from the cache and compares it.
func (c *check) report(ctx context.Context) error {
	why := ""
	if !c.complete() {
		why = "steps that this file is made from are lost"
	} else if err := remake(c.remade(), c.p); err != nil {
		why = err.Error()
	} else if _, err := os.Lstat(filepath.Join(c.out, reporting.LossesFile)); err == nil {
		if err := reporting.Losses(ctx, c.p).Write(filepath.Join(c.remade(), reporting.LossesFile)); err != nil {
			return err
		}
	}
	if !c.hasReport() {
		c.Skip("the report", "there is no report at %s (name its folder with --out, or write it with `ablate report`)", c.out)
		return nil
	}
	if why != "" {
		c.Skip("report.html, plan.json and provenance.json as a whole", "these files could not be made again: %s", why)
	}
	if err := c.Files(ctx, c.remade(), c.out); err != nil {
		return err
	}
	return c.mark()
}

// mark compares the mark of the output directory with the report. A bundle's report has none.
func (c *check) mark() error {
	if c.bundle != nil {
		return nil
	}
	made, err := audit.Names(c.remade())
	if err != nil {
		return err
	}
	m, err := output.ReadMark(c.out)
	if errors.Is(err, os.ErrNotExist) {
		c.Skip("which files of "+c.out+" ablate wrote", "there is no %s; early versions left none, and the next run or report writes one", output.MarkFile)
		return nil
	} else if err != nil {
		c.Find("report", output.MarkFile, "", "%v", err)
		return nil
	}
	for _, wrong := range m.Judge(c.study.Name, made) {
		c.Find("report", output.MarkFile, "", "%s", wrong)
	}
	for _, name := range m.Missing() {
		if reporting.Has(name) {
			c.Find("report", name, "", "is missing in %s; %s lists it among the files that ablate wrote there", c.out, output.MarkFile)
		}
	}
	return nil
}

// remake makes the files of the report of a run again.
func remake(dir string, p *study.Compiled) error {
	files, _, err := reporting.Files(dir, p)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := output.Write(filepath.Join(dir, filepath.FromSlash(f.Name)), f.Data); err != nil {
			return err
		}
	}
	return nil
}
