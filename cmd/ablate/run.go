package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"ablate/cache"
	"ablate/cmd/internal/output"
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/corpora"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/reporting"
	"ablate/runner"
	"ablate/specs"
	"ablate/stages"
)

type runCommand struct {
	Studies     []string      `arg:"" name:"study" help:"YAML files, or names of shipped studies. Several run one after the other, share what is the same, and end in one table."`
	Corpus      bool          `help:"Tokenize and split the corpora, show what they are, and train nothing."`
	Out         string        `help:"Where the report goes (default: out/STUDY); of several studies, below it (DIR/STUDY)." placeholder:"DIR"`
	Losses      bool          `help:"Leave losses.parquet beside the report, too: the loss of every document by every model behind a score, one table."`
	Table       string        `help:"Leave the table that compares the studies with each other and with the paper here, as Markdown." placeholder:"FILE"`
	Jobs        int           `help:"Steps at once at most (default: one per thread)." placeholder:"N"`
	Threads     int           `help:"Processors to use (default: all). Results do not depend on it." placeholder:"N"`
	Memory      size          `help:"Memory to use, as 6GB (default: four fifths of the machine's). Trainings that need more compute parts of it twice, or wait for each other. Results do not depend on it." placeholder:"SIZE"`
	FailFast    bool          `help:"After a failure start nothing more; otherwise all that does not need the failed step goes on."`
	SaveEvery   time.Duration `default:"1m" help:"How often a training under way is saved; a kill loses no more than that." placeholder:"TIME"`
	IgnoreSpace bool          `help:"Run though the disk of the cache or of the report seems too small for what the run will leave."`
	Force       bool          `help:"Write the report into a folder that holds files which no run of ablate wrote, and replace those of them that have names of the report's."`
	JSON        bool          `help:"Print the events of the run as JSON lines instead of the result."`
	Quiet       bool          `short:"q" help:"Show failures and the result only."`
}

// finished is a study that a run has carried out.
type finished struct {
	*study.Compiled
	name string // on the command line
	out  string // where its report lies
	ran  int    // steps
}

