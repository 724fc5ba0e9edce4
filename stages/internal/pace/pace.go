// Package pace measures how fast a machine works, for the estimates of plans. It has what the
// probes of several kinds share: the clock, the crowd of threads, and models that are small enough
// to be measured in a moment.
//
// It does not promise that a machine which others use meanwhile gives the same number twice.
package pace

import (
	"errors"
	"slices"
	"sync"
	"time"

	"ablate/specs/arch"
)

// Runner does a piece of work again and again. The first piece is not measured: it allocates.
type Runner struct {
	Piece func() (work float64, err error)
	Close func()
}

// windows are the parts of a measurement, of which the median counts: what else the machine does
// for a moment makes one of them slow.
const windows = 3

// Rate is how much work a second a runner does, measured for about so long, and for three pieces at
// the least or one that takes longer than all of the time.
func Rate(r Runner, about time.Duration) (perSecond float64, err error) {
	var rates []float64
	for begin := time.Now(); len(rates) < windows && (len(rates) == 0 || time.Since(begin) < 2*about); {
		start, done := time.Now(), 0.0
		for done == 0 || time.Since(start) < about/windows {
			work, err := r.Piece()
			if err != nil {
				return 0, err
			}
			done += work
		}
		rates = append(rates, done/time.Since(start).Seconds())
	}
	slices.Sort(rates)
	return rates[len(rates)/2], nil
}

// mostCrowd bounds the runners that are measured beside each other: more of them would take the
// memory of many models, and four fill what the threads of a processor share.
const mostCrowd = 4

// Rates are the work a second on one thread, while others do the same on the other threads as in a
// run, and on all threads together. open makes a runner for so many threads.
func Rates(threads int, about time.Duration, open func(threads int) (Runner, error)) (one, all float64, err error) {
	n := min(max(1, threads), mostCrowd)
	crowd := make([]Runner, 0, n)
	defer func() {
		for _, r := range crowd {
			r.Close()
		}
	}()
	for range n {
		r, err := open(1)
		if err != nil {
			return 0, 0, err
		}
		crowd = append(crowd, r)
		if _, err := r.Piece(); err != nil {
			return 0, 0, err
		}
	}
	rates, errs := make([]float64, n), make([]error, n)
	var wait sync.WaitGroup
	for i, r := range crowd {
		wait.Go(func() { rates[i], errs[i] = Rate(r, about/2) })
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return 0, 0, err
	}
	for _, r := range rates {
		one += r / float64(n)
	}
	if threads < 2 {
		return one, one, nil
	}
	r, err := open(threads)
	if err != nil {
		return 0, 0, err
	}
	defer r.Close()
	if _, err := r.Piece(); err != nil {
		return 0, 0, err
	}
	all, err = Rate(r, about/2)
	return one, all, err
}

// Operations is how many floating-point operations a forward pass takes for a token of a sequence
// of the model's context: two for each weight of a product, and those of attention, of which half
// of the scores are masked. Norms and activations are left out. A training takes three times as
// many (Kaplan et al., arXiv:2001.08361, section 2.1).
func Operations(m arch.Model) float64 {
	C, F, T := float64(m.DModel), float64(m.MLPHidden), float64(m.Context)
	weights := float64(3*C*C) + float64(C*F) + float64(float64(m.MLPOut())*C)
	if m.AttentionOutput {
		weights += float64(C * C)
	}
	return float64(float64(m.Layers)*(float64(2*weights)+float64(2*T*C))) + float64(2*float64(m.Vocab)*C)
}

// perSecond is a processor's core that is slow today, in operations a second.
const perSecond = 20e9

// Least sizes of a model that is measured in place of a larger one: kernels reach their speed with
// them.
const (
	leastTokens = 512 // of a pass
	leastWidth  = 256
	leastVocab  = 2048
)

// Shrunk is a model like m of which a pass of some rows of its context takes one core about so long
// at most, as far as that goes, and how many rows these are. most is how many there are at most;
// passes is the cost of a pass to that of a forward pass. The time of a token grows with
// Operations.
func Shrunk(m arch.Model, most int, passes float64, about time.Duration) (small arch.Model, rows int) {
	budget := about.Seconds() * perSecond
	rows = max(1, most)
	cost := func() float64 { return passes * Operations(m) * float64(rows*m.Context) }
	for cost() > budget {
		switch {
		case rows > 1 && rows*m.Context > leastTokens:
			rows = max(1, rows/2)
		case m.Layers > 2:
			m.Layers = max(2, m.Layers/2)
		case m.Context > leastTokens:
			m.Context = max(leastTokens, m.Context/2)
		case m.Vocab > leastVocab:
			m.Vocab = max(leastVocab, m.Vocab/4)
		case m.DModel > leastWidth && m.DModel%2 == 0 && m.Heads%2 == 0 && m.MLPHidden%4 == 0:
			m.DModel, m.Heads, m.MLPHidden = m.DModel/2, m.Heads/2, m.MLPHidden/2
		default:
			return m, rows
		}
	}
	return m, rows
}
