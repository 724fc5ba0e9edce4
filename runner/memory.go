package runner

import (
	"fmt"

	"ablate/pipeline"
	"ablate/stages/kind"
)

// memory is what step i may take if it starts now: what it is fastest with, or what is free, if that is enough. If not, the step waits for
// others to end, and so do all after it, lest small steps keep a large one waiting for ever; but a step alone always starts, and says itself
// what it lacks. 0 is no bound.
func (r *run) memory(i int) (bytes int64, ok bool) {
	if r.Memory == 0 || r.state.Status[i] != pipeline.Run {
		return 0, true
	}
	free := r.Memory
	for _, a := range r.active {
		free -= a.memory
	}
	w := r.wants(i)
	return min(w.Memory, free), len(r.active) == 0 || w.LeastMemory <= free
}

// wants asks once for each kind and parameters: a study has hundreds of steps with the same. A step that cannot say what it wants will fail
// for the same reason.
func (r *run) wants(i int) kind.Needs {
	step := r.plan.Steps[i]
	key := step.Kind + " " + string(step.Params)
	w, ok := r.wanted[key]
	if !ok {
		w, _ = r.Kinds.Needs(step.Kind, step.Params, r.Slots)
		r.wanted[key] = w
	}
	return w
}

// tellShort says once that memory makes a step slower than it could be.
func (r *run) tellShort(i int, bytes int64) {
	if r.told || r.Memory == 0 || bytes >= r.wants(i).Memory {
		return
	}
	r.told = true
	r.Events(Event{What: Warning, Step: i, Key: r.state.Keys[i], Message: fmt.Sprintf(
		"memory is short: step %s has %d of the %d MB with which it is fastest (--memory); results are the same", r.plan.Steps[i].ID, bytes/1e6, r.wants(i).Memory/1e6)})
}
