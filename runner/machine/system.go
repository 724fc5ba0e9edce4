package machine

import (
	"math"
	"path/filepath"
	"strings"
)

// Files is how many files this process may have open; 0: there is no limit.
func (m Machine) Files() int64 {
	if m.limits.files == math.MaxInt64 {
		return 0
	}
	return m.limits.files
}

// TotalMemory is the memory of the machine in bytes, whatever a job may take of it; 0 where the
// system does not say.
func (m Machine) TotalMemory() int64 {
	if n := m.total(); n != math.MaxInt64 {
		return n
	}
	return 0
}

// FileSystem is the type of the file system that a directory lies on: ext4, nfs4, tmpfs; "" where
// the system does not say. Of two that are mounted at one place the later counts.
func (m Machine) FileSystem(dir string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	longest, is := -1, ""
	for text := range strings.Lines(m.read("/proc/self/mountinfo")) {
		before, after, ok := strings.Cut(text, " - ") // proc(5)
		at, what := strings.Fields(before), strings.Fields(after)
		if !ok || len(at) < 5 || len(what) < 1 {
			continue
		}
		place := strings.ReplaceAll(at[4], `\040`, " ")
		if (place == "/" || dir == place || strings.HasPrefix(dir, place+"/")) && len(place) >= longest {
			longest, is = len(place), what[0]
		}
	}
	return is
}
