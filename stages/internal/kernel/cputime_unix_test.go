//go:build unix

package kernel

import (
	"syscall"
	"time"
)

// cpuTime is the processor time of this process so far, which other programs on the machine hardly
// disturb.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
