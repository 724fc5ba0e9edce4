// Package runner carries out a plan: it keeps the steps whose inputs are there in a queue ordered
// by what people wait for longest, and hands each to an executor as a task (package exec) once
// there is room. The executor carries the task out, in this process unless another one is named,
// and the cache says whether it is done.
//
// A failed step stops what needs it and nothing else; the report names the step that failed first
// on every path (the root cause). What a failure calls for is said by its class, exec.ClassOf:
// where the disk is full, nothing more begins, since its results could not be stored. When the
// context ends, running steps are told to stop and save what they can; the next run goes on from
// there. kill -9 at any moment loses at most the work since a step's last checkpoint, because the
// cache never shows anything half written.
//
// Results never depend on how many steps run at once or on how many threads one gets. Runs that
// share a cache divide the work: a step is claimed before it begins, and who finds it claimed does
// other steps, or waits, and takes the result (claims.go). No lock is held meanwhile: a claim only
// saves work. Where two runs do one step all the same, because a claim was broken or cannot be
// kept, the first to commit wins, and if the other's bytes differ that is told as what it is, a
// step that is not deterministic.
package runner

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/runner/exec"
	"ablate/runner/exec/local"
	"ablate/runner/tasks"
	"ablate/stages/kind"
)

// Options say how a plan is carried out; nothing here changes a result.
type Options struct {
	Cache        *cache.Cache
	Kinds        kind.Kinds    // of the steps
	Slots        int           // processors to use, at least 1; shared among the steps at once
	Jobs         int           // steps at once at most; 0: as many as there are slots
	FailFast     bool          // start nothing more after a failure
	Version      string        // of the program, for provenance
	Began        string        // when the whole run began, RFC 3339, for provenance
	Kernels      string        // what the arithmetic runs on, for provenance
	LogDir       string        // where the log of a failed step goes
	Memory       int64         // bytes that the steps at once may take; 0: no bound
	Devices      int           // accelerators that the steps at once may use
	DeviceMemory int64         // bytes of each of them; 0: not known
	Save         time.Duration // how often a training is saved, so that a kill loses no more
	Claims       Claims        // how the work is divided among runs that share the cache
	Events       func(Event)   // told of everything that happens, in order; may be nil

	// Executor carries the steps out; nil: this process does, within Slots, Jobs, Memory, Devices
	// and DeviceMemory.
	Executor exec.Executor
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

	Entry *cache.Entry // of a step done: what it left
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

// Run carries out the plan and returns its final state, in which every step is a hit unless the
// error says why not: a *FailedError, or the context's own error when it ended first.
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
		running:  map[cache.Key][]int{},
		attempts: map[cache.Key]int{},
		shown:    map[int]bool{},
		failed:   map[int]*Failure{},
		wanted:   map[string]kind.Needs{},
		away:     map[cache.Key]*away{},
	}
	r.Claims = r.Claims.orDefault()
	r.Slots = max(1, r.Slots)
	if r.Events == nil {
		r.Events = func(Event) {}
	}
	if r.Executor == nil {
		r.Executor = local.New(
			exec.Worker{Cache: r.Cache, Kinds: r.Kinds, SaveEvery: r.Save, Version: r.Version, Kernels: r.Kernels},
			local.Machine{Cores: r.Slots, Jobs: r.Jobs, Memory: r.Memory, Devices: r.Devices, DeviceMemory: r.DeviceMemory})
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

// writable refuses to begin what the cache cannot take. A plan whose steps are all done is no more
// than looked at.
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
	text := fmt.Sprintf("%d steps must run, and the cache %s cannot be written: name a cache of your own with --cache, and name this cache with --upstream %s, "+
		"which is read and never changed; or ask the owner to share the cache with your group (chgrp -R GROUP DIR; find DIR -type d -exec chmod g+ws {} +)", e.Steps, e.Dir, e.Dir)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *UnwritableError) Unwrap() error { return e.Err }

// run is the state of a run. Only the goroutine of Run touches it; steps run wherever the executor
// carries them out.
type run struct {
	Options
	plan     *pipeline.Plan
	state    *pipeline.State
	ready    queue
	running  map[cache.Key][]int // of each task under way, the steps that wait for its one computation
	attempts map[cache.Key]int   // how often a step has been begun
	shown    map[int]bool        // steps that a person was told have started, and not yet how they ended
	failed   map[int]*Failure
	order    []int // failed steps in the order they failed
	wanted   map[string]kind.Needs
	full     bool  // a step failed because the disk is full, as the next ones would once they are computed
	err      error // ours, not a step's

	interrupted bool // the context had ended when the last reports came
	stopped     bool // and what runs was told to stop

	hearts  hearts              // the claims held, which must be kept alive
	away    map[cache.Key]*away // steps that other runs are at
	waiting bool                // a person was told that only others are at work
	alone   bool                // claims cannot be kept in this cache, and a person was told
}

func (r *run) push(i int) {
	heap.Push(&r.ready, waiting{i, r.plan.CriticalPathCost(i)})
}

func (r *run) loop(ctx context.Context) {
	for {
		for !r.over(ctx) && len(r.ready) > 0 && r.room(r.ready[0].step) {
			r.start(heap.Pop(&r.ready).(waiting).step)
		}
		if r.over(ctx) {
			clear(r.away) // nothing more begins, so nothing is waited for
		}
		if ctx.Err() != nil && !r.stopped {
			r.stopped = true
			for key := range r.running {
				r.Executor.Cancel(key)
			}
		}
		if len(r.running) == 0 && len(r.away) == 0 {
			return
		}
		r.tellWaiting()
		r.await(ctx)
		r.lookAway()
	}
}

