//go:build !unix

package kernel

import "time"

var processStart = time.Now()

// cpuTime is wall time where the processor time is not at hand.
func cpuTime() time.Duration { return time.Since(processStart) }