func (r runCommand) Run(a *app) (err error) {
	began := time.Now()
	if r.Jobs < 0 || r.Threads < 0 || r.SaveEvery < 0 {
		return fault.Usagef("--jobs %d --threads %d --save-every %s: want none below 0", r.Jobs, r.Threads, r.SaveEvery)
	}
	if r.Table != "" && r.Corpus {
		return fault.Usage(errors.New("--table compares trained models, and --corpus trains none: take one of them"))
	}
	if r.Losses && r.Corpus {
		return fault.Usage(errors.New("--losses writes losses of trained models, and --corpus trains none: take one of them"))
	}
	outliveReaders()
	c, err := a.LookupCache(a.ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	a.Resources = study.Resources{Threads: r.Threads, Memory: int64(r.Memory)}
	opt, err := a.Running(c)
	if err != nil {
		return err
	}
	opt.Jobs, opt.FailFast, opt.Save, opt.Began = r.Jobs, r.FailFast, r.SaveEvery, began.UTC().Format("2006-01-02T15:04:05.000000000Z07:00")
	if opt.Memory > 0 {
		// What a step leaves behind must go before the next one's memory comes; otherwise the collector would let the heap double first.
		debug.SetMemoryLimit(min(opt.Memory, debug.SetMemoryLimit(-1)))
	}
	outs, err := r.check(a)
	if err != nil {
		return err
	}
	var failed error
	var done []finished
	for i, name := range r.Studies {
		if len(r.Studies) > 1 && !r.JSON {
			fmt.Fprintf(a.stderr, "study %d of %d: %s\n", i+1, len(r.Studies), name)
		}
		f, err := r.one(a, c, opt, name, outs[i])
		if err == nil {
			done = append(done, f)
			continue
		}
		failed = errors.Join(failed, err, c.Unregister(false))
		if r.FailFast || a.ctx.Err() != nil {
			break
		}
	}
	if r.JSON || r.Corpus || len(r.Studies) == 1 && r.Table == "" {
		return failed
	}
	return errors.Join(failed, r.compare(a, done, time.Since(began)))
}

// check reads every study before the first one runs and looks where its report goes, so that mistakes are told at once. It returns the
// output directory of each.
func (r runCommand) check(a *app) ([]*output.Dir, error) {
	names := map[string]string{}
	var outs []*output.Dir
	for _, study := range r.Studies {
		s, err := a.Load(study)
		if err != nil {
			return nil, err
		}
		if other, ok := names[s.Name]; ok {
			return nil, fault.Usagef("%s and %s are both called %s, and would leave their reports in one place", other, study, s.Name)
		}
		names[s.Name] = study
		out, err := reporting.Look(r.outOf(s), s, r.Force)
		if err != nil {
			return nil, err
		}
		outs = append(outs, out)
		if r.Table != "" {
			if err := checkFile("--table", r.Table, s.Files()); err != nil {
				return nil, err
			}
		}
	}
	if !r.Corpus {
		temp, err := makeTemp("ablate-*")
		if err != nil {
			return nil, err
		}
		return outs, os.Remove(temp)
	}
	return outs, nil
}

// outOf is where the report of one of the studies goes.
func (r runCommand) outOf(s *specs.Study) string {
	if r.Out != "" && len(r.Studies) > 1 {
		return filepath.Join(r.Out, filepath.FromSlash(s.Name))
	}
	return outDir(r.Out, s)
}

// one runs one study and leaves its report. What studies before it have done it finds in the cache.
func (r runCommand) one(a *app, c *cache.Cache, opt runner.Options, name string, out *output.Dir) (f finished, err error) {
	began := time.Now()
	far, err := a.RunRemote(a.ctx, c)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, far.Close()) }()
	p, err := a.Plan(c, name, study.Planning{Register: true})
	if err != nil {
		return f, err
	}
	f = finished{Compiled: p, name: name, out: out.Path()}
	if !r.Quiet {
		tellNotes(a.stderr, p)
	}
	if r.Table != "" {
		if err := checkFile("--table", r.Table, p.Reads()); err != nil {
			return f, err
		}
	}
	if !r.Corpus {
		if err := claimOut(a.stderr, out, p, r.IgnoreSpace); err != nil {
			return f, err
		}
	}
	display := show.NewDisplay(a.stderr, r.Quiet)
	opt.LogDir, opt.Events = filepath.Join(f.out, "logs"), display.Event
	if r.JSON {
		opt.Events = r.jsonEvents(a, p)
	}
	var conflicts []*cache.Conflict
	opt.Events = far.Watch(opt.Events)
	f.ran, conflicts, err = r.carryOut(a, p, opt, far)
	moved := far.Finish()
	display.Close()
	tellConflicts(a.stderr, conflicts)
	tellMoved(a.stderr, moved)
	if err != nil {
		return f, blame(p, err)
	}
	if err := r.tellReadings(a, p); err != nil {
		return f, err
	}
	if !r.Corpus {
		if err := reporting.Write(a.ctx, out, p, r.Losses); err != nil {
			return f, fmt.Errorf("%w\nnothing is lost: all results are in the cache, and `ablate report %s --out DIR` writes the report elsewhere", err, name)
		}
	}
	if err := c.Unregister(!r.Corpus); err != nil {
		return f, err
	}
	if r.JSON {
		return f, nil
	}
	fmt.Fprintf(a.stderr, "%d steps: %d were in the cache%s, %d ran; %.2fs\n", len(p.Plan.Steps), len(p.Plan.Steps)-f.ran, fromElsewhere(p, far), f.ran, time.Since(began).Seconds())
	if r.Corpus {
		err := printCatalogue(a.stdout, p)
		show.Changes(a.stdout, corpora.Changes(p))
		return f, err
	}
	if len(r.Studies) > 1 {
		return f, nil // one table tells of all
	}
	res, err := reporting.ResultOf(p, f.out)
	if err != nil {
		return f, err
	}
	return f, show.Result(a.stdout, res)
}

