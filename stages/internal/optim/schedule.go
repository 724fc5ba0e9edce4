package optim

import (
	"errors"
	"fmt"
	"math"

	"ablate/stages/internal/elementary"
)

// The kinds of Schedule.
const (
	Constant = "constant" // Peak
	Cosine   = "cosine"   // Peak to Final along half a cosine (Loshchilov and Hutter, SGDR, arXiv:1608.03983, one period)
	Linear   = "linear"   // Peak to Final along a line
)

// Schedule is the learning rate as a pure function of the step. Its unit is the step, not the
// token: a study that states a warm-up in tokens or per cent divides before it comes here.
type Schedule struct {
	Kind   string  `json:"kind"`
	Peak   float64 `json:"lr"`
	Final  float64 `json:"final_lr"` // at the last step; unused by constant
	Warmup int     `json:"warmup"`   // steps of linear rise from 0; the last of them has Peak
}

// Validate returns everything that is wrong with s.
func (s Schedule) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("schedule: "+format, args...)) }
	switch s.Kind {
	case Constant, Cosine, Linear:
	default:
		bad("kind is %q, want one of %q", s.Kind, []string{Constant, Cosine, Linear})
	}
	if !(s.Peak > 0) || math.IsInf(s.Peak, 0) {
		bad("lr is %g, want more than 0", s.Peak)
	}
	if !(s.Final >= 0 && s.Final <= s.Peak) {
		bad("final_lr is %g, want 0 to lr, %g", s.Final, s.Peak)
	}
	if s.Warmup < 0 {
		bad("warmup is %d steps, want at least 0", s.Warmup)
	}
	return errors.Join(errs...)
}

// LR is the rate of step 0, 1, ..., total-1. The warm-up never starts at 0, which would waste a
// step: step i of it has (i+1)/Warmup of Peak. The decay then takes the remaining steps, and the
// last of them has exactly Final. Steps past the end keep it.
func (s Schedule) LR(step, total int) float64 {
	if step < s.Warmup {
		return s.Peak * float64(step+1) / float64(s.Warmup)
	}
	if s.Kind == Constant {
		return s.Peak
	}
	if step >= total-1 {
		return s.Final
	}
	x := float64(step+1-s.Warmup) / float64(total-s.Warmup) // of the decay, in (0, 1)
	if s.Kind == Cosine {
		x = (1 - elementary.Cos(math.Pi*x)) / 2
	}
	return s.Peak + float64((s.Final-s.Peak)*x)
}
