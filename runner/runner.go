// Package runner carries out a plan: it keeps the steps whose inputs are there in a queue ordered by what people wait for longest, gives
// each a share of the processors, asks the cache before running anything, and commits what a step leaves.
//
// A failed step stops what needs it and nothing else; the report names the step that failed first on every path (the root cause). Where the
// disk is full nothing more begins, because it would be computed for nothing. When the
// context ends, running steps are told, save what they can and stop; the next run goes on from there. kill -9 at any moment loses at most
// the work since a step's last checkpoint, because the cache never shows anything half written.
//
// Results never depend on how many steps run at once or on how many threads one gets. Runs that share a cache divide the work: a step is
// claimed before it begins, and who finds it claimed does other steps, or waits, and takes the result (claims.go). No lock is held
// meanwhile: a claim only saves work. Where two runs do one step all the same, because a claim was broken or cannot be kept, the first to
// commit wins, and if the other's bytes differ that is told as what it is, a step that is not deterministic.
package runner

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/runner/exec"
	"ablate/stages/kind"
)

// Options say how a plan is carried out; nothing here changes a result.
type Options struct {
	Cache    *cache.Cache
	Kinds    kind.Kinds    // of the steps
	Slots    int           // processors to use, at least 1; shared among the steps at once
	Jobs     int           // steps at once at most; 0: as many as there are slots
	FailFast bool          // start nothing more after a failure
	Version  string        // of the program, for provenance
	Began    string        // when the whole run began, RFC 3339, for provenance
	Kernels  string        // what the arithmetic runs on, for provenance
	LogDir   string        // where the log of a failed step goes
	Memory   int64         // bytes that the steps at once may take; 0: no bound
	Save     time.Duration // how often a training is saved, so that a kill loses no more
	Claims   Claims        // how the work is divided among runs that share the cache
	Events   func(Event)   // told of everything that happens, in order; may be nil
}

// Event is something that happened to a step.
type Event struct {
	What    What
	State   *pipeline.State // of a plan that begins: what is there already
	Step    int             // -1 for the plan as a whole
	Key     cache.Key       // of a step
	Took    time.Duration   // of a step done or failed
	Done    int64           // of a step in progress, in Unit
	Total   int64
	Unit    string
	Docs    int64  // documents that a step in progress has got through, where it reads some
	Err     error  // of a step failed
	Message string // of a warning; of a step failed, its log
}

// What happened.
type What int

const (
	Planned  What = iota // the run begins; State tells what is there
	Started              // a step began
	Progress             // a step got on
	Finished             // a step is done and in the cache
	Reused               // a step turned out to be in the cache: made under another name, or by another run
	Failed               // a step failed
	Warning              // something a person should know, though the run goes on
	Conflict             // a step gave other bytes than another run's: Err is a *cache.Conflict; the first result stands and the run goes on
	Notice               // of other runs: what this one waits for while it has nothing else to do, what it took over; Message says
)

// Failure is a step that failed by itself.
type Failure struct {
	Step    string // ID
	Key     cache.Key
	Log     string  // file with the details, or empty
	Shows   []Shown // files that the step left about its failure
	Err     error
	Blocked []string // IDs of the steps that could not run because of it
}

// Shown is a file about a failure, and what it is.
type Shown struct{ What, Path string }

// shownFailures is how many failures are told in full: where more steps fail, it is mostly for one reason.
const shownFailures = 5

// FailedError says which steps failed by themselves.
type FailedError struct{ Failures []Failure }

// Unwrap gives the causes.
func (e *FailedError) Unwrap() []error {
	var errs []error
	for _, f := range e.Failures {
		errs = append(errs, f.Err)
	}
	return errs
}

