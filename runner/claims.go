package runner

import (
	"context"
	"fmt"
	"sync"
	"time"

	"ablate/cache"
)

// Claims says how runs that share a cache divide its steps. Who is about to begin a step claims its
// key and shows now and then that it is alive. Who finds a step claimed does others meanwhile, and
// takes the result when it is there; or the step itself, when the claim ends without one: because
// the other run failed or was interrupted, its process died, or it gave no sign for too long.
type Claims struct {
	Beat    time.Duration // how often a run shows that it is alive; 0: 30 s
	Silence time.Duration // how long without a sign until its step is taken over; 0: 5 min, ten beats
	Look    time.Duration // how often at most it is looked whether another's step is done; 0: 1 s, less at first
}

func (c Claims) orDefault() Claims {
	def := func(d *time.Duration, to time.Duration) {
		if *d <= 0 {
			*d = to
		}
	}
	def(&c.Beat, 30*time.Second)
	def(&c.Silence, 5*time.Minute)
	def(&c.Look, time.Second)
	return c
}

// away is a step that another run is at.
type away struct {
	steps []int // that have this key
	watch *cache.Watch
	looks int
	next  time.Time // when to look again
}

// after is how long to wait before the next look: small steps are over soon, long trainings need no
// watching.
func (a *away) after(most time.Duration) time.Duration {
	return min(most, most/64<<min(a.looks, 6))
}

// claim claims the key of step i, which is about to begin. It is false when another run is at it:
// then the step is watched.
func (r *run) claim(i int, key cache.Key) bool {
	if r.alone || r.made(i) {
		return true
	}
	claim, watch, err := r.Cache.Claim(key, r.plan.Steps[i].ID, r.plan.Study)
	switch {
	case err != nil:
		r.alone = true
		r.Events(Event{What: Warning, Step: i, Key: key, Message: fmt.Sprintf("steps cannot be claimed, so another run on this cache may do the same work: %v", err)})
		return true
	case claim != nil:
		r.hearts.hold(key, claim)
		return true
	}
	a := &away{steps: []int{i}, watch: watch}
	a.next = time.Now().Add(a.after(r.Claims.Look))
	r.away[key] = a
	return false
}

// made says whether another run has made step i since this one found that there was no entry of it:
// then it will be taken. An entry that was found damaged says nothing; when it is whole again, its
// claim has ended.
func (r *run) made(i int) bool {
	miss := r.state.Misses[i]
	return miss != nil && miss.Reason == cache.Absent && r.Cache.Has(r.state.Keys[i])
}

// await waits for reports of the executor, and takes them. It ends without one when it is time to
// look what the other runs do, or when the context ends that the running steps have not yet heard
// of.
func (r *run) await(ctx context.Context) {
	whole := ctx
	if r.stopped {
		ctx = context.WithoutCancel(ctx)
	}
	if len(r.away) > 0 {
		var next time.Time
		for _, a := range r.away {
			if next.IsZero() || a.next.Before(next) {
				next = a.next
			}
		}
		limited, cancel := context.WithDeadline(ctx, next)
		defer cancel()
		ctx = limited
	}
	reports := r.Executor.Poll(ctx)
	r.interrupted = whole.Err() != nil // by now, whatever ended because of it
	for _, rep := range reports {
		r.receive(rep)
	}
}

// lookAway goes through the steps that others are at. What is made by now, and what nobody is at
// any more, is ready again: when it begins, its entry is looked for first.
func (r *run) lookAway() {
	now := time.Now()
	for key, a := range r.away {
		if now.Before(a.next) {
			continue
		}
		a.looks++
		a.next = now.Add(a.after(r.Claims.Look))
		if !r.made(a.steps[0]) {
			over, why, err := a.watch.Over(r.Claims.Silence)
			if err != nil {
				over, why = true, err.Error() // it cannot be watched, so do not wait for it
			}
			if !over {
				continue
			}
			if why != "" {
				r.Events(Event{What: Notice, Step: a.steps[0], Key: key, Message: fmt.Sprintf("this run takes step %s over: %s", r.plan.Steps[a.steps[0]].ID, why)})
			}
		}
		delete(r.away, key)
		for _, i := range a.steps {
			r.push(i)
		}
	}
}

// tellWaiting says once that this run has nothing to do until others are done.
func (r *run) tellWaiting() {
	if len(r.running) > 0 || len(r.away) == 0 {
		r.waiting = r.waiting && len(r.running) == 0
		return
	}
	if r.waiting {
		return
	}
	r.waiting = true
	first := -1
	var holder cache.Holder
	for _, a := range r.away {
		if first < 0 || a.steps[0] < first {
			first, holder = a.steps[0], a.watch.Holder
		}
	}
	message := fmt.Sprintf("waiting for step %s, which %s is running (study %s)", r.plan.Steps[first].ID, holder, holder.Study)
	if n := len(r.away) - 1; n > 0 {
		message += fmt.Sprintf(", and %d more", n)
	}
	r.Events(Event{What: Notice, Step: -1, Message: message})
}

// hearts keeps claims alive, on a goroutine of its own: the run may be busy for minutes reading
// what it took over. The zero value is ready.
type hearts struct {
	mu   sync.Mutex
	held map[cache.Key]*cache.Claim
}

func (h *hearts) hold(key cache.Key, c *cache.Claim) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held == nil {
		h.held = map[cache.Key]*cache.Claim{}
	}
	h.held[key] = c
}

func (h *hearts) release(key cache.Key) {
	h.mu.Lock()
	c := h.held[key]
	delete(h.held, key)
	h.mu.Unlock()
	if c != nil {
		c.Release()
	}
}

// start beats for the run and for all claims held until stop is called, which waits for the last
// beat.
func (h *hearts) start(every time.Duration, alive func() error) (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
			}
			h.mu.Lock()
			claims := make([]*cache.Claim, 0, len(h.held))
			for _, c := range h.held {
				claims = append(claims, c)
			}
			h.mu.Unlock()
			_ = alive() // a sign that is not given costs work at most, as that of a claim
			for _, c := range claims {
				_ = c.Beat() // a claim that cannot be kept alive is taken over, which costs work and no result
			}
		}
	}()
	return func() { close(quit); <-ended }
}
