package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// call is a system call on a file. dir is the argument that is a directory or, where path is -1,
// the file; path the argument that is a path.
type call struct {
	nr        int
	name      string
	reads     bool
	dir, path int
}

// callTable are the calls by which Go programs read and write files and directories. Those that
// remove are left out: a full disk lets them pass, and what they leave is met by the kills. Pages
// of a mapped file that cannot be read end a program by a signal, which a kill is like.
var callTable = []call{
	{syscall.SYS_READ, "read", true, 0, -1},
	{syscall.SYS_PREAD64, "pread", true, 0, -1},
	{syscall.SYS_GETDENTS64, "getdents", true, 0, -1},
	{syscall.SYS_NEWFSTATAT, "stat", true, 0, 1},
	{syscall.SYS_OPENAT, "open", true, 0, 1}, // or it writes; see aboutFile
	{syscall.SYS_WRITE, "write", false, 0, -1},
	{syscall.SYS_PWRITE64, "pwrite", false, 0, -1},
	{syscall.SYS_FSYNC, "fsync", false, 0, -1},
	{syscall.SYS_FDATASYNC, "fdatasync", false, 0, -1},
	{syscall.SYS_FTRUNCATE, "ftruncate", false, 0, -1},
	{syscall.SYS_FALLOCATE, "fallocate", false, 0, -1},
	{syscall.SYS_FCHMOD, "fchmod", false, 0, -1},
	{syscall.SYS_FCHMODAT, "chmod", false, 0, 1},
	{syscall.SYS_UTIMENSAT, "utimes", false, 0, 1},
	{syscall.SYS_MKDIRAT, "mkdir", false, 0, 1},
	{syscall.SYS_RENAMEAT, "rename", false, 2, 3},
	{syscall.SYS_LINKAT, "link", false, 2, 3},
	{326, "copy_file_range", false, 2, -1},
}

// watched runs the study with a fault among its system calls. It returns the exit code, stderr, and
// what the overseer saw.
func (h *torture) watched(f callFault) (int, string, *overseer) {
	h.t.Helper()
	cmd, stderr := h.command("--jobs", "1", "--threads", "2", "--save-every", "1ms")
	program, err := exec.LookPath("ablate-watched")
	if err != nil {
		h.t.Fatal(err)
	}
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	defer syscall.Close(pair[0])
	theirs := os.NewFile(uintptr(pair[1]), "socket")
	cmd.Path, cmd.Args[0] = program, program
	cmd.ExtraFiles = []*os.File{theirs}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	theirs.Close()
	fd, err := listener(pair[0])
	if err != nil {
		ended := cmd.Wait()
		h.t.Skipf("no system calls can be watched here (%v, %v, %s): TestDiskFails of package cache runs without", err, ended, stderr)
	}
	o := &overseer{callFault: f, sites: map[string]int{}}
	ended, served := make(chan struct{}), make(chan struct{})
	go func() { o.serve(fd, ended); close(served) }()
	code := h.wait(cmd, stderr)
	close(ended)
	<-served
	if o.err != nil {
		h.t.Fatal(o.err)
	}
	return code, stderr.String(), o
}

// TestTortureCalls lets single calls of a run fail, wherever in the program: of writing ones one by
// a passing error of the disk, or one and all after it because the disk is full; of reading ones
// one. The run may go on, or end with the reason in words; either way the next one gives what a
// calm run gives. `make torture` meets most sorts of calls, told apart by name and file; with
// ROUNDS=300 every one.
func TestTortureCalls(t *testing.T) {
	h := newTorture(t)
	for _, f := range []callFault{
		{errno: syscall.ENOSPC, on: true},
		{errno: syscall.EIO},
		{errno: syscall.EIO, reads: true},
	} {
		h.fresh()
		f.under = h.dir
		code, stderr, o := h.watched(f)
		if code != exitDone || len(o.sites) < 30 {
			t.Fatalf("nothing failed, yet exit code %d after calls %v\n%s", code, o.sites, stderr)
		}
		h.check("no fault")
		sites := slices.Sorted(maps.Keys(o.sites))
		h.rand.Shuffle(len(sites), func(i, j int) { sites[i], sites[j] = sites[j], sites[i] })
		met, failed := 0, 0
		for _, site := range sites[:min(len(sites), rounds(3, 1))] {
			f.site, f.at = site, 1+h.rand.IntN(o.sites[site])
			h.fresh()
			f.under, h.faults = h.dir, 1
			code, stderr, o := h.watched(f)
			if o.hit == "" {
				continue // this run made fewer of these calls
			}
			met++
			switch {
			case code == exitFailed && strings.Contains(stderr, f.errno.Error()):
				failed++
			case code == exitUsage && f.reads && strings.Contains(stderr, f.errno.Error()) && strings.Contains(stderr, "study.yaml"):
				failed++ // what the study names cannot be read: told at its line
			case code != exitDone:
				t.Fatalf("%v: %s: exit code %d\n%s", f, o.hit, code, stderr)
			}
			h.settle(fmt.Sprintf("%v: %s\n%s", f, o.hit, stderr))
		}
		t.Logf("%v, reading %v: %d of %d sorts of calls failed, %d times the run with them", f.errno, f.reads, met, len(sites), failed)
	}
}
