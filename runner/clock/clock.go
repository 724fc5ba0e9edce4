// Package clock says how long steps will take together, by doing what a run does: it keeps those
// whose inputs are there in the order of a run's queue, gives them to a machine of some cores, and
// divides the cores as the executor of a process does (runner/exec/local). It is arithmetic; it
// measures and starts nothing.
//
// It does not promise that a machine is as fast with all its cores busy as with one.
package clock

import (
	"container/heap"
	"math"
)

// Step is one step to be done.
type Step struct {
	Seconds  func(share float64) float64 // that it takes with so many cores all the time
	Cores    int                         // that it can use at most; 0: all
	Memory   int64                       // bytes with which it is fastest
	Least    int64                       // bytes with which it can do
	Priority int64                       // of those that could begin, the highest goes first
	After    []int                       // steps that must be done before it
	Phase    int                         // no step begins before those of lower phases are done
}

// Machine is what the steps share; see local.Machine.
type Machine struct {
	Cores  int
	Jobs   int // steps at once; 0: as many as there are cores
	Memory int64
}

// Result is how long the steps take.
type Result struct {
	Seconds     float64
	CoreSeconds []float64 // of each step: its share of the cores, summed up over its time
}

// active is a step under way.
type active struct {
	step   int
	left   float64 // share of the step that is not done
	share  int
	memory int64
}

// run is a simulation under way.
type run struct {
	Machine
	steps   []Step
	now     float64
	ready   queue
	active  []*active // the most urgent first
	result  Result
	waiting []int   // steps that each one still waits for
	after   [][]int // those that wait for each one
}

// Run says how long steps take on a machine.
func Run(steps []Step, m Machine) Result {
	m.Cores = max(1, m.Cores)
	if m.Jobs < 1 || m.Jobs > m.Cores {
		m.Jobs = m.Cores
	}
	r := &run{Machine: m, steps: steps, result: Result{CoreSeconds: make([]float64, len(steps))}, waiting: make([]int, len(steps)), after: make([][]int, len(steps))}
	r.ready.steps = steps
	last := 0
	for i, s := range steps {
		last = max(last, s.Phase)
		for _, j := range s.After {
			r.waiting[i]++
			r.after[j] = append(r.after[j], i)
		}
	}
	for phase := 0; phase <= last; phase++ {
		for i, s := range steps {
			if s.Phase == phase && r.waiting[i] == 0 {
				heap.Push(&r.ready, i)
			}
		}
		r.phase(phase)
	}
	r.result.Seconds = r.now
	return r.result
}

// phase does the steps of a phase.
func (r *run) phase(phase int) {
	for {
		for len(r.ready.of) > 0 && r.room(r.ready.of[0]) {
			r.start(heap.Pop(&r.ready).(int))
		}
		if len(r.active) == 0 {
			return
		}
		r.divide()
		r.advance(phase)
	}
}

// room is local.Local's.
func (r *run) room(i int) bool {
	s := r.steps[i]
	switch {
	case len(r.active) == 0:
		return true
	case len(r.active) >= r.Jobs:
		return false
	}
	return r.Memory == 0 || s.Memory == 0 || max(1, s.Least) <= r.free()
}

func (r *run) free() int64 {
	free := r.Memory
	for _, a := range r.active {
		free -= a.memory
	}
	return free
}

func (r *run) start(i int) {
	a := &active{step: i, left: 1}
	if r.Memory > 0 {
		a.memory = min(r.steps[i].Memory, r.free())
	}
	at := len(r.active)
	for at > 0 && r.steps[r.active[at-1].step].Priority < r.steps[i].Priority {
		at--
	}
	r.active = append(r.active, nil)
	copy(r.active[at+1:], r.active[at:])
	r.active[at] = a
}

// divide is local.Local's.
func (r *run) divide() {
	for _, a := range r.active {
		a.share = 0
	}
	for left, gave := r.Cores, true; left > 0 && gave; {
		gave = false
		for _, a := range r.active {
			if most := r.steps[a.step].Cores; left > 0 && (most == 0 || a.share < most) {
				a.share++
				left--
				gave = true
			}
		}
	}
}

// advance goes on to when the next step is done.
func (r *run) advance(phase int) {
	next := math.Inf(1)
	needs := make([]float64, len(r.active)) // seconds of the whole step at its share
	for k, a := range r.active {
		needs[k] = math.Max(1e-9, r.steps[a.step].Seconds(float64(max(1, a.share))))
		next = math.Min(next, a.left*needs[k])
	}
	r.now += next
	kept := r.active[:0]
	for k, a := range r.active {
		r.result.CoreSeconds[a.step] += float64(next * float64(max(1, a.share)))
		a.left -= next / needs[k]
		if a.left > 1e-9 {
			kept = append(kept, a)
			continue
		}
		for _, j := range r.after[a.step] {
			if r.waiting[j]--; r.waiting[j] == 0 && r.steps[j].Phase <= phase {
				heap.Push(&r.ready, j)
			}
		}
	}
	r.active = kept
}

// queue orders steps as the runner's queue does: the highest priority first, ties by number.
type queue struct {
	steps []Step
	of    []int
}

func (q *queue) Len() int { return len(q.of) }
func (q *queue) Less(a, b int) bool {
	x, y := q.steps[q.of[a]].Priority, q.steps[q.of[b]].Priority
	return x > y || x == y && q.of[a] < q.of[b]
}
func (q *queue) Swap(a, b int) { q.of[a], q.of[b] = q.of[b], q.of[a] }
func (q *queue) Push(x any)    { q.of = append(q.of, x.(int)) }
func (q *queue) Pop() any {
	x := q.of[len(q.of)-1]
	q.of = q.of[:len(q.of)-1]
	return x
}