func (e *FailedError) Error() string {
	var b strings.Builder
	for i, f := range e.Failures {
		if i > 0 {
			b.WriteByte('\n')
		}
		if rest := len(e.Failures) - i; i == shownFailures && rest > 1 {
			fmt.Fprintf(&b, "and %d more steps failed; their logs lie beside that of %s", rest, e.Failures[0].Step)
			break
		}
		fmt.Fprintf(&b, "step %s (key %s) failed: %v", f.Step, f.Key.Short(), f.Err)
		if f.Log != "" {
			fmt.Fprintf(&b, "\n  log: %s", f.Log)
		}
		for _, s := range f.Shows {
			fmt.Fprintf(&b, "\n  %s: %s", s.What, s.Path)
		}
		switch n := len(f.Blocked); {
		case n == 1:
			fmt.Fprintf(&b, "\n  not run because of it: %s", f.Blocked[0])
		case n > 1:
			fmt.Fprintf(&b, "\n  not run because of it: %s and %d more", f.Blocked[0], n-1)
		}
	}
	return b.String()
}

// Run carries out the plan and returns its final state, in which every step is a hit unless the error says why not: a *FailedError, or
// the context's own error when it ended first.
func Run(ctx context.Context, plan *pipeline.Plan, opt Options) (*pipeline.State, error) {
	state, err := plan.Resolve(opt.Kinds, opt.Cache.Lookup)
	if err != nil {
		return nil, err
	}
	if err := writable(state, opt.Cache); err != nil {
		return state, err
	}
	r := &run{
		Options: opt, plan: plan, state: state,
		done:    make(chan result),
		running: map[cache.Key][]int{},
		failed:  map[int]*Failure{},
		wanted:  map[string]kind.Needs{},
		away:    map[cache.Key]*away{},
	}
	r.Claims = r.Claims.orDefault()
	r.Slots = max(1, r.Slots)
	if r.Jobs < 1 || r.Jobs > r.Slots {
		r.Jobs = r.Slots
	}
	if r.Events == nil {
		r.Events = func(Event) {}
	}
	r.Events(Event{What: Planned, Step: -1, State: state})
	for _, i := range state.Ready() {
		r.push(i)
	}
	stop := r.hearts.start(r.Claims.Beat, r.Cache.Beat)
	r.loop(ctx)
	stop()
	if r.err != nil {
		return state, r.err
	}
	if ctx.Err() != nil {
		return state, context.Cause(ctx)
	}
	return state, r.failures()
}

// writable refuses to begin what the cache cannot take. A plan whose steps are all done is no more than looked at.
func writable(state *pipeline.State, c *cache.Cache) error {
	hit, _, _ := state.Count()
	left := len(state.Plan.Steps) - hit
	if !c.ReadOnly() || left == 0 {
		return nil
	}
	return &UnwritableError{Dir: c.Dir(), Steps: left, Err: c.Unwritable()}
}

// UnwritableError is a plan that has steps to run on a cache that cannot be written.
type UnwritableError struct {
	Dir   string
	Steps int
	Err   error // why it cannot be written, nil where it was opened to look only
}

func (e *UnwritableError) Error() string {
	text := fmt.Sprintf("%d steps must run, and the cache %s cannot be written: name a cache of your own with --cache, and this one with --upstream %s, "+
		"which is read and never changed; or let its owner share it with your group (chgrp -R GROUP DIR; find DIR -type d -exec chmod g+ws {} +)", e.Steps, e.Dir, e.Dir)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *UnwritableError) Unwrap() error { return e.Err }

// run is the state of a run. Only the goroutine of Run touches it; steps run on goroutines of their own and answer on done.
type run struct {
	Options
	plan    *pipeline.Plan
	state   *pipeline.State
	ready   queue
	done    chan result
	active  []*activeStep       // running now, the dearest first
	running map[cache.Key][]int // key -> steps that wait for its one computation
	failed  map[int]*Failure
	order   []int // failed steps in the order they failed
	wanted  map[string]kind.Needs
	told    bool  // that memory is short
	full    bool  // a step failed because the disk is full, as the next ones would once they are computed
	err     error // ours, not a step's

	hearts  hearts              // the claims held, which must be kept alive
	away    map[cache.Key]*away // steps that other runs are at
	waiting bool                // a person was told that only others are at work
	alone   bool                // claims cannot be kept in this cache, and a person was told
}

