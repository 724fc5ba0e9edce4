package cache

import (
	"bytes"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// stampOf is the identity of a file's state, false where the system has none.
func stampOf(fi fs.FileInfo) (stamp, bool) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return stamp{}, false
	}
	return stamp{
		size: st.Size, mtime: st.Mtim.Nano(), ctime: st.Ctim.Nano(),
		ino: st.Ino, dev: uint64(st.Dev),
	}, true
}

// links counts the names of a file.
func links(fi fs.FileInfo) uint64 {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Nlink)
	}
	return 1
}

// freeBytes is what an unprivileged writer may still use, -1 when unknown.
func freeBytes(dir string) int64 {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return -1
	}
	return int64(st.Bavail) * int64(st.Bsize)
}

// totalBytes is how large a file system is, -1 when unknown.
func totalBytes(dir string) int64 {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return -1
	}
	return int64(st.Blocks) * int64(st.Bsize)
}

// bootID is the kernel's name for this boot: a random UUID.
func bootID() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return string(data)
}

// nameSpace is what process ids and start times are counted in: the numbers of the process name
// space and of the time name space, as in "pid:[4026531836]" and "time:[4026531834]"; the latter is
// left out where the kernel has none. It is empty where /proc is not there, or is that of another
// process name space, where an id stands for another process.
func nameSpace() string {
	self, err := os.Readlink("/proc/self")
	pid, err2 := os.Readlink("/proc/self/ns/pid")
	if err != nil || err2 != nil || self != strconv.Itoa(os.Getpid()) {
		return ""
	}
	pid = strings.Trim(pid, "pid:[]")
	if time, err := os.Readlink("/proc/self/ns/time"); err == nil {
		pid += "-" + strings.Trim(time, "time:[]")
	}
	return pid
}

// processStart is the start time of a process in clock ticks since boot, so that a process id used
// again is not taken for its first owner. The answer is 0 when the process is there and its start
// unknown, false when it is dead.
func processStart(pid int) (uint64, bool) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, syscall.Kill(pid, 0) != syscall.ESRCH
	}
	// The second field, the name in parentheses, may hold anything; the start is the 22nd field, so
	// the 20th after it (proc(5)).
	f := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(f) < 20 {
		return 0, true
	}
	if state := string(f[0]); state == "Z" || state == "X" {
		return 0, false // a zombie writes no more
	}
	start, err := strconv.ParseUint(string(f[19]), 10, 64)
	if err != nil {
		return 0, true
	}
	return start, true
}

// cpuModel is the processor in the words of the kernel.
func cpuModel() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
