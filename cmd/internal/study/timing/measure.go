package timing

import (
	"context"
	"math"
	"time"

	"ablate/cache"
	"ablate/cmd/internal/study"
)

// Bounds of the time that measurements take.
const (
	// A first look at a class of steps: enough for the models of a test.
	glance = 40 * time.Millisecond
	// A class that is expected to take long is looked at for this part of that time.
	lookShare = 1.0 / 50
	// A class is not looked at again for less than so many times as long as before.
	lookMore = 2
)

// tally sums up steps that ran: the core-seconds that they took, and those that the speed of their
// class says.
type tally struct {
	steps      int
	took, says float64
}

// factor is what steps took to what their speed says; 0: none ran. It is a ratio of sums, so that
// the estimate of all of them together is right where the steps differ.
func (t tally) factor() float64 {
	if t.says <= 0 {
		return 0
	}
	return t.took / t.says
}

// basis is what the speed of a class rests on.
func (c *class) basis() Basis {
	switch {
	case c.Factor > 0:
		return Runs
	case c.Budget > 0:
		return Probe
	}
	return Constant
}

// ran adds a step that ran here to the tally of its class, if its entry says what it took.
func (f *Forecast) ran(s step, e *cache.Entry) {
	p := e.Provenance
	if p.CoreSeconds <= 0 || p.WallSeconds <= 0 || p.Work <= 0 || p.CPU != f.Processor {
		return
	}
	share := math.Min(math.Max(p.CoreSeconds/p.WallSeconds, 1), float64(f.Threads))
	t := &s.class.ran
	t.steps++
	t.took += p.CoreSeconds
	t.says += float64(s.class.Speed.Seconds(float64(p.Work)*s.expand, s.inputs, share) * share)
}

// measure finds the speeds that the book does not have: by a glance at each class, from steps that
// ran here, and for classes that take long and never ran by a longer look.
func (f *Forecast) measure(ctx context.Context, p *study.Compiled, budget time.Duration) error {
	needed := map[*class]bool{}
	for _, s := range f.steps {
		if !s.hit {
			needed[s.class] = true
		}
	}
	changed := false
	for key, c := range f.classes {
		if !needed[c] {
			continue
		}
		if c.recorded == nil {
			if err := f.look(ctx, c, min(budget, glance)); err != nil {
				return err
			}
			f.book.Speeds[key], changed = c.recorded, true
		}
	}
	for i, s := range f.steps {
		if s.hit && needed[s.class] && s.class.Factor == 0 {
			f.ran(s, p.State.Entries[i])
		}
	}
	expected := map[*class]float64{}
	all := 0.0
	for _, s := range f.steps {
		if s.hit {
			continue
		}
		if factor := s.class.ran.factor(); s.class.Factor == 0 && factor > 0 {
			s.class.Factor, s.class.Ran, changed = factor, s.class.ran.steps, true
		}
		n := s.seconds(1)
		expected[s.class] += n
		all += n
	}
	for _, c := range f.classes {
		want := min(time.Duration(lookShare*expected[c]*float64(time.Second)), time.Duration(expected[c]/math.Max(all, 1e-9)*float64(budget)))
		if !needed[c] || c.basis() != Probe || want < lookMore*time.Duration(c.Budget)*time.Millisecond {
			continue
		}
		if err := f.look(ctx, c, want); err != nil {
			return err
		}
		changed = true
	}
	if changed {
		f.book.save(f.cache)
	}
	return nil
}

// look measures the speed of a class for about so long.
func (f *Forecast) look(ctx context.Context, c *class, about time.Duration) error {
	speed, err := c.kind.Measure(ctx, c.params, f.Threads, about)
	if err != nil {
		return err
	}
	if c.recorded == nil {
		c.recorded = &recorded{}
	}
	c.Speed, c.Budget = speed, 0
	if c.kind.Probes {
		c.Budget = max(1, about.Milliseconds())
	}
	return nil
}
