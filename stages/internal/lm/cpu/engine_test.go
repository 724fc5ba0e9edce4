package cpu_test

import (
	"testing"

	"ablate/specs/arch"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/lm/cpu"
	"ablate/stages/internal/lm/enginetest"
)

// The processor's engine of three threads is its engine of one; and float32 is 1e-4 from float64
// after twenty steps, see TestTwentyLosses.
func TestEngine(t *testing.T) {
	enginetest.Test(t, func(m arch.Model) (lm.Engine, error) {
		return cpu.New(m, lm.Options{Threads: 3})
	}, enginetest.Tolerance{Training: 1e-4})
}
