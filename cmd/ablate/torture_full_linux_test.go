package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// TestTortureFull runs the study on a small file system again and again, which has a little more
// room each time, until the run fits: the disk is full at one write after the other.
func TestTortureFull(t *testing.T) {
	if !canMount() {
		t.Skip("needs root to mount a small file system; TestTortureCalls makes single calls fail instead")
	}
	h := newTorture(t)
	mount := func(flags uintptr, size int64) {
		t.Helper()
		if err := syscall.Mount("tmpfs", h.dir, "tmpfs", flags, fmt.Sprintf("size=%d", size)); err != nil {
			t.Fatal(err)
		}
	}
	mount(0, 64<<20)
	t.Cleanup(func() {
		if err := syscall.Unmount(h.dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	h.prepare()
	var st syscall.Statfs_t
	if err := syscall.Statfs(h.dir, &st); err != nil {
		t.Fatal(err)
	}
	size := (int64(st.Blocks) - int64(st.Bfree)) * st.Bsize
	step := int64(400<<10) / int64(rounds(1, 8))
	runs := 0
	for {
		size += 1 + h.rand.Int64N(2*step)
		mount(syscall.MS_REMOUNT, size)
		code, stderr := h.run("--jobs", "1", "--ignore-space", "--save-every", "1ms")
		if code == exitDone {
			break
		}
		runs++
		h.faults++
		if code != exitFailed || !strings.Contains(stderr, "no space left on device") || !strings.Contains(stderr, "make room") {
			t.Fatalf("exit code %d with %d bytes in all\n%s", code, size, stderr)
		}
		if runs > 5000 {
			t.Fatalf("after %d runs with more and more room none ended: %d bytes\n%s", runs, size, stderr)
		}
	}
	mount(syscall.MS_REMOUNT, 64<<20)
	h.settle(fmt.Sprintf("after %d runs on a full disk", runs))
	if runs < 3 {
		t.Errorf("only %d runs found the disk full", runs)
	}
	t.Logf("%d runs found the disk full, the next one fitted into %d bytes", runs, size)
}
