package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"ablate/cache"
	"ablate/cmd/internal/output"
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/sources"
	"ablate/pipeline"
	"ablate/runner/audit"
	"ablate/runner/bundle"
	"ablate/specs"
	"ablate/specs/words"
	"ablate/stages"
	"ablate/stages/report"
)

type auditCommand struct {
	Study     string        `arg:"" help:"A YAML file, the name of a shipped study, or a bundle."`
	Out       string        `help:"Where the run left its report (default: out/STUDY)." placeholder:"DIR"`
	Recompute []string      `sep:"none" help:"Execute steps again and compare every byte: so many drawn at random, training among them; or the one of this name; or all." placeholder:"N|STEP|all"`
	Budget    time.Duration `help:"Time for executing evaluations, merges and resumed trainings again, which an audit does unasked. 0: none of them." default:"1m" placeholder:"DURATION"`
	Seed      uint64        `help:"Draws the same steps as the audit that printed it (default: random)." placeholder:"N"`
	Threads   int           `help:"Processors to use (default: all). Results do not depend on it." placeholder:"N"`
	Memory    size          `help:"Memory that a step may take, as 6GB (default: four fifths of the machine's)." placeholder:"SIZE"`
	Bundle    string        `help:"Pack what an outside auditor needs into this file, unless there are differences: study, provenance, losses per document, tables, report. \"ablate audit FILE\" checks it, on any machine." placeholder:"FILE"`
	Data      []string      `sep:"none" help:"Of a bundle: where the raw files lie, if they are here: the directory that the study's patterns start from, or NAME=DIR for $${NAME} in them. Nothing else of this machine is read for a bundle." placeholder:"[NAME=]DIR"`
	Hosts     bool          `help:"Keep the names of the machines in a bundle, which are left out otherwise."`
	License   string        `help:"Terms of what is packed, or their address, for the bundle's metadata." placeholder:"TEXT"`

	Checkpoints bool `help:"Pack checkpoints, too: evaluations can be executed again where there are tokens."`
	Tokens      bool `help:"Pack tokens and metadata of documents, too: with checkpoints, trainings and evaluations can be executed again. The text can be read from them."`

	JSON  bool `help:"Print the result as JSON."`
	Quiet bool `short:"q" help:"Print findings only."`
}

// errDiffers is the answer of an audit that found a difference.
var errDiffers = errors.New("the audit found differences")

// auditing is an audit as the command line has it: what the audit itself cannot know.
type auditing struct {
	auditCommand
	*audit.Audit
	study *specs.Study
	cache *cache.Cache
	out   string // where the report lies
	temp  string // for all that is made again
	p     *study.Compiled
	seed  uint64
	drawn bool // the seed decided what was executed again

	bundle *bundle.Manifest  // of what is audited, where it is one
	places map[string]string // of a bundle: what --data says
}

