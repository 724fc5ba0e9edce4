package timing

import (
	"sync"
	"time"

	"ablate/runner"
)

// Track follows a run and corrects the estimate as it goes: what the steps of a class took to what
// they were expected to take holds for those of the class that are to come.
type Track struct {
	mu     sync.Mutex
	f      *Forecast
	began  time.Time
	left   map[*class]float64 // core-seconds expected of steps that are not done
	seen   map[*class]*tally  // of steps that ended in this run
	ends   []float64          // seconds that ended steps took besides their work
	active map[int]*activity  // by number of the forecast's steps
	plan   func(event int) string
	done   map[int]bool
}

// activity is a step under way.
type activity struct {
	began time.Time
	share float64 // that is done
}

// Track begins to follow the run of a forecast.
func (f *Forecast) Track() *Track {
	t := &Track{f: f, began: time.Now(), left: map[*class]float64{}, seen: map[*class]*tally{}, active: map[int]*activity{}, done: map[int]bool{}}
	for _, s := range f.steps {
		t.left[s.class] += s.core
	}
	return t
}

// prior is the weight of the estimate against what the run shows of a class, as a part of the
// class's time: a few steps that took long do not make all others long.
const prior = 0.05

// Event takes an event of the run and says how long the rest will take; it is not known (false)
// where the event says nothing of that.
func (t *Track) Event(e runner.Event) (left time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.State != nil {
		plan := e.State.Plan
		t.plan = func(i int) string { return plan.Steps[i].ID }
	}
	if e.Step < 0 || t.plan == nil {
		return 0, false
	}
	i, known := t.f.number[t.plan(e.Step)]
	if !known || t.done[i] {
		return 0, false // of steps that the plan did not have yet, or that are made once more
	}
	now := time.Now()
	switch e.What {
	case runner.Started:
		t.active[i] = &activity{began: now}
	case runner.Progress:
		if a := t.active[i]; a != nil && e.Total > 0 {
			a.share = float64(e.Done) / float64(e.Total)
		}
	case runner.Finished, runner.Reused:
		t.end(i, e)
	case runner.Failed:
		delete(t.active, i)
	default:
		return 0, false
	}
	return t.rest(now), true
}

// end takes the end of step i.
func (t *Track) end(i int, e runner.Event) {
	s := t.f.steps[i]
	delete(t.active, i)
	t.done[i] = true
	t.left[s.class] -= s.core
	if e.Entry == nil || e.What != runner.Finished {
		return
	}
	if took := e.Entry.Provenance.CoreSeconds; took > 0 {
		n := t.tally(s.class)
		n.steps, n.took, n.says = n.steps+1, n.took+took, n.says+s.core
		t.f.ran(s, e.Entry)
		t.ends = append(t.ends, max(0, e.Took.Seconds()-e.Entry.Provenance.WallSeconds))
	}
}

func (t *Track) tally(c *class) *tally {
	if t.seen[c] == nil {
		t.seen[c] = &tally{}
	}
	return t.seen[c]
}

// rest is how long what is left takes, as the run is going.
func (t *Track) rest(now time.Time) time.Duration {
	if t.f.CoreSeconds <= 0 {
		return 0
	}
	partly := map[*class]tally{} // what steps under way show
	for i, a := range t.active {
		s := t.f.steps[i]
		n := partly[s.class]
		n.took += float64(now.Sub(a.began).Seconds() * float64(t.f.Threads) / float64(len(t.active)))
		n.says += float64(s.core * a.share)
		partly[s.class] = n
	}
	core := 0.0
	for c, left := range t.left {
		n, p := t.tally(c), partly[c]
		weight := float64(prior * c.expected)
		factor := 1.0
		if says := n.says + p.says; says > weight { // enough of it was seen
			factor = (n.took + p.took + weight) / (says + weight)
		}
		core += float64(max(0, left-p.says) * factor)
	}
	return time.Duration(core * t.f.Seconds / t.f.CoreSeconds * float64(time.Second))
}

// Outcome is how an estimate did.
type Outcome struct {
	Estimated   float64 `json:"estimated_seconds"`
	Took        float64 `json:"took_seconds"`
	CoreSeconds float64 `json:"core_seconds"` // that the steps took
	Expected    float64 `json:"estimated_core_seconds"`
}

// Close ends the run, and keeps what it showed for later estimates. It says how the estimate did;
// what it says counts where all steps of the forecast were done.
func (t *Track) Close() Outcome {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := Outcome{Estimated: t.f.Seconds, Took: time.Since(t.began).Seconds(), Expected: t.f.CoreSeconds}
	for _, n := range t.seen {
		o.CoreSeconds += n.took
	}
	t.f.keep(t.ends)
	return o
}

// keep writes what runs have shown into the book.
func (f *Forecast) keep(ends []float64) {
	changed := false
	for _, c := range f.classes {
		if c.ran.steps > 0 && c.ran.factor() > 0 {
			c.Factor, c.Ran, changed = c.ran.factor(), c.ran.steps, true
		}
	}
	const enough = 5
	if len(ends) >= enough {
		sum := 0.0
		for _, x := range ends {
			sum += x
		}
		f.book.Speeds[commitKey] = &recorded{Ran: len(ends)}
		f.book.Speeds[commitKey].Setup = max(1e-4, sum/float64(len(ends)))
		changed = true
	}
	if changed {
		f.book.save(f.cache)
	}
}
