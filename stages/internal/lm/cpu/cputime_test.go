//go:build unix

package cpu

import (
	"syscall"
	"time"
)

// cpuTime is the processor time of this process: on a shared machine it says more than the wall
// clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
