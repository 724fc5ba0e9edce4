// Package timing says how long the steps of a study take on this machine: before they run, from
// what runs left behind and from measurements of a moment, and while they run.
// docs/explanation/estimates.md has the formulas.
//
// It promises nothing about a machine that others use meanwhile, and no result depends on it.
package timing

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"ablate/cache"
	"ablate/cmd/internal/study"
	"ablate/pipeline"
	"ablate/runner/clock"
	"ablate/stages"
	"ablate/stages/kind"
)

// Basis says what an estimate rests on.
type Basis string

// ProbeTime bounds what a command spends on measurements, however large the study is.
const ProbeTime = 1200 * time.Millisecond

// What an estimate may rest on, the best last.
const (
	Constant Basis = "constant" // of the program: a guess
	Probe    Basis = "probe"    // a measurement of a moment on this machine
	Runs     Basis = "runs"     // steps that ran on this machine
)

// KindTime is what the steps of a kind take.
type KindTime struct {
	Kind        string  `json:"kind"`
	Steps       int     `json:"steps"` // that are not done
	CoreSeconds float64 `json:"core_seconds"`
	Basis       Basis   `json:"basis"` // of the class of steps that takes longest
}

// Estimate is how long what is left of a plan takes on this machine.
type Estimate struct {
	Seconds     float64    `json:"seconds"`      // by the clock
	CoreSeconds float64    `json:"core_seconds"` // of the cores that steps have a share of
	Processor   string     `json:"processor"`    // and the kernels that compute
	Threads     int        `json:"threads"`
	Jobs        int        `json:"jobs"` // steps at once at most
	Kinds       []KindTime `json:"kinds"`
	Until       string     `json:"until,omitempty"`   // why the estimate ends before the study does; empty: it is of all of it
	Assumes     []string   `json:"assumes,omitempty"` // what is taken for granted of data that no step has read
}

// Forecast is an estimate with what it was made of, so that it can be corrected while steps run.
type Forecast struct {
	Estimate
	machine study.Resources
	book    *book
	cache   *cache.Cache
	classes map[string]*class
	steps   []step
	commit  float64        // seconds that a step takes besides: its build, and the commit with fsync
	number  map[string]int // ID -> step
}

// class is the steps that go equally fast.
type class struct {
	*recorded
	kind     kind.Kind
	params   json.RawMessage // of one of them
	ran      tally           // steps of runs, by what they left
	expected float64         // core-seconds of its steps
}

// step is a step of the plan.
type step struct {
	class        *class
	hit          bool
	work, expand float64
	inputs       int
	core         float64 // core-seconds that it is expected to take; 0: it is done
}

// seconds is how long a step takes at a share of the cores, by the speed of its class and what runs
// have shown of that.
func (s step) seconds(share float64) float64 {
	t := s.class.Speed.Seconds(s.work, s.inputs, share)
	if s.class.Factor > 0 {
		t *= s.class.Factor
	}
	return t
}

// commitSeconds is what a step takes besides its work until runs have shown it. It is a guess, and
// no measurement.
const commitSeconds = 0.012

// commitKey is where a book has it.
const commitKey = "commit"

// Of estimates what is left of a study's plan, with so many steps at once at most. budget bounds the
// time that is spent on measurements: a plan whose speeds are known spends none.
func Of(ctx context.Context, s *study.Session, p *study.Compiled, jobs int, budget time.Duration) (*Forecast, error) {
	kernels, err := stages.Kernels("")
	if err != nil {
		return nil, err
	}
	r := s.WithDefaults()
	processor := cache.Machine().CPU + " (" + kernels + ")"
	f := &Forecast{
		Estimate: Estimate{Processor: processor, Threads: r.Threads, Until: p.Plan.Partial, Kinds: []KindTime{}},
		machine:  r, book: openBook(p.Cache), cache: p.Cache, classes: map[string]*class{}, number: map[string]int{}, commit: commitSeconds,
	}
	f.Jobs = min(max(jobs, 0), r.Threads)
	if jobs < 1 {
		f.Jobs = r.Threads
	}
	if c := f.book.Speeds[commitKey]; c != nil && c.Setup > 0 {
		f.commit = c.Setup
	}
	if err := f.take(p, s.Version); err != nil {
		return nil, err
	}
	if err := f.measure(ctx, p, budget); err != nil {
		return nil, err
	}
	return f, f.settle(p)
}

