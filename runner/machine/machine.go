// Package machine says what this process may take of the machine it runs on: memory, address space,
// threads and open files. A batch system sets such limits for a job, in a control group or by
// setrlimit, and a program that counts on the whole machine is killed there without a word.
//
// It does not promise that what it finds stays so, nor that other processes of the same job leave
// anything of it.
package machine

import (
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// Machine is where the facts are read: the file system, which is another one in tests, and the
// limits of this process.
type Machine struct {
	root   string
	limits limits
	user   int
}

// limits are those that setrlimit sets; math.MaxInt64 stands for none.
type limits struct{ addressSpace, processes, files int64 }

// Here is the machine that this process runs on.
func Here() Machine { return Machine{"/", ownLimits(), os.Geteuid()} }

// goReserves is how much address space the Go runtime reserves without using it: a run of the
// smallest study fails below 0.9 GB and succeeds at 1.0 GB (Go 1.26, linux/amd64).
const goReserves = 1 << 30

// Memory is how many bytes this process may take: the least of the machine's memory, the limits of
// its control group and of those above it, and its address space; 0 where the system tells none of
// them.
func (m Machine) Memory() int64 {
	least := m.total()
	for _, file := range m.groupFiles("memory", "memory.max", "memory.limit_in_bytes") {
		if n, ok := number(m.read(file)); ok && n > 0 {
			least = min(least, n)
		}
	}
	if m.limits.addressSpace != math.MaxInt64 {
		least = min(least, max(1, m.limits.addressSpace-goReserves)) // 0 would mean that nothing is known
	}
	if least == math.MaxInt64 {
		return 0
	}
	return least
}

// What a run needs at the least. The Go runtime ends the program with a dump of its own where it
// gets no memory or no thread; a run on two processors needs 13 threads, one on all needs about as
// many as there are processors and these besides.
const (
	needsMemory  = 512 << 20
	needsThreads = 20
	needsFiles   = 64
)

// Check returns an error in words if a limit of this process is too low for a run that computes
// with so many threads.
func (m Machine) Check(threads int) error {
	need := int64(threads + needsThreads)
	if memory := m.Memory(); memory > 0 && memory < needsMemory {
		return fmt.Errorf("ablate needs at least %[2]s of memory, and this process may take %[1]s (the limit is the machine's memory, the control group's, or ulimit -v less 1 GiB that the Go runtime reserves)",
			mebibytes(memory), mebibytes(needsMemory))
	}
	if m.limits.files < needsFiles {
		return fmt.Errorf("this process may open %d files (ulimit -n); at least %d are needed", m.limits.files, needsFiles)
	}
	if free, by := m.threads(); free < need {
		return fmt.Errorf("this process may start %d more threads (%s); %d are needed to compute with %d (--threads)", max(0, free), by, need, threads)
	}
	return nil
}

func mebibytes(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }

// threads is how many threads this process may still start, and which limit says so.
func (m Machine) threads() (free int64, by string) {
	free, by = math.MaxInt64, "no limit"
	for _, file := range m.groupFiles("pids", "pids.max", "pids.max") {
		most, ok := number(m.read(file))
		used, known := number(m.read(path.Join(path.Dir(file), "pids.current")))
		if ok && known && most-used < free {
			free, by = most-used, "pids.max of the control group"
		}
	}
	// The limit counts all threads of the user, and does not bind root.
	if n := m.limits.processes; m.user != 0 && n < 1<<14 {
		if n -= m.threadsOf(m.user); n < free {
			free, by = n, "ulimit -u"
		}
	}
	return free, by
}

// threadsOf counts the threads of a user's processes.
func (m Machine) threadsOf(user int) int64 {
	files, err := filepath.Glob(filepath.Join(m.root, "proc/[0-9]*/status"))
	if err != nil {
		return 0
	}
	var n int64
	for _, file := range files {
		text, err := os.ReadFile(file) // of a process that has ended meanwhile there is none
		if err != nil {
			continue
		}
		if f := strings.Fields(line(string(text), "Uid:")); len(f) > 1 && f[1] == strconv.Itoa(user) {
			if t, ok := number(line(string(text), "Threads:")); ok {
				n += t
			}
		}
	}
	return n
}

// total is the machine's memory: MemTotal of /proc/meminfo, which counts in units of 1024 bytes.
func (m Machine) total() int64 {
	f := strings.Fields(line(m.read("/proc/meminfo"), "MemTotal:"))
	if len(f) == 2 && f[1] == "kB" {
		if n, err := strconv.ParseInt(f[0], 10, 64); err == nil && n > 0 {
			return n << 10
		}
	}
	return math.MaxInt64
}

// groupFiles lists where the control groups of this process keep a limit, its own and those above
// it: the file v2 in the unified hierarchy, v1 in that of the controller.
func (m Machine) groupFiles(controller, v2, v1 string) []string {
	groups := map[string]string{} // controller, "" the unified hierarchy -> the process's group
	for text := range strings.Lines(m.read("/proc/self/cgroup")) {
		if f := strings.SplitN(strings.TrimSpace(text), ":", 3); len(f) == 3 {
			for _, c := range strings.Split(f[1], ",") {
				groups[c] = f[2]
			}
		}
	}
	var files []string
	for text := range strings.Lines(m.read("/proc/self/mountinfo")) {
		before, after, ok := strings.Cut(text, " - ") // proc(5): optional fields end with a hyphen
		at, what := strings.Fields(before), strings.Fields(after)
		if !ok || len(at) < 5 || len(what) < 1 {
			continue
		}
		name, key := v2, ""
		switch options := what[len(what)-1]; {
		case what[0] == "cgroup2":
		case what[0] == "cgroup" && contains(options, controller):
			name, key = v1, controller
		default:
			continue
		}
		group, ok := groups[key]
		if !ok {
			continue
		}
		// A mount may show only a part of the hierarchy, as inside a container.
		below, inside := strings.CutPrefix(group, at[3])
		if at[3] == "/" {
			below, inside = group, true
		}
		if !inside {
			below = "/"
		}
		for dir := path.Clean("/" + below); ; dir = path.Dir(dir) {
			files = append(files, path.Join(at[4], dir, name))
			if dir == "/" {
				break
			}
		}
	}
	return files
}

func contains(list, word string) bool {
	for _, w := range strings.Split(list, ",") {
		if w == word {
			return true
		}
	}
	return false
}

// read is the content of a small file, "" where there is none.
func (m Machine) read(file string) string {
	data, err := os.ReadFile(filepath.Join(m.root, file))
	if err != nil {
		return ""
	}
	return string(data)
}

// line is the rest of the first line that begins so.
func line(text, begins string) string {
	for l := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(l, begins); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// number reads a limit. "max" is none, as is a number beyond what a machine can have.
func number(text string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return n, err == nil && n < 1<<60
}
