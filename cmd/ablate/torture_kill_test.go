package main

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"
)

// how is a random way to run: it changes no result. jobs is how many steps a kill can meet.
func (h *torture) how() (args []string, jobs int) {
	jobs = 1 + h.rand.IntN(2)
	args = []string{"--jobs", fmt.Sprint(jobs), "--threads", "2"}
	if h.rand.IntN(2) == 0 {
		args = append(args, "--save-every", "1ms")
	}
	return args, jobs
}

// disturb starts a run, sends it a signal at a random moment, and returns how it ended. A run that
// was over by then ended well.
func (h *torture) disturb(sig syscall.Signal) (code int, stderr string) {
	h.t.Helper()
	args, jobs := h.how()
	cmd, out := h.command(args...)
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	began := time.Now()
	time.Sleep(time.Duration(h.rand.Float64() * 1.2 * float64(h.calm.took)))
	if err := cmd.Process.Signal(sig); err == nil {
		h.faults += jobs
	}
	code = h.wait(cmd, out)
	if code == exitDone { // within that time: the machine may have been busier when the calm run was timed
		h.calm.took = min(h.calm.took, time.Since(began))
	}
	return code, out.String()
}

// TestTortureKill kills runs with SIGKILL at random moments, one to three in a row, and then lets
// one end.
func TestTortureKill(t *testing.T) {
	h := newTorture(t)
	killed, over := 0, 0
	for killed < rounds(4, 1) {
		for range 1 + h.rand.IntN(3) {
			switch code, stderr := h.disturb(syscall.SIGKILL); code {
			case -1:
				killed++
			case exitDone:
				over++
			default:
				t.Fatalf("exit code %d\n%s", code, stderr)
			}
		}
		h.settle(fmt.Sprintf("after %d kills", killed))
		h.fresh()
	}
	t.Logf("%d runs killed, %d ended before", killed, over)
}

// TestTortureSignals interrupts runs as a person and as a system does. They say so, exit with 130,
// and lose nothing.
func TestTortureSignals(t *testing.T) {
	h := newTorture(t)
	interrupted, over, early := 0, 0, 0
	for interrupted < rounds(2, 4) {
		sig := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}[h.rand.IntN(2)]
		switch code, stderr := h.disturb(sig); code {
		case exitInterrupted:
			interrupted++
		case exitDone:
			over++
		case -1: // before the program listens, a signal ends it as it does any other
			early++
		default:
			t.Fatalf("exit code %d after %v\n%s", code, sig, stderr)
		}
		h.settle(fmt.Sprintf("after %v number %d", sig, interrupted))
		h.fresh()
	}
	t.Logf("%d runs interrupted, %d ended before, %d had not begun", interrupted, over, early)
}

// TestTortureTogether lets two runs share a cache, kills one at a random moment, or both, and wants
// every training done once but for kills.
func TestTortureTogether(t *testing.T) {
	h := newTorture(t)
	for round := range rounds(3, 8) {
		args, jobs := h.how()
		first, firstErr := h.command(args...)
		args, _ = h.how()
		second, secondErr := h.command(append(args, "--out", "second")...)
		if err := first.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(h.rand.Float64() * 0.5 * float64(h.calm.took)))
		if err := second.Start(); err != nil {
			t.Fatal(err)
		}
		if round > 0 { // in the first round nobody is killed
			time.Sleep(time.Duration(h.rand.Float64() * float64(h.calm.took)))
			if err := first.Process.Kill(); err == nil {
				h.faults += jobs
			}
		}
		both := h.rand.IntN(3) == 0 && round > 0
		if both {
			time.Sleep(time.Duration(h.rand.Float64() * 0.5 * float64(h.calm.took)))
			if err := second.Process.Kill(); err == nil {
				h.faults += 2
			}
		}
		if code := h.wait(first, firstErr); code > 0 {
			t.Fatalf("the first run: exit code %d\n%s", code, firstErr)
		}
		if code := h.wait(second, secondErr); code > 0 || code < 0 && !both {
			t.Fatalf("the second run: exit code %d\n%s", code, secondErr)
		}
		os.RemoveAll(h.dir + "/second")
		h.settle(fmt.Sprintf("round %d of two together", round))
		h.fresh()
	}
}
