package lm_test

import (
	"testing"

	"ablate/stages/internal/lm"
	"ablate/stages/internal/lm/enginetest"
)

// The processor's engine of three threads is its engine of one; and float32 is 1e-4 from float64 after twenty steps, see TestTwentyLosses.
func TestEngine(t *testing.T) {
	enginetest.Test(t, func(cfg lm.Config) (lm.Engine, error) {
		return lm.New(cfg, lm.Options{Threads: 3})
	}, enginetest.Tolerance{Training: 1e-4})
}
