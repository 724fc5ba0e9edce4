package split

import (
	"context"
	"time"

	"ablate/stages/kind"
)

// speed is a constant: a split needs the outputs of other steps, which a probe does not have. It
// was measured on one core of an EPYC with AVX-512, on Go's own source and on abstracts.
func speed(context.Context, *kind.Job, time.Duration) (kind.Speed, error) {
	const (
		bytesPerSecond = 12e6
		perStep        = 0.01  // seconds
		perInput       = 0.002 // seconds; a table of documents or of paragraphs to be opened
	)
	return kind.Speed{One: bytesPerSecond, All: bytesPerSecond, Setup: perStep, Input: perInput}, nil
}
