package pipeline

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"ablate/cache"
	"ablate/stages/kind"
)

// Status is what is known of a step.
type Status int

const (
	Waits Status = iota // some input is not there yet, so the key is unknown
	Run                 // the key is known and the cache has no usable entry
	Hit                 // the cache has it
)

func (s Status) String() string { return [...]string{"waits", "run", "hit"}[s] }

// MarshalText gives the word in JSON too.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Lookup returns the entry of a key, or a *cache.Miss. It is called from several goroutines at once
// where many steps are looked up.
type Lookup func(cache.Key) (*cache.Entry, error)

// State is how far a plan has been carried out. It is not safe for concurrent use.
type State struct {
	Plan      *Plan
	Kinds     kind.Kinds // of the steps
	Status    []Status
	Keys      []cache.Key        // where Status is not Waits
	KeyInputs [][]cache.KeyInput // where Status is not Waits
	Entries   []*cache.Entry     // where Status is Hit
	Misses    []*cache.Miss      // where Status is Run

	lookup    Lookup
	keyer     *keyer
	steps     []*Step // as they are keyed and carried out; see settled
	waiting   []int   // inputs not yet there
	consumers [][]int // steps that read a step's outputs, once per input
}

// Resolve finds out what of a plan is there; keys name the versions of the kinds of step. Steps
// whose inputs are all there are looked up in plan order.
func (p *Plan) Resolve(kinds kind.Kinds, lookup Lookup) (*State, error) {
	n := len(p.Steps)
	s := &State{
		Plan: p, Kinds: kinds, lookup: lookup, keyer: newKeyer(),
		Status: make([]Status, n), Keys: make([]cache.Key, n), KeyInputs: make([][]cache.KeyInput, n),
		Entries: make([]*cache.Entry, n), Misses: make([]*cache.Miss, n), steps: slices.Clone(p.Steps),
		waiting: make([]int, n), consumers: make([][]int, n),
	}
	for i, step := range p.Steps {
		if _, err := kinds.Named(step.Kind); err != nil {
			return nil, fmt.Errorf("step %s: %w", step.ID, err)
		}
		for _, in := range step.Inputs {
			switch {
			case in.File == nil:
				s.waiting[i]++
				s.consumers[in.Step] = append(s.consumers[in.Step], i)
			case in.File.Missing:
				s.waiting[i]++ // for good
			}
		}
	}
	var free []int
	for i := range p.Steps {
		if s.waiting[i] == 0 {
			free = append(free, i)
		}
	}
	if _, err := s.look(free); err != nil {
		return nil, err
	}
	return s, nil
}

// Step is step i as it is keyed and carried out. Once its key is known, the models of an average
// stand in the order of their content.
func (s *State) Step(i int) *Step { return s.steps[i] }

// look keys steps whose inputs are all there, and on hits goes on to the steps that were waiting
// for them. It returns the steps that must run.
func (s *State) look(steps []int) ([]int, error) {
	var ready []int
	for len(steps) > 0 {
		for _, i := range steps {
			if err := s.key(i); err != nil {
				return nil, err
			}
		}
		entries, errs := s.lookUp(steps)
		var next []int
		for n, i := range steps {
			var miss *cache.Miss
			if errs[n] == nil {
				next = append(next, s.finish(i, entries[n])...)
			} else if errors.As(errs[n], &miss) {
				s.Status[i], s.Misses[i] = Run, miss
				ready = append(ready, i)
			} else {
				return nil, fmt.Errorf("step %s: %w", s.Plan.Steps[i].ID, errs[n])
			}
		}
		steps = next
	}
	return ready, nil
}

// key works out the key of step i, whose inputs are all there.
func (s *State) key(i int) error {
	digests, err := s.digests(i)
	if err != nil {
		return err
	}
	s.steps[i], digests = s.keyer.settled(s.Plan.Steps[i], digests)
	of, err := s.Kinds.Named(s.steps[i].Kind)
	if err != nil {
		return err
	}
	s.KeyInputs[i] = s.keyer.keyInputs(of, s.steps[i], digests)
	s.Keys[i] = cache.KeyOf(s.KeyInputs[i])
	return nil
}

