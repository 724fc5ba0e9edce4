package kind

import (
	"context"
	"encoding/json"
	"math"
	"time"
)

// Speed is how fast steps go on one machine. Work is counted in the unit of the kind (Kind.Unit);
// the time that a step takes is
//
//	Setup + Input*inputs + work/rate(threads)
//
// and rate follows Amdahl's law (AFIPS 1967) through the two rates that were measured. A speed is
// about time alone: no result and no key depends on one.
type Speed struct {
	One     float64 `json:"one"`             // work a second on one thread, while the others are busy too; 0: the step has no work that takes time
	All     float64 `json:"all"`             // work a second on all threads
	Threads int     `json:"threads"`         // all threads, of which All is the rate; at least 1
	Setup   float64 `json:"setup,omitempty"` // seconds a step, whatever its work
	Input   float64 `json:"input,omitempty"` // seconds an input
}

// Seconds is how long a step of so much work and so many inputs takes on a share of the threads,
// which may be a fraction.
func (s Speed) Seconds(work float64, inputs int, share float64) float64 {
	t := s.Setup + float64(s.Input*float64(inputs))
	if s.One <= 0 {
		return t
	}
	serial, parallel := s.parts()
	return t + float64(work*(serial+parallel/math.Max(share, 1e-9)))
}

// parts are the seconds of one unit of work that no second thread shortens, and those that every
// thread takes its part of.
func (s Speed) parts() (serial, parallel float64) {
	one := 1 / s.One
	if s.Threads < 2 || s.All <= 0 {
		return one, 0
	}
	parallel = (one - 1/s.All) / (1 - 1/float64(s.Threads))
	parallel = min(one, max(0, parallel))
	return one - parallel, parallel
}

// Measure says how fast steps with such parameters go on this machine, on one and on
// all threads, measured in about the time of the budget. It is 0 for a kind that does not know.
func (k Kind) Measure(ctx context.Context, params json.RawMessage, threads int, budget time.Duration) (Speed, error) {
	threads = max(1, threads)
	if k.Speed == nil {
		return Speed{Threads: threads}, nil
	}
	s, err := k.Speed(ctx, &Job{Params: params, Threads: threads}, budget)
	s.Threads = threads
	return s, err
}

// SpeedClass names what of a step's parameters its speed depends on: steps of one class go equally
// fast.
func (k Kind) SpeedClass(params json.RawMessage) (string, error) {
	if k.Alike == nil {
		return "", nil
	}
	return k.Alike(params)
}
