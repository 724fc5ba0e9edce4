// Package optim updates parameters: AdamW with decoupled weight decay and gradient clipping, and learning-rate schedules.
// It works on flat arenas (all parameters one slice, all gradients another), so one step is one pass over memory.
//
// Words: a step is one update of the parameters, from one batch; steps times tokens per batch is the training's length in
// tokens. It does not promise exemptions: weight decay applies to every parameter, biases and norms included, as in the
// authors' training code (paper/FACTS.md, training).
package optim

import (
	"errors"
	"fmt"
	"math"

	"ablate/stages/internal/elementary"
	"ablate/stages/internal/kernel"
)

// AdamW holds the settings that stay fixed over a training (Loshchilov and Hutter, "Decoupled Weight Decay Regularization",
// arXiv:1711.05101, algorithm 2, with the order of operations of PyTorch's torch.optim.AdamW):
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

// Apply clips the gradients and updates w, m and v, all of one length; g becomes 0. It returns the norm of g before
// clipping. On error nothing was changed.
func (s Step) Apply(p *kernel.Pool, w, g, m, v []float32) (gradNorm float64, err error) {
	if len(g) != len(w) || len(m) != len(w) || len(v) != len(w) {
		return 0, fmt.Errorf("adamw: %d parameters, %d gradients, %d and %d moments", len(w), len(g), len(m), len(v))
	}
	if err := s.Validate(); err != nil {
		return 0, err
	}
	if s.Number < 1 {
		return 0, fmt.Errorf("adamw: step number is %d, want at least 1", s.Number)
	}
	if !(s.LR >= 0) || math.IsInf(s.LR, 0) {
		return 0, fmt.Errorf("adamw: learning rate is %g, want at least 0", s.LR)
	}
	gradNorm = math.Sqrt(kernel.SumSquares(p, g)) // in float64 the squares of finite float32s cannot overflow
	if math.IsNaN(gradNorm) || math.IsInf(gradNorm, 0) {
		return gradNorm, fmt.Errorf("%w: their norm is %g", ErrNotFinite, gradNorm)
	}
	kernel.AdamW(p, w, g, m, v, kernel.AdamWParams{
		LR: s.LR, Beta1: s.Beta1, Beta2: s.Beta2, Eps: s.Eps, WeightDecay: s.WeightDecay,
		Correction1: 1 - elementary.Pow(s.Beta1, float64(s.Number)),
		Correction2: 1 - elementary.Pow(s.Beta2, float64(s.Number)),
		GradScale:   s.clipScale(gradNorm),
	})
	return gradNorm, nil
}

// clipScale is what the gradients are multiplied by: min(1, Clip / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_.
func (s Step) clipScale(norm float64) float64 {
	if s.Clip == 0 {
		return 1
	}
	return min(1, s.Clip/(norm+1e-6))
}
