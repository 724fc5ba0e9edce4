package split

import (
	"context"
	"time"

	"ablate/stages/kind"
)

// speed is a guess, and no measurement: a split needs the outputs of other steps, which a probe does
// not have. What runs of this machine took replaces the guess.
func speed(context.Context, *kind.Job, time.Duration) (kind.Speed, error) {
	const (
		bytesPerSecond = 12e6
		perStep        = 0.01  // seconds
		perInput       = 0.002 // seconds; a table of documents or of paragraphs to be opened
	)
	return kind.Speed{One: bytesPerSecond, All: bytesPerSecond, Setup: perStep, Input: perInput}, nil
}