// lookUp looks the keys of steps up. A lookup is half waiting for the file system, half checking
// what it gave, and where the cache asks a remote it is all waiting for the network: so many are
// under way at once, whatever the number of processors.
func (s *State) lookUp(steps []int) ([]*cache.Entry, []error) {
	entries, errs := make([]*cache.Entry, len(steps)), make([]error, len(steps))
	const atOnce = 16 // hides the round trips of a remote: 200 entries 20 ms away take 0.3 s instead of 4
	workers := min(len(steps), atOnce)
	var next atomic.Int64
	work := func() {
		for n := int(next.Add(1)) - 1; n < len(steps); n = int(next.Add(1)) - 1 {
			i := steps[n]
			if entries[n], errs[n] = s.lookup(s.Keys[i]); errs[n] == nil {
				entries[n] = s.kept(i, entries[n])
			}
		}
	}
	var wait sync.WaitGroup
	for range workers - 1 {
		wait.Go(work)
	}
	work()
	wait.Wait()
	return entries, errs
}

// kept is step i's entry as it is kept. Equal keys are equal key inputs, so those that were read
// from the entry's file are let go: of a hundred thousand steps, they are half a GB.
func (s *State) kept(i int, entry *cache.Entry) *cache.Entry {
	e := *entry
	e.KeyInputs = s.KeyInputs[i]
	return &e
}

// finish records step i's entry and returns the steps that waited for nothing else.
func (s *State) finish(i int, entry *cache.Entry) []int {
	if s.Status[i] == Hit { // found twice: it ran on while the step before it was made again
		return nil
	}
	s.Status[i], s.Entries[i], s.Misses[i] = Hit, entry, nil
	var free []int
	for _, c := range s.consumers[i] {
		if s.waiting[c]--; s.waiting[c] == 0 {
			free = append(free, c)
		}
	}
	return free
}

// Done records that step i has run and left entry. It returns the steps that must run now; steps
// that turn out to be hits are passed over (early cut-off).
func (s *State) Done(i int, entry *cache.Entry) ([]int, error) {
	return s.look(s.finish(i, s.kept(i, entry)))
}

// Revoke records that the outputs of step i, a hit until now, turned out to be unusable when they
// were to be read: it must run again, and every consumer that has not run waits for it. Steps that
// are hits stay hits: their keys hold content, which has not changed.
func (s *State) Revoke(i int, miss *cache.Miss) {
	s.Status[i], s.Entries[i], s.Misses[i] = Run, nil, miss
	for _, c := range s.consumers[i] {
		if s.Status[c] != Hit {
			s.waiting[c]++
			s.Status[c] = Waits
		}
	}
}

func (s *State) digests(i int) ([]cache.Digest, error) {
	step := s.Plan.Steps[i]
	out := make([]cache.Digest, len(step.Inputs))
	for j, in := range step.Inputs {
		if in.File != nil {
			out[j] = in.File.Digest
			continue
		}
		d, ok := s.Entries[in.Step].Output(in.Output)
		if !ok {
			return nil, fmt.Errorf("step %s: input %s: step %s left no output %q", step.ID, in.Role, s.Plan.Steps[in.Step].ID, in.Output)
		}
		out[j] = d.Digest
	}
	return out, nil
}

// WaitsOn returns the steps whose outputs step i is waiting for.
func (s *State) WaitsOn(i int) []int {
	var on []int
	seen := map[int]bool{}
	for _, in := range s.Plan.Steps[i].Inputs {
		if in.File == nil && s.Status[in.Step] != Hit && !seen[in.Step] {
			seen[in.Step] = true
			on = append(on, in.Step)
		}
	}
	return on
}

// Ready returns the steps that must run and could run now, in plan order.
func (s *State) Ready() []int {
	var out []int
	for i, st := range s.Status {
		if st == Run {
			out = append(out, i)
		}
	}
	return out
}

// Count returns how many steps have each status.
func (s *State) Count() (hit, run, waits int) {
	for _, st := range s.Status {
		switch st {
		case Hit:
			hit++
		case Run:
			run++
		default:
			waits++
		}
	}
	return hit, run, waits
}
