package cache

import (
	"io/fs"
	"syscall"
)

// stampOf is the identity of a file's state, false where the system has none.
func stampOf(fi fs.FileInfo) (stamp, bool) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return stamp{}, false
	}
	return stamp{
		size: st.Size, mtime: st.Mtimespec.Nano(), ctime: st.Ctimespec.Nano(),
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
	s, err := syscall.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return ""
	}
	return s
}

// nameSpace tells containers apart; there are none here.
func nameSpace() string { return "1" }

// processStart knows who is dead, and no start times.
func processStart(pid int) (uint64, bool) { return 0, syscall.Kill(pid, 0) != syscall.ESRCH }

func cpuModel() string {
	s, err := syscall.Sysctl("machdep.cpu.brand_string")
	if err != nil {
		return ""
	}
	return s
}
