package machine

import (
	"math"
	"runtime"
	"syscall"
)

// ownLimits reads the limits of this process. Those of open files are raised to the hard limit by
// the Go runtime when a program starts.
func ownLimits() limits {
	get := func(resource int) int64 {
		var r syscall.Rlimit
		if err := syscall.Getrlimit(resource, &r); err != nil || r.Cur > math.MaxInt64 {
			return math.MaxInt64
		}
		return int64(r.Cur)
	}
	return limits{addressSpace: get(syscall.RLIMIT_AS), processes: get(nproc()), files: get(syscall.RLIMIT_NOFILE)}
}

// nproc is RLIMIT_NPROC, which package syscall does not name (Linux: asm-generic/resource.h; macOS:
// sys/resource.h).
func nproc() int {
	if runtime.GOOS == "linux" {
		return 6
	}
	return 7
}