// take lists the steps of a plan with their classes and their work.
func (f *Forecast) take(p *study.Compiled, version string) error {
	w := newWorker(p)
	classes := map[string]*class{} // by kind and parameters: a study has thousands of steps with the same
	evals := map[string]kind.EvalParams{}
	for i, st := range p.Plan.Steps {
		alike := st.Kind + " " + string(st.Params)
		c := classes[alike]
		if c == nil {
			k, err := p.State.Kinds.Named(st.Kind)
			if err != nil {
				return err
			}
			name, err := k.SpeedClass(st.Params)
			if err != nil {
				return fmt.Errorf("step %s: %w", st.ID, err)
			}
			c = f.class(k, name, version, st.Params)
			classes[alike] = c
			if k.Does(kind.Evaluates) {
				var e kind.EvalParams
				if err := json.Unmarshal(st.Params, &e); err != nil {
					return fmt.Errorf("step %s: %w", st.ID, err)
				}
				evals[alike] = e
			}
		}
		x := step{class: c, inputs: len(st.Inputs), hit: p.State.Status[i] == pipeline.Hit}
		if e, ok := evals[alike]; ok {
			x.expand = 1
			if !x.hit { // else what was scored stands in the entry
				x.work = w.evaluation(i, e)
			}
		} else {
			x.work, x.expand = w.of(i)
		}
		f.steps, f.number[st.ID] = append(f.steps, x), i
	}
	f.Assumes = w.assumes(f.steps)
	return nil
}

// class is the class of a kind by its name.
func (f *Forecast) class(k kind.Kind, name, version string, params json.RawMessage) *class {
	key := cache.DigestOf(fmt.Appendf(nil, "%q %q %q %d %q %d", f.Processor, version, k.Name, k.Version(), name, f.Threads)).String()[:32]
	c := f.classes[key]
	if c == nil {
		c = &class{recorded: f.book.Speeds[key], kind: k, params: params}
		f.classes[key] = c
	}
	return c
}

// settle simulates the run and sums it up.
func (f *Forecast) settle(p *study.Compiled) error {
	steps, at := f.toDo(p)
	result := clock.Run(steps, clock.Machine{Cores: f.Threads, Jobs: f.Jobs, Memory: f.machine.Memory})
	f.Seconds = result.Seconds
	kinds := map[string]*KindTime{}
	longest := map[string]*class{}
	for n, i := range at {
		s := &f.steps[i]
		s.core = result.CoreSeconds[n]
		s.class.expected += s.core
		name := s.class.kind.Name
		k := kinds[name]
		if k == nil {
			f.Kinds = append(f.Kinds, KindTime{Kind: name})
			k = &KindTime{Kind: name}
			kinds[name] = k
		}
		k.Steps, k.CoreSeconds = k.Steps+1, k.CoreSeconds+s.core
		if l := longest[name]; l == nil || s.class.expected > l.expected {
			longest[name] = s.class
		}
		f.CoreSeconds += s.core
	}
	for i := range f.Kinds {
		name := f.Kinds[i].Kind
		f.Kinds[i] = *kinds[name]
		f.Kinds[i].Basis = longest[name].basis()
	}
	return nil
}

// toDo are the steps that are not done as the simulation takes them, and which of the plan's each
// is. Where units are not known by their names, a run does all splits and seed models first.
func (f *Forecast) toDo(p *study.Compiled) (steps []clock.Step, at []int) {
	first := map[string]bool{}
	if !p.Settled() {
		for _, s := range p.Plan.Corpora(true).Steps {
			first[s.ID] = true
		}
	}
	number := make([]int, len(f.steps))
	needs := map[string]kind.Needs{}
	for i, s := range f.steps {
		if s.hit {
			continue
		}
		st := p.Plan.Steps[i]
		alike := st.Kind + " " + string(st.Params)
		n, ok := needs[alike]
		if !ok {
			n, _ = p.State.Kinds.Needs(st.Kind, st.Params, f.Threads) // a step that cannot say fails when it runs
			needs[alike] = n
		}
		x := clock.Step{
			Seconds: func(share float64) float64 { return f.commit + s.seconds(share) },
			Cores:   n.Cores, Memory: n.Memory, Least: n.LeastMemory, Priority: p.Plan.CriticalPathCost(i),
		}
		if !p.Settled() && !first[st.ID] {
			x.Phase = 1
		}
		for _, in := range st.Inputs {
			if in.File == nil && !f.steps[in.Step].hit && !slices.Contains(x.After, number[in.Step]) {
				x.After = append(x.After, number[in.Step])
			}
		}
		number[i] = len(steps)
		steps, at = append(steps, x), append(at, i)
	}
	return steps, at
}
