// Package optim says how parameters are updated: AdamW with decoupled weight decay and gradient
// clipping, and learning-rate schedules. It holds the settings and the numbers that follow from
// them; each engine applies them to its own memory.
//
// Words: a step is one update of the parameters, from one batch; steps times tokens per batch is
// the training's length in tokens. It does not promise exemptions: weight decay applies to every
// parameter, biases and norms included, as in the authors' training code (paper/FACTS.md,
// training).
package optim

import (
	"errors"
	"fmt"
	"math"

	"ablate/stages/internal/elementary"
)

// AdamW holds the settings that stay fixed over a training (Loshchilov and Hutter, "Decoupled
// Weight Decay Regularization", arXiv:1711.05101, algorithm 2, with the order of operations of
// PyTorch's torch.optim.AdamW):
//
//	w = w (1 - lr WeightDecay)
//	m = Beta1 m + (1-Beta1) g;  v = Beta2 v + (1-Beta2) g^2
//	w = w - lr/(1-Beta1^t) m / (sqrt(v)/sqrt(1-Beta2^t) + Eps)
type AdamW struct {
	Beta1       float64 `json:"beta1"`
	Beta2       float64 `json:"beta2"`
	Eps         float64 `json:"eps"`
	WeightDecay float64 `json:"weight_decay"`
	Clip        float64 `json:"clip"` // largest norm of all gradients together; 0: no clipping
}

// Validate returns everything that is wrong with a.
func (a AdamW) Validate() error {
	var errs []error
	check := func(name string, x float64, ok bool, want string) {
		if !ok || math.IsInf(x, 0) {
			errs = append(errs, fmt.Errorf("adamw: %s is %g, want %s", name, x, want))
		}
	}
	check("beta1", a.Beta1, a.Beta1 >= 0 && a.Beta1 < 1, "0 to less than 1")
	check("beta2", a.Beta2, a.Beta2 >= 0 && a.Beta2 < 1, "0 to less than 1")
	check("eps", a.Eps, a.Eps > 0, "more than 0")
	check("weight_decay", a.WeightDecay, a.WeightDecay >= 0, "at least 0")
	check("clip", a.Clip, a.Clip >= 0, "at least 0")
	return errors.Join(errs...)
}

// Step is one update.
type Step struct {
	AdamW
	LR     float64
	Number int // t above, from 1: counted from the moments' last reset, for the correction of their bias towards 0
}

// ErrNotFinite says that a gradient is NaN or infinite.
var ErrNotFinite = errors.New("the gradients are not finite")

// Validate returns everything that is wrong with s.
func (s Step) Validate() error {
	if err := s.AdamW.Validate(); err != nil {
		return err
	}
	if s.Number < 1 {
		return fmt.Errorf("adamw: step number is %d, want at least 1", s.Number)
	}
	if !(s.LR >= 0) || math.IsInf(s.LR, 0) {
		return fmt.Errorf("adamw: learning rate is %g, want at least 0", s.LR)
	}
	return nil
}

// Corrections are 1-Beta1^t and 1-Beta2^t, which the moments are divided by.
func (s Step) Corrections() (first, second float64) {
	return 1 - elementary.Pow(s.Beta1, float64(s.Number)), 1 - elementary.Pow(s.Beta2, float64(s.Number))
}

// ClipScale is what the gradients are multiplied by, whose norm before is given: min(1, Clip /
// (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_.
func (s Step) ClipScale(norm float64) float64 {
	if s.Clip == 0 {
		return 1
	}
	return min(1, s.Clip/(norm+1e-6))
}