// activeStep is a running step and its share of the slots.
type activeStep struct {
	step   int
	memory int64 // bytes it may take
	share  atomic.Int32
}

// result is what a step's goroutine answers: a progress event, or its end.
type result struct {
	step     int
	progress *Event
	entry    *cache.Entry
	found    bool // another run had made the entry
	err      error
	took     time.Duration
}

func (r *run) push(i int) {
	heap.Push(&r.ready, waiting{i, r.plan.Height(i)})
}

func (r *run) loop(ctx context.Context) {
	for {
		for r.err == nil && ctx.Err() == nil && len(r.active) < r.Jobs && len(r.ready) > 0 {
			if r.givenUp() {
				break
			}
			memory, ok := r.memory(r.ready[0].step)
			if !ok {
				break
			}
			r.start(ctx, heap.Pop(&r.ready).(waiting).step, memory)
		}
		if r.err != nil || ctx.Err() != nil || r.givenUp() {
			clear(r.away) // nothing more begins, so nothing is waited for
		}
		if len(r.active) == 0 && len(r.away) == 0 {
			return
		}
		r.share()
		r.tellWaiting()
		if !r.await(ctx) {
			r.lookAway()
		}
	}
}

// givenUp says whether the run is given up because of a failure: what runs ends, and nothing more begins.
func (r *run) givenUp() bool { return r.full || r.FailFast && len(r.order) > 0 }

// share divides the slots among the running steps: one each, and what is over one by one to the dearest. A step that runs long asks for
// its share again and again, so a lone training takes the whole machine until others come.
func (r *run) share() {
	for n, a := range r.active {
		share := r.Slots / len(r.active)
		if n < r.Slots%len(r.active) {
			share++
		}
		a.share.Store(int32(share))
	}
}

// start begins step i.
func (r *run) start(ctx context.Context, i int, memory int64) {
	if r.state.Status[i] != pipeline.Run {
		return // revoked meanwhile, or done under another name
	}
	key := r.state.Keys[i]
	if _, ok := r.running[key]; ok {
		r.running[key] = append(r.running[key], i)
		return
	}
	if a := r.away[key]; a != nil {
		a.steps = append(a.steps, i)
		return
	}
	if !r.claim(i, key) {
		return
	}
	job, ok := r.open(i)
	if !ok {
		r.hearts.release(key)
		return
	}
	a := &activeStep{step: i, memory: memory}
	r.active = append(r.active, a)
	slices.SortStableFunc(r.active, func(a, b *activeStep) int {
		return cmp.Compare(r.plan.Height(b.step), r.plan.Height(a.step))
	})
	r.share()
	r.running[key] = []int{i}
	job.Memory = memory
	r.tellShort(i, memory)
	job.Threads, job.Share = r.Slots, func() int { return int(a.share.Load()) }
	r.Events(Event{What: Started, Step: i, Key: key})
	go r.work(ctx, i, job)
}

// open finds the inputs of step i. Where the cache has lost one since it was looked up, the step that made it must run again first.
func (r *run) open(i int) (*kind.Job, bool) {
	step := r.state.Step(i)
	job := &kind.Job{Params: step.Params, SaveEvery: r.Save}
	for _, in := range step.Inputs {
		if in.File != nil {
			job.Inputs = append(job.Inputs, kind.Input{Role: in.Role, Digest: in.File.Digest, Path: in.File.Path, Name: in.File.Name})
			continue
		}
		from := r.plan.Steps[in.Step]
		out, _ := r.state.Entries[in.Step].Output(in.Output)
		path, err := r.Cache.BlobOf(out)
		var miss *cache.Miss
		if errors.As(err, &miss) {
			r.Events(Event{What: Warning, Step: in.Step, Message: fmt.Sprintf("%s of step %s must be made again: %v", in.Output, from.ID, miss)})
			r.state.Revoke(in.Step, miss)
			r.push(in.Step)
			return nil, false
		} else if err != nil {
			r.err = fmt.Errorf("step %s: input %s: %w", step.ID, in.Role, err)
			return nil, false
		}
		job.Inputs = append(job.Inputs, kind.Input{Role: in.Role, Digest: out.Digest, Path: path, Name: from.ID + " " + in.Output, Files: from.FileNames()})
	}
	return job, true
}