// fromElsewhere says how many steps the upstream and the remote had, if any.
func fromElsewhere(p *study.Compiled, remote *study.RemoteRun) string {
	up, far := 0, 0
	for _, key := range p.State.Keys {
		if p.Cache.FromUpstream(key) {
			up++
		} else if remote.Has(key) {
			far++
		}
	}
	var parts []string
	if up > 0 {
		parts = append(parts, fmt.Sprintf("%d of them upstream", up))
	}
	if far > 0 {
		parts = append(parts, fmt.Sprintf("%d of them from the remote", far))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// tellConflicts says at the end, where it is not overlooked, that steps gave other bytes than another run's.
func tellConflicts(w io.Writer, conflicts []*cache.Conflict) {
	for _, e := range conflicts {
		fmt.Fprintf(w, "NOT DETERMINISTIC: %v\n  first: %s on %s, %s\n  now:   %s on %s, %s\n", e,
			e.First.Provenance.Started, cache.Printable(e.First.Provenance.Host), cache.Printable(e.First.Provenance.CPU),
			e.Second.Provenance.Started, e.Second.Provenance.Host, e.Second.Provenance.CPU)
	}
	if len(conflicts) > 0 {
		fmt.Fprintln(w, "The first results stand, and all that was made from them agrees with them. Both are kept: `ablate cache verify` tells of them until `ablate cache rm KEY` removes them.")
	}
}

// carryOut runs the plan; where units are not known yet, or not by their names, up to the split and the seed model, after which the plan is
// compiled again. It returns how many steps ran, and which gave other bytes than another run's.
func (r runCommand) carryOut(a *app, p *study.Compiled, opt runner.Options, far *study.RemoteRun) (ran int, conflicts []*cache.Conflict, err error) {
	events := opt.Events
	opt.Events = func(e runner.Event) {
		if e.What == runner.Finished {
			ran++
		}
		var conflict *cache.Conflict
		if e.What == runner.Conflict && errors.As(e.Err, &conflict) {
			conflicts = append(conflicts, conflict)
		}
		events(e)
	}
	if r.Corpus {
		p.Plan = p.Plan.Corpora(false)
		for whole := false; !whole && err == nil; {
			if p.State, err = runner.Run(a.ctx, p.Plan, opt); err == nil {
				whole, err = far.Settle()
			}
		}
		return ran, conflicts, err
	}
	for {
		settled := p.Settled()
		if !settled {
			p.Plan = p.Plan.Corpora(true)
		}
		if err := r.checkSpace(a, p, opt); err != nil {
			return ran, conflicts, err
		}
		if p.State, err = runner.Run(a.ctx, p.Plan, opt); err != nil {
			return ran, conflicts, err
		}
		if settled {
			whole, err := far.Settle()
			if err != nil || whole {
				return ran, conflicts, err
			}
			continue // what the remote could not give after all is made here
		}
		if _, err := p.Extend(); err != nil {
			return ran, conflicts, err
		}
		if !p.Settled() {
			return ran, conflicts, fmt.Errorf("internal error: every corpus is split, yet %s", p.Plan.Partial)
		}
	}
}

// checkSpace holds what the run will leave against what is free, before it begins.
func (r runCommand) checkSpace(a *app, p *study.Compiled, opt runner.Options) error {
	jobs := opt.Slots
	if opt.Jobs > 0 {
		jobs = min(jobs, opt.Jobs)
	}
	if r.IgnoreSpace {
		return nil
	}
	state := p.State
	if state.Plan != p.Plan {
		var err error
		if state, err = p.Plan.Resolve(stages.Kinds(), p.Cache.Lookup); err != nil {
			return err
		}
	}
	n, err := need(state, jobs)
	if err != nil {
		return err
	}
	return n.check(a.stderr, p.Cache.Free(), p.Cache)
}

// jsonEvents prints each event as a line of JSON. Of several studies each line names its own.
func (r runCommand) jsonEvents(a *app, p *study.Compiled) func(runner.Event) {
	names := [...]string{"planned", "started", "progress", "finished", "reused", "failed", "warning", "conflict", "notice"}
	enc := json.NewEncoder(a.stdout)
	return func(e runner.Event) {
		line := struct {
			Event   string  `json:"event"`
			Study   string  `json:"study,omitempty"`
			Step    string  `json:"step,omitempty"`
			Key     string  `json:"key,omitempty"`
			Seconds float64 `json:"seconds,omitempty"`
			Done    int64   `json:"done,omitempty"`
			Total   int64   `json:"total,omitempty"`
			Unit    string  `json:"unit,omitempty"`
			Docs    int64   `json:"documents,omitempty"`
			Message string  `json:"message,omitempty"`
			Hit     int     `json:"hit,omitempty"`
			Steps   int     `json:"steps,omitempty"`
		}{Event: names[e.What], Seconds: e.Took.Seconds(), Done: e.Done, Total: e.Total, Unit: e.Unit, Docs: e.Docs, Message: e.Message}
		if len(r.Studies) > 1 {
			line.Study = p.Study.Name
		}
		if e.State != nil {
			line.Hit, _, _ = e.State.Count()
			line.Steps = len(e.State.Plan.Steps)
		}
		if e.Step >= 0 {
			line.Step = p.Plan.Steps[e.Step].ID
		}
		if !e.Key.IsZero() {
			line.Key = e.Key.String()
		}
		if e.Err != nil {
			line.Message = e.Err.Error()
		}
		_ = enc.Encode(line) // a reader that went away must not stop the run
	}
}

// tellReadings says what became of documents: of all corpora where nothing but these is made, else where something was left out or not found.
func (r runCommand) tellReadings(a *app, p *study.Compiled) error {
	if r.Quiet && !r.JSON {
		return nil
	}
	lines, err := readingLines(p, r.Corpus)
	if err != nil {
		return err
	}
	for _, line := range lines {
		if r.JSON {
			r.jsonEvents(a, p)(runner.Event{What: runner.Notice, Step: -1, Message: line})
		} else {
			show.Printf(a.stderr, "%s\n", line)
		}
	}
	return nil
}