// over says whether nothing more begins: the run was interrupted, or is given up.
func (r *run) over(ctx context.Context) bool {
	return r.err != nil || ctx.Err() != nil || r.full || r.FailFast && len(r.order) > 0
}

// room says whether step i may begin now. If not, it waits for others to end, and so do all after
// it, lest small steps keep a large one waiting for ever.
func (r *run) room(i int) bool {
	return r.state.Status[i] != pipeline.Run || r.Executor.Room(r.needs(i))
}

// needs asks once for each kind and parameters: a study has hundreds of steps with the same. A step
// that cannot say what it needs will fail for the same reason.
func (r *run) needs(i int) kind.Needs {
	step := r.plan.Steps[i]
	key := step.Kind + " " + string(step.Params)
	n, ok := r.wanted[key]
	if !ok {
		n, _ = r.Kinds.Needs(step.Kind, step.Params, r.Slots)
		r.wanted[key] = n
	}
	return n
}

// start begins step i.
func (r *run) start(i int) {
	if r.state.Status[i] != pipeline.Run {
		return // revoked meanwhile, or done under another name
	}
	key := r.state.Keys[i]
	if steps, ok := r.running[key]; ok {
		if !slices.Contains(steps, i) {
			r.running[key] = append(steps, i)
		}
		return
	}
	if a := r.away[key]; a != nil {
		a.steps = append(a.steps, i)
		return
	}
	if !r.claim(i, key) {
		return
	}
	task, ok := r.task(i)
	if !ok {
		r.hearts.release(key)
		return
	}
	r.running[key] = []int{i}
	if !r.shown[i] {
		r.shown[i] = true
		r.Events(Event{What: Started, Step: i, Key: key})
	}
	r.Executor.Submit(task)
}

// task makes the task of step i. There is none where the cache has lost an input: then the step
// that made it must run again first.
func (r *run) task(i int) (*exec.Task, bool) {
	if !r.opened(i) {
		return nil, false
	}
	t, err := tasks.Of(r.state, i)
	if err != nil {
		r.err = err
		return nil, false
	}
	r.attempts[t.Key]++
	t.Needs, t.Priority, t.Attempt, t.Run = r.needs(i), r.plan.CriticalPathCost(i), r.attempts[t.Key], r.Began
	return t, true
}

// opened says whether the cache still has the inputs of step i, which were there when it was
// planned. A step whose output is lost runs again, and step i waits for it.
func (r *run) opened(i int) bool {
	step := r.state.Step(i)
	for _, in := range step.Inputs {
		if in.File != nil {
			continue
		}
		from := r.plan.Steps[in.Step]
		out, _ := r.state.Entries[in.Step].Output(in.Output)
		_, err := r.Cache.BlobOf(out)
		var miss *cache.Miss
		if errors.As(err, &miss) {
			r.Events(Event{What: Warning, Step: in.Step, Message: fmt.Sprintf("%s of step %s must be made again: %v", in.Output, from.ID, miss)})
			r.state.Revoke(in.Step, miss)
			r.push(in.Step)
			return false
		} else if err != nil {
			r.err = fmt.Errorf("step %s: input %s: %w", step.ID, in.Role, err)
			return false
		}
	}
	return true
}

// receive takes one report of the executor.
func (r *run) receive(rep exec.Report) {
	steps := r.running[rep.Key]
	if len(steps) == 0 { // harmless: what was done is in the cache
		r.Events(Event{What: Warning, Step: -1, Key: rep.Key, Message: fmt.Sprintf("the executor reports on key %s, but no step of this key is running", rep.Key.Short())})
		return
	}
	e := Event{Step: steps[0], Key: rep.Key}
	switch rep.What {
	case exec.Progress:
		e.What, e.Done, e.Total, e.Unit, e.Docs = Progress, rep.Done, rep.Total, rep.Unit, rep.Docs
	case exec.Warning:
		e.What, e.Message = Warning, rep.Message
	case exec.Conflict:
		e.What, e.Err = Conflict, rep.Err
	case exec.Ended:
		r.end(rep, steps)
		return
	}
	r.Events(e)
}

// end takes the end of a task that so many steps waited for.
func (r *run) end(rep exec.Report, steps []int) {
	r.hearts.release(rep.Key)
	delete(r.running, rep.Key)
	if rep.Err != nil && exec.ClassOf(rep.Err) == exec.InputLost && r.again(steps) {
		return
	}
	for n, i := range steps {
		delete(r.shown, i)
		if rep.Err != nil {
			r.fail(i, rep)
			continue
		}
		what := Finished
		if n > 0 || rep.Found {
			what = Reused
		}
		r.Events(Event{What: what, Step: i, Key: rep.Key, Took: rep.Took, Entry: rep.Entry})
		ready, err := r.state.Done(i, rep.Entry)
		if err != nil {
			r.err = err
			return
		}
		for _, j := range ready {
			r.push(j)
		}
	}
}

// mostAttempts bounds how often a step is begun whose inputs are there when it is submitted, and
// lost where it is carried out.
const mostAttempts = 5

// again lets steps whose task lost an input on its way be begun once more: behind the step that
// made the input, where this machine misses it too. It is false when that was done so often that it
// is no accident.
func (r *run) again(steps []int) bool {
	if r.attempts[r.state.Keys[steps[0]]] >= mostAttempts {
		return false
	}
	for _, i := range steps {
		if r.state.Status[i] == pipeline.Run { // else it waits already
			r.push(i)
		}
	}
	return true
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
