package pipeline

import (
	"errors"
	"fmt"
	"slices"

	"ablate/cache"
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

// Lookup returns the entry of a key, or a *cache.Miss.
type Lookup func(cache.Key) (*cache.Entry, error)

// State is how far a plan has been carried out. It is not safe for concurrent use.
type State struct {
	Plan        *Plan
	Status      []Status
	Keys        []cache.Key          // where Status is not Waits
	Ingredients [][]cache.Ingredient // where Status is not Waits
	Entries     []*cache.Entry       // where Status is Hit
	Misses      []*cache.Miss        // where Status is Run

	lookup    Lookup
	steps     []*Step // as they are keyed and carried out; see settled
	waiting   []int   // inputs not yet there
	consumers [][]int // steps that read a step's outputs, once per input
}

// Resolve finds out what of a plan is there. Steps whose inputs are all there are looked up in plan order.
func (p *Plan) Resolve(lookup Lookup) (*State, error) {
	n := len(p.Steps)
	s := &State{
		Plan: p, lookup: lookup,
		Status: make([]Status, n), Keys: make([]cache.Key, n), Ingredients: make([][]cache.Ingredient, n),
		Entries: make([]*cache.Entry, n), Misses: make([]*cache.Miss, n), steps: slices.Clone(p.Steps),
		waiting: make([]int, n), consumers: make([][]int, n),
	}
	for i, step := range p.Steps {
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
	for i := range p.Steps {
		if s.waiting[i] == 0 && s.Status[i] == Waits {
			if _, err := s.look(i); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// Step is step i as it is keyed and carried out. Once its key is known, the models of an average stand in the order of their content.
func (s *State) Step(i int) *Step { return s.steps[i] }

// look keys step i, whose inputs are all there, and on a hit goes on to the steps that were waiting for it. It returns the steps that
// must run.
func (s *State) look(i int) ([]int, error) {
	var ready []int
	for queue := []int{i}; len(queue) > 0; queue = queue[1:] {
		i := queue[0]
		digests, err := s.digests(i)
		if err != nil {
			return nil, err
		}
		s.steps[i], digests = settled(s.Plan.Steps[i], digests)
		s.Ingredients[i] = ingredients(s.steps[i], digests)
		s.Keys[i] = cache.KeyOf(s.Ingredients[i])
		entry, err := s.lookup(s.Keys[i])
		var miss *cache.Miss
		if errors.As(err, &miss) {
			s.Status[i], s.Misses[i] = Run, miss
			ready = append(ready, i)
			continue
		} else if err != nil {
			return nil, fmt.Errorf("step %s: %w", s.Plan.Steps[i].ID, err)
		}
		queue = append(queue, s.finish(i, entry)...)
	}
	return ready, nil
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

// Done records that step i has run and left entry. It returns the steps that must run now; steps that turn out to be hits are passed
// over (early cut-off).
func (s *State) Done(i int, entry *cache.Entry) ([]int, error) {
	var ready []int
	for _, c := range s.finish(i, entry) {
		r, err := s.look(c)
		if err != nil {
			return nil, err
		}
		ready = append(ready, r...)
	}
	return ready, nil
}

// Revoke records that the outputs of step i, a hit until now, turned out to be unusable when they were to be read: it must run again, and
// every consumer that has not run waits for it. Steps that are hits stay hits: their keys hold content, which has not changed.
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
