package machine

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree makes a file system of the given files.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

var unlimited = limits{math.MaxInt64, math.MaxInt64, math.MaxInt64}

const meminfo = "MemTotal:       24689208 kB\nMemFree:        23000000 kB\n"

// The limit of a job lies in the control group that /proc/self/cgroup names, or in one above it.
func TestMemory(t *testing.T) {
	v2 := "31 24 0:29 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n"
	v1 := "22 27 0:21 / /proc rw - proc proc rw\n35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n" +
		"36 31 0:33 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
	for _, tt := range []struct {
		name   string
		files  map[string]string
		limits limits
		want   int64
	}{
		{"nothing is told", nil, unlimited, 0},
		{"the machine", map[string]string{"proc/meminfo": meminfo}, unlimited, 24689208 << 10},
		{"a total that is no number", map[string]string{"proc/meminfo": "MemTotal: many kB\n"}, unlimited, 0},
		{"v2, the job's own", map[string]string{"proc/meminfo": meminfo, "proc/self/mountinfo": v2, "proc/self/cgroup": "0::/slurm/job_7/step_0\n",
			"sys/fs/cgroup/slurm/job_7/step_0/memory.max": "4000000000\n"}, unlimited, 4e9},
		{"v2, one above", map[string]string{"proc/meminfo": meminfo, "proc/self/mountinfo": v2, "proc/self/cgroup": "0::/slurm/job_7/step_0\n",
			"sys/fs/cgroup/slurm/job_7/step_0/memory.max": "max\n", "sys/fs/cgroup/slurm/job_7/memory.max": "3000000000\n"}, unlimited, 3e9},
		{"v2, in a container that shows its own group as the root", map[string]string{"proc/meminfo": meminfo, "proc/self/mountinfo": v2,
			"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "2000000000\n"}, unlimited, 2e9},
		{"v2, a mount of a part", map[string]string{"proc/meminfo": meminfo, "proc/self/mountinfo": strings.Replace(v2, " / /sys", " /docker/ab /sys", 1),
			"proc/self/cgroup": "0::/docker/ab/inner\n", "sys/fs/cgroup/inner/memory.max": "1000000000\n"}, unlimited, 1e9},
		{"v1 beside v2", map[string]string{"proc/meminfo": meminfo, "proc/self/mountinfo": v1, "proc/self/cgroup": "4:memory:/slurm/uid_1/job_7\n0::/\n",
			"sys/fs/cgroup/memory/slurm/uid_1/job_7/memory.limit_in_bytes": "5000000000\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, unlimited, 5e9},
		{"v1, controllers together", map[string]string{"proc/meminfo": meminfo, "proc/self/mountinfo": "35 31 0:32 / /cg rw - cgroup cgroup rw,cpu,memory\n",
			"proc/self/cgroup": "4:cpu,memory:/a\n", "cg/a/memory.limit_in_bytes": "6000000000\n"}, unlimited, 6e9},
		{"address space", map[string]string{"proc/meminfo": meminfo}, limits{3 << 30, math.MaxInt64, math.MaxInt64}, 2 << 30},
	} {
		if got := (Machine{tree(t, tt.files), tt.limits, 1000}).Memory(); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// A limit that would end the program with a dump of the Go runtime is told in words.
func TestCheck(t *testing.T) {
	mount := "36 31 0:33 / /cg rw - cgroup2 cgroup2 rw\n"
	for _, tt := range []struct {
		name   string
		files  map[string]string
		limits limits
		user   int
		want   string
	}{
		{"nothing is told", nil, unlimited, 1000, ""},
		{"address space", map[string]string{"proc/meminfo": meminfo}, limits{1 << 30, math.MaxInt64, math.MaxInt64}, 1000, "this process may take 0 MiB"},
		{"files", nil, limits{math.MaxInt64, math.MaxInt64, 20}, 1000, "open 20 files (ulimit -n)"},
		{"processes of the user", map[string]string{"proc/1/status": "Uid:\t1000\t1000\t0\t0\nThreads:\t20\n", "proc/2/status": "Uid:\t0\t0\t0\t0\nThreads:\t99\n"},
			limits{math.MaxInt64, 30, math.MaxInt64}, 1000, "10 more threads (ulimit -u); 22 are needed"},
		{"processes of root are not bounded", nil, limits{math.MaxInt64, 1, math.MaxInt64}, 0, ""},
		{"pids of the job", map[string]string{"proc/self/mountinfo": mount, "proc/self/cgroup": "0::/job\n", "cg/job/pids.max": "25\n", "cg/job/pids.current": "20\n"},
			unlimited, 1000, "5 more threads (pids.max of the control group)"},
		{"enough pids", map[string]string{"proc/self/mountinfo": mount, "proc/self/cgroup": "0::/job\n", "cg/job/pids.max": "max\n", "cg/job/pids.current": "20\n"}, unlimited, 1000, ""},
	} {
		err := Machine{tree(t, tt.files), tt.limits, tt.user}.Check(2)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if err := Here().Check(1); err != nil {
		t.Errorf("tests run here, and yet: %v", err)
	}
}
