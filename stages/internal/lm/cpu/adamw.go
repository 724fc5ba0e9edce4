package cpu

import (
	"fmt"
	"math"

	"ablate/stages/internal/kernel"
	"ablate/stages/internal/optim"
)

// apply clips the gradients and updates w, m and v, all of one length, in one pass over memory; g
// becomes 0. It returns the norm of g before clipping. On error nothing was changed.
func apply(s optim.Step, p *kernel.Pool, w, g, m, v []float32) (gradNorm float64, err error) {
	if len(g) != len(w) || len(m) != len(w) || len(v) != len(w) {
		return 0, fmt.Errorf("adamw: %d parameters, %d gradients, %d and %d moments", len(w), len(g), len(m), len(v))
	}
	if err := s.Validate(); err != nil {
		return 0, err
	}
	gradNorm = math.Sqrt(kernel.SumSquares(p, g)) // in float64 the squares of finite float32s cannot overflow
	if math.IsNaN(gradNorm) || math.IsInf(gradNorm, 0) {
		return gradNorm, fmt.Errorf("%w: their norm is %g", optim.ErrNotFinite, gradNorm)
	}
	first, second := s.Corrections()
	kernel.AdamW(p, w, g, m, v, kernel.AdamWParams{
		LR: s.LR, Beta1: s.Beta1, Beta2: s.Beta2, Eps: s.Eps, WeightDecay: s.WeightDecay,
		Correction1: first, Correction2: second, GradScale: s.ClipScale(gradNorm),
	})
	return gradNorm, nil
}