// receive takes one answer of a running step.
func (r *run) receive(res result) {
	if res.progress != nil {
		r.Events(*res.progress)
		return
	}
	r.active = slices.DeleteFunc(r.active, func(a *activeStep) bool { return a.step == res.step })
	key := r.state.Keys[res.step]
	r.hearts.release(key)
	steps := r.running[key]
	delete(r.running, key)
	if res.err != nil {
		for _, i := range steps {
			r.fail(i, key, res)
		}
		return
	}
	for n, i := range steps {
		what := Finished
		if n > 0 || res.found {
			what = Reused
		}
		r.Events(Event{What: what, Step: i, Key: key, Took: res.took})
		ready, err := r.state.Done(i, res.entry)
		if err != nil {
			r.err = err
			return
		}
		for _, j := range ready {
			r.push(j)
		}
	}
}

func (r *run) fail(i int, key cache.Key, res result) {
	if interrupted(res.err) { // not failed; the run's own error says so
		var lost *kind.SaveError
		if errors.As(res.err, &lost) {
			r.Events(Event{What: Warning, Step: i, Key: key, Message: fmt.Sprintf("step %s was interrupted and could not be saved: %v", r.plan.Steps[i].ID, lost)})
		}
		return
	}
	r.full = r.full || errors.Is(res.err, syscall.ENOSPC) || errors.Is(res.err, syscall.EDQUOT)
	f := &Failure{Step: r.plan.Steps[i].ID, Key: key, Err: res.err}
	f.Log = r.log(i, f)
	r.failed[i] = f
	r.order = append(r.order, i)
	r.Events(Event{What: Failed, Step: i, Key: key, Err: res.err, Took: res.took, Message: f.Log})
}

// log writes what a person needs to look into a failure.
func (r *run) log(i int, f *Failure) string {
	if r.LogDir == "" {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "step %s\nkey %s\nerror %s\n", f.Step, f.Key, cache.PrintableLines(f.Err.Error()))
	var p *exec.PanicError
	if errors.As(f.Err, &p) {
		fmt.Fprintf(&b, "\n%s\n", p.Stack)
	}
	b.WriteString("\ningredients\n")
	for _, in := range r.state.Ingredients[i] {
		fmt.Fprintf(&b, "  %s = %s\n", cache.Printable(in.Label), cache.Printable(in.Value))
	}
	base := filepath.Join(r.LogDir, kind.FileName(f.Step)+".")
	path := base + "log"
	err := errors.Join(os.MkdirAll(r.LogDir, 0o777), os.WriteFile(path, []byte(b.String()), 0o666))
	var evident *kind.FailedError
	if err == nil && errors.As(f.Err, &evident) {
		for _, e := range evident.Files {
			if err = os.WriteFile(base+e.Name, e.Data, 0o666); err != nil {
				break
			}
			f.Shows = append(f.Shows, Shown{e.What, base + e.Name})
		}
	}
	if err != nil {
		r.Events(Event{What: Warning, Step: i, Message: fmt.Sprintf("no log of the failure: %v", err)})
		return ""
	}
	return path
}

// failures gathers the root causes and what each kept from running.
func (r *run) failures() error {
	if len(r.order) == 0 {
		return nil
	}
	root := map[int]*Failure{}
	for i := range r.plan.Steps {
		if f := r.failed[i]; f != nil {
			root[i] = f
			continue
		}
		if r.state.Status[i] == pipeline.Hit {
			continue
		}
		for _, w := range r.state.WaitsOn(i) {
			if f := root[w]; f != nil {
				root[i] = f
				f.Blocked = append(f.Blocked, r.plan.Steps[i].ID)
				break
			}
		}
	}
	e := &FailedError{}
	for _, i := range r.order {
		e.Failures = append(e.Failures, *r.failed[i])
	}
	return e
}