func (cmd auditCommand) Run(a *app) (err error) {
	if cmd.Threads < 0 || cmd.Budget < 0 {
		return fault.Usagef("--threads %d --budget %s: want none below 0", cmd.Threads, cmd.Budget)
	}
	if cmd.Bundle != "" {
		if err := checkFile("--bundle", cmd.Bundle, nil); err != nil {
			return err
		}
		if output.IsStdout(cmd.Bundle) {
			a.stdout = a.stderr
		}
	}
	temp, err := makeTemp("ablate-audit-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	x := &auditing{auditCommand: cmd, temp: temp}
	if bundle.Is(cmd.Study) {
		err = x.openBundle(a)
	} else {
		err = x.openStudy(a)
	}
	if err != nil {
		return err
	}
	if cmd.Bundle != "" {
		if err := checkFile("--bundle", cmd.Bundle, x.study.Files()); err != nil {
			return err
		}
	}
	rec, err := study.ReadRecord(x.out)
	if err != nil {
		return err
	}
	x.Audit = audit.New(x.options(a), rec.Steps)
	if err := x.all(a.ctx, rec); a.ctx.Err() != nil {
		return context.Cause(a.ctx)
	} else if err != nil {
		return err
	}
	if err := x.answer(a); err != nil || cmd.Bundle == "" {
		return err
	}
	return x.pack(a)
}

func (x *auditing) openStudy(a *app) (err error) {
	if x.study, err = a.Load(x.Study); err != nil {
		return err
	}
	if len(x.Data) > 0 {
		return fault.Usage(errors.New("--data is for bundles: a study says itself where its files lie"))
	}
	x.out = outDir(x.Out, x.study)
	if x.Out != "" && !x.hasReport() {
		return fault.Usagef("--out %s: no report is there: %s and the other files that a run leaves were looked for, and none was found; a run of %s leaves them in %s unless its --out names another folder",
			x.Out, strings.Join([]string{reportFile, planFile, study.ProvenanceFile}, ", "), x.Study, outDir("", x.study))
	}
	x.cache, err = a.AuditCache(a.ctx)
	return err
}

// hasReport reports whether there is anything of a report where it is to lie; a study.yaml may be a person's own. What lacks of a report
// is a difference.
func (x *auditing) hasReport() bool {
	return slices.ContainsFunc(reportNames, func(name string) bool {
		info, err := os.Stat(filepath.Join(x.out, name))
		return name != study.StudyFile && err == nil && info.Mode().IsRegular()
	})
}

// options are what an audit of cache c works with.
func (x *auditing) options(a *app) audit.Options {
	use := study.Resources{Threads: x.Threads, Memory: int64(x.Memory)}.WithDefaults()
	opt := audit.Options{
		Cache: x.cache, Kinds: stages.Kinds(), Threads: use.Threads, Memory: use.Memory, Temp: x.temp, Beside: []string{output.MarkFile}, Differ: report.Difference,
	}
	if !x.Quiet && !x.JSON {
		opt.Tell = func(line string) { fmt.Fprintln(a.stderr, line) }
	}
	if x.bundle != nil {
		opt.Lacks = x.bundle.Lacks
	}
	return opt
}

// all carries the audit out.
func (x *auditing) all(ctx context.Context, rec *study.Record) (err error) {
	src, err := x.raw(ctx, rec)
	if err != nil {
		return err
	}
	if rec.Study != nil && x.bundle == nil {
		x.sameStudy(rec.Study)
	}
	if x.p, err = (&study.Session{Version: version}).PlanRecorded(x.study, src, x.cache, x.Lookup); err != nil {
		return err
	}
	x.Steps(x.p.State)
	x.tell("reading the blobs of %d steps", len(x.p.Plan.Steps))
	if err := x.Blobs(ctx); err != nil {
		return err
	}
	chosen, err := x.chosen()
	if err != nil {
		return err
	}
	remade := x.remade()
	if err := os.Mkdir(remade, 0o777); err != nil {
		return err
	}
	if x.p.Plan.Result >= 0 {
		keep := func(dir string) error { return os.CopyFS(remade, os.DirFS(dir)) }
		if err := x.Execute(ctx, x.p.Plan.Result, keep); err != nil {
			return err
		}
	}
	for _, i := range chosen {
		if err := x.Execute(ctx, i, nil); err != nil {
			return err
		}
	}
	cheap := slices.DeleteFunc(x.Cheap(x.drawSeed()), func(i int) bool { return slices.Contains(chosen, i) })
	if x.Budget == 0 {
		cheap = nil
	}
	done, err := x.ExecuteWithin(ctx, cheap, x.Budget)
	if err != nil {
		return err
	}
	x.drawn = x.drawn || len(done) < len(cheap)
	x.notExecuted(append(done, chosen...))
	if err := x.report(ctx, remade); err != nil {
		return err
	}
	if x.bundle != nil {
		if err := x.checkBundle(); err != nil {
			return err
		}
	}
	x.Skip("who ran it, where, when and how long it took", "entries hold what the machine said of itself; it enters no key and no number")
	return nil
}

// sameStudy compares the study with the copy that the run left.
func (x *auditing) sameStudy(recorded []byte) {
	if bytes.Equal(recorded, x.study.Text()) {
		return
	}
	was, err := specs.Parse(filepath.Join(x.out, study.StudyFile), recorded, x.study.Dir)
	if err != nil {
		x.Find("study", x.out+"/"+study.StudyFile, "", "is no study: %v", err)
		return
	}
	for _, c := range specs.Diff(was, x.study) {
		x.Find("study", c.Path, "", "was %s when it ran (%s), is %s now (%s)", words.OrAbsent(c.Old), c.OldAt, words.OrAbsent(c.New), c.NewAt)
	}
}

// raw finds the raw files and compares them with those that the run read. What it returns are the recorded ones where there is a record, so
// that a file that was changed does not hide everything made from it.
func (x *auditing) raw(ctx context.Context, rec *study.Record) (pipeline.Sources, error) {
	if x.bundle != nil {
		return x.packedSources(ctx, rec)
	}
	if rec.Sources == nil {
		now := func(path string) (cache.Digest, int64, error) { return cache.FileDigestNow(ctx, path) }
		src, err := sources.Finder{Digest: now, Variable: x.variable}.Find(x.study)
		if err != nil {
			return src, err
		}
		for _, f := range sources.List(src) {
			if err := x.Raw(ctx, f.Called, f.Path, f.Digest); err != nil {
				return src, err
			}
		}
		return src, nil
	}
	src := *rec.Sources
	if err := study.Complete(x.study, src); err != nil {
		return src, err
	}
	for _, f := range (sources.Finder{Variable: x.variable}).Locate(x.study, src, x.confined) {
		if f.Digest.IsZero() {
			x.Find("raw file", f.Called, "", "was not there when the study was run: %s", f.Path)
		} else if err := x.Raw(ctx, f.Called, f.Path, f.Digest); err != nil {
			return src, err
		}
	}
	return src, nil
}

// chosen settles which steps are executed again.
func (x *auditing) chosen() ([]int, error) {
	var steps []int
	for _, word := range x.Recompute {
		n, err := strconv.Atoi(word)
		switch {
		case err == nil && n < 0:
			return nil, fault.Usagef("--recompute %s: want a number of steps, the name of one, or all", word)
		case err == nil:
			x.drawn = true
			steps = append(steps, x.Sample(n, x.drawSeed())...)
		case word == "all":
			for i := range x.p.Plan.Steps {
				steps = append(steps, i)
			}
		default:
			i, err := x.p.Plan.Find(word)
			if err != nil {
				return nil, fault.Usage(err)
			}
			steps = append(steps, i)
		}
	}
	slices.Sort(steps)
	return slices.DeleteFunc(slices.Compact(steps), func(i int) bool { return i == x.p.Plan.Result }), nil
}

// drawSeed is the seed of everything that this audit draws.
func (x *auditing) drawSeed() uint64 {
	if x.seed = max(x.seed, x.Seed); x.seed == 0 {
		x.seed = uint64(rand.Uint32()) + 1
	}
	return x.seed
}

// notExecuted lists the steps that were taken at their word.
func (x *auditing) notExecuted(executed []int) {
	left := map[string]int{}
	for i, step := range x.p.Plan.Steps {
		if i != x.p.Plan.Result && x.p.State.Status[i] == pipeline.Hit && !slices.Contains(executed, i) {
			left[step.Kind]++
		}
	}
	x.OnWord = left
	for _, k := range x.Kinds {
		switch left[k.Name] {
		case 0:
		case 1:
			x.Skip("that 1 "+k.Name+" step gives what its entry says", "it was not executed again; --recompute does so")
		default:
			x.Skip(fmt.Sprintf("that %d %s steps give what their entries say", left[k.Name], k.Name), "they were not executed again; --recompute does so")
		}
	}
}

// report makes the output directory again from the cache and compares it. remade holds what the comparison left when it was executed again.
func (x *auditing) report(ctx context.Context, remade string) error {
	_, run, waits := x.p.State.Count()
	why := ""
	if run+waits > 0 || x.p.Plan.Partial != "" {
		why = "steps that it is made of are lost"
	} else if err := x.remake(remade, x.p); err != nil {
		why = err.Error()
	} else if _, err := os.Lstat(filepath.Join(x.out, lossesFile)); err == nil {
		if err := studyLosses(ctx, x.p).Write(filepath.Join(remade, lossesFile)); err != nil {
			return err
		}
	}
	if !x.hasReport() {
		x.Skip("the report", "there is none at %s (--out names another place, `ablate report` makes it)", x.out)
		return nil
	}
	if why != "" {
		x.Skip("report.html, plan.json and provenance.json as a whole", "they could not be made again: %s", why)
	}
	return x.Files(ctx, remade, x.out)
}

// remake makes the files of the report of a run again.
func (x *auditing) remake(dir string, p *study.Compiled) error {
	files, _, err := reportFiles(dir, p)
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

// tell says what goes on.
func (x *auditing) tell(format string, args ...any) {
	if x.Tell != nil {
		x.Tell(fmt.Sprintf(format, args...))
	}
}

// answer prints what was found.
func (x *auditing) answer(a *app) error {
	if x.JSON {
		enc := json.NewEncoder(a.stdout)
		enc.SetIndent("", "  ")
		err := enc.Encode(struct {
			Study string `json:"study"`
			Cache string `json:"cache"`
			Out   string `json:"out"`
			Sound bool   `json:"sound"`
			Seed  uint64 `json:"seed,omitempty"`
			audit.Result
		}{x.study.Name, x.cache.Dir(), x.out, len(x.Findings) == 0, x.seed, x.Result})
		if err != nil {
			return err
		}
	} else {
		x.print(a)
	}
	if len(x.Findings) > 0 {
		return errDiffers
	}
	return nil
}

func (x *auditing) print(a *app) {
	w := a.stdout
	r := x.Result
	if !x.Quiet {
		if x.bundle != nil {
			show.Printf(w, "study %s, bundle %s, packed by %s\n\n", x.study.Name, x.Study, x.bundle.Program)
		} else {
			show.Printf(w, "study %s, cache %s, report %s\n\n", x.study.Name, x.cache.Dir(), x.out)
		}
		show.Printf(w, "raw files   %d of %d are what the run read; %s\n", r.Raw.Checked, r.Raw.Of, words.Bytes(r.Raw.Bytes))
		show.Printf(w, "steps       %d of %d: the key follows from the study and the content of the inputs\n", r.Steps.Checked, r.Steps.Of)
		if r.Upstream > 0 {
			show.Printf(w, "upstream    %d of these steps: the cache has no entry, %s has\n", r.Upstream, a.Upstream)
		}
		show.Printf(w, "blobs       %d of %d have the digest that they are named by; %s\n", r.Blobs.Checked, r.Blobs.Of, words.Bytes(r.Blobs.Bytes))
		if r.Report.Of > 0 {
			show.Printf(w, "report      %d of %d files are what the cache gives\n", r.Report.Checked, r.Report.Of)
		} else {
			show.Printf(w, "report      not checked\n")
		}
		for _, e := range unasked(r.Executed) {
			show.Printf(w, "executed    %s\n", e)
		}
		for _, e := range r.Executed {
			if e.Unasked && e.Same {
				continue
			}
			verdict := "every byte the same"
			if !e.Same {
				verdict = "DIFFERS"
			}
			show.Printf(w, "executed    %s: %d outputs, %s; %.1fs, %.1fs when it was made\n", e.Step, e.Outputs, verdict, e.Seconds, e.Was)
		}
		if x.drawn {
			show.Printf(w, "drawn with  --seed %d\n", x.seed)
		}
		show.Printf(w, "\nnot checked\n")
		for _, u := range r.Unchecked {
			show.Printf(w, "  %s: %s\n", u.What, u.Why)
		}
		fmt.Fprintln(w)
	}
	for _, f := range r.Findings {
		show.Printf(w, "%s\n", f)
	}
	switch n := len(r.Findings); {
	case n == 1:
		fmt.Fprintln(w, "\n1 difference")
	case n > 1:
		show.Printf(w, "\n%d differences\n", n)
	case x.Quiet:
	case r.Report.Of == 0:
		fmt.Fprintln(w, "no differences in the cache, and no report was checked; "+x.onWord())
	default:
		fmt.Fprintln(w, "no differences; "+x.onWord())
	}
}

// unasked counts, kind by kind, the steps that an audit executed again by itself and found the same.
func unasked(list []audit.Executed) []string {
	count, took := map[string]int{}, map[string]float64{}
	for _, e := range list {
		if e.Unasked && e.Same {
			count[e.Kind]++
			took[e.Kind] += e.Seconds
		}
	}
	var out []string
	for _, k := range slices.Sorted(maps.Keys(count)) {
		out = append(out, fmt.Sprintf("%d %s steps, every byte the same; %.1fs", count[k], k, took[k]))
	}
	return out
}

// onWord says what an audit without findings rests on.
func (x *auditing) onWord() string {
	var parts []string
	n := 0
	for _, k := range slices.Sorted(maps.Keys(x.OnWord)) {
		n += x.OnWord[k]
		parts = append(parts, fmt.Sprintf("%d %s", x.OnWord[k], k))
	}
	if n == 0 {
		return "every step was executed again"
	}
	return fmt.Sprintf("%d of %d steps rest on the word of whoever made them (%s); --recompute all executes them", n, len(x.p.Plan.Steps), strings.Join(parts, ", "))
}
