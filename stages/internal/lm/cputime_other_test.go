//go:build !unix

package lm

import "time"

// cpuTime is not known here; the benchmarks leave its figure out.
func cpuTime() time.Duration { return 0 }