// work runs one step on its own goroutine and answers once on done, after any number of progress answers.
func (r *run) work(ctx context.Context, i int, job *kind.Job) {
	began := time.Now()
	var last time.Time
	var docs int64
	job.Documents = func(n int64) { docs = n }
	job.Progress = func(done, total int64, unit string) {
		if now := time.Now(); now.Sub(last) >= 100*time.Millisecond { // a person reads no faster
			last = now
			r.done <- result{step: i, progress: &Event{What: Progress, Step: i, Done: done, Total: total, Unit: unit, Docs: docs}}
		}
	}
	res := result{step: i}
	if res.entry, res.err = r.Cache.Lookup(r.state.Keys[i]); res.err == nil {
		res.found = true // since the step was found missing
	} else if res.entry, res.err = r.make(ctx, i, job, began); res.err != nil && !interrupted(res.err) {
		// A run that shares the cache may have committed the step and, with that, removed what this one had saved of it.
		if entry, err := r.Cache.Lookup(r.state.Keys[i]); err == nil {
			if !errors.Is(res.err, fs.ErrNotExist) {
				r.done <- result{step: i, progress: &Event{What: Warning, Step: i, Key: entry.Key,
					Message: fmt.Sprintf("step %s failed here, but another run has made it: %v", r.plan.Steps[i].ID, res.err)}}
			}
			res.entry, res.found, res.err = entry, true, nil
		}
	}
	res.took = time.Since(began)
	r.done <- res
}

// interrupted reports whether a step ended because it was told to.
func interrupted(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// make runs the stage in a fresh build and commits what it left.
func (r *run) make(ctx context.Context, i int, job *kind.Job, began time.Time) (entry *cache.Entry, err error) {
	step, key := r.plan.Steps[i], r.state.Keys[i]
	of, err := r.Kinds.Named(step.Kind)
	if err != nil {
		return nil, err
	}
	build, err := r.Cache.Begin(key)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, build.Abort())
		}
	}()
	if job.Partial, err = r.Cache.Partial(key); err != nil {
		return nil, err
	}
	job.Dir = build.Dir
	if err := exec.Call(ctx, of.Run, job); err != nil {
		return nil, err
	}
	if err := r.unchanged(step); err != nil {
		return nil, err
	}
	p := cache.Machine()
	if r.Kernels != "" {
		p.CPU += " (" + r.Kernels + ")"
	}
	p.Ablate, p.Threads, p.Step, p.Study, p.Run = r.Version, job.Threads, step.ID, r.plan.Study, r.Began
	p.Resumed = job.Resumed
	p.Started, p.WallSeconds = began.UTC().Format(cache.StartedLayout), time.Since(began).Seconds()
	entry, err = build.Commit(step.Kind, r.state.Ingredients[i], p)
	var conflict *cache.Conflict
	if errors.As(err, &conflict) { // the first result stands, and everything after it is consistent with it
		r.done <- result{step: i, progress: &Event{What: Conflict, Step: i, Key: key, Err: conflict}}
		return conflict.First, nil
	}
	return entry, err
}

// unchanged checks that the raw files a step read are still what its key says.
func (r *run) unchanged(step *pipeline.Step) error {
	for _, in := range step.Inputs {
		if in.File == nil {
			continue
		}
		d, _, err := r.Cache.FileDigest(in.File.Path)
		if err != nil {
			return err
		}
		if d != in.File.Digest {
			return fmt.Errorf("%s changed while it was read (content %s when the plan was made, %s now); run again", in.File.Path, in.File.Digest.Short(), d.Short())
		}
	}
	return nil
}

// queue orders ready steps: the one with the dearest work after it first, ties by plan order.
type queue []waiting

type waiting struct {
	step   int
	height int64
}

func (q queue) Len() int { return len(q) }
func (q queue) Less(a, b int) bool {
	return q[a].height > q[b].height || q[a].height == q[b].height && q[a].step < q[b].step
}
func (q queue) Swap(a, b int) { q[a], q[b] = q[b], q[a] }
func (q *queue) Push(x any)   { *q = append(*q, x.(waiting)) }
func (q *queue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}
