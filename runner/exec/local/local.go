// Package local carries out tasks in this process: each on a goroutine of its own, with a share of
// the processors, the memory and the devices of the machine.
//
// It does not promise that a step takes no more than it was granted: a stage keeps to its grant by
// itself.
package local

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ablate/cache"
	"ablate/runner/exec"
	"ablate/stages/kind"
)

// Machine is what tasks may take, all those at once together.
type Machine struct {
	Cores  int   // at least 1
	Jobs   int   // tasks at once at most; 0: as many as there are cores
	Memory int64 // bytes; 0: no bound

	Devices      int   // accelerators
	DeviceMemory int64 // bytes of each device; 0: not known
}

// Local is the executor of this process.
type Local struct {
	worker  exec.Worker
	machine Machine
	active  []*running // the most urgent first
	reports chan exec.Report
	told    bool // that memory is short
}

// running is a task under way, and its part of the machine.
type running struct {
	task   *exec.Task
	cancel context.CancelFunc
	memory int64 // bytes that it may take
	share  atomic.Int32

	mu    sync.Mutex // of what follows
	since time.Time  // when the share became what it is
	spent float64    // core-seconds until then
}

// grant gives the task another share of the cores.
func (r *running) grant(share int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if !r.since.IsZero() {
		r.spent += float64(float64(r.share.Load()) * now.Sub(r.since).Seconds()) // no fused multiply-add, as everywhere
	}
	r.since = now
	r.share.Store(int32(share))
}

// coreSeconds is the share of the cores that the task had until now, summed up over its time.
func (r *running) coreSeconds() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.spent + float64(float64(r.share.Load())*time.Since(r.since).Seconds())
}

// New makes an executor.
func New(w exec.Worker, m Machine) *Local {
	m.Cores = max(1, m.Cores)
	if m.Jobs < 1 || m.Jobs > m.Cores {
		m.Jobs = m.Cores
	}
	return &Local{worker: w, machine: m, reports: make(chan exec.Report)}
}

// Room says whether a task could begin now. One that the machine is too small for could: it fails
// at once.
func (l *Local) Room(needs kind.Needs) bool {
	if len(l.active) == 0 || l.lacks(needs) != nil {
		return true
	}
	if len(l.active) >= l.machine.Jobs || needs.Devices > l.freeDevices() {
		return false
	}
	// A grant of no byte would be no bound.
	return l.machine.Memory == 0 || needs.Memory == 0 || max(1, needs.LeastMemory) <= l.freeMemory()
}

// freeMemory is what no task under way was granted.
func (l *Local) freeMemory() int64 {
	free := l.machine.Memory
	for _, r := range l.active {
		free -= r.memory
	}
	return free
}

// freeDevices is how many devices no task under way has.
func (l *Local) freeDevices() int {
	free := l.machine.Devices
	for _, r := range l.active {
		free -= r.task.Needs.Devices
	}
	return free
}

// lacks says what a task wants that the machine does not have, whatever else is under way. Too
// little memory is no such thing: how much would do is an estimate, and a step says itself when it
// is less.
func (l *Local) lacks(needs kind.Needs) error {
	m := l.machine
	switch {
	case needs.Devices > m.Devices:
		return fmt.Errorf("the step needs %d devices, and this run may use %d", needs.Devices, m.Devices)
	case m.DeviceMemory > 0 && needs.DeviceMemory > m.DeviceMemory:
		return &kind.MemoryError{Err: fmt.Errorf("the step needs %d MB of memory of a device, and a device has %d MB", (needs.DeviceMemory+1e6-1)/1e6, m.DeviceMemory/1e6)}
	}
	return nil
}

// Submit begins a task. Its memory is what it is fastest with, or what is free.
func (l *Local) Submit(t *exec.Task) {
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{task: t, cancel: cancel}
	if l.machine.Memory > 0 {
		r.memory = min(t.Needs.Memory, l.freeMemory())
	}
	lacks := l.lacks(t.Needs)
	l.active = append(l.active, r)
	slices.SortStableFunc(l.active, func(a, b *running) int { return cmp.Compare(b.task.Priority, a.task.Priority) })
	l.divide()
	short := l.short(r)
	go func() { // Poll waits for its last report
		defer cancel()
		if lacks != nil {
			l.reports <- exec.Report{Key: t.Key, What: exec.Ended, Err: lacks}
			return
		}
		if short != "" {
			l.reports <- exec.Report{Key: t.Key, What: exec.Warning, Message: short}
		}
		grant := exec.Grant{Threads: l.machine.Cores, Share: func() int { return int(r.share.Load()) }, Memory: r.memory, CoreSeconds: r.coreSeconds}
		l.reports <- l.worker.Do(ctx, t, grant, func(rep exec.Report) { l.reports <- rep })
	}()
}

// divide divides the cores among the tasks under way: to each the same, and what is over one by one
// to the most urgent. A task that can use fewer leaves the rest to the others. A step that runs
// long asks for its share again and again, so a lone training takes the whole machine until others
// come.
func (l *Local) divide() {
	shares := make([]int, len(l.active))
	for left, gave := l.machine.Cores, true; left > 0 && gave; {
		gave = false
		for i, r := range l.active {
			if most := r.task.Needs.Cores; left > 0 && (most == 0 || shares[i] < most) {
				shares[i]++
				left--
				gave = true
			}
		}
	}
	for i, r := range l.active {
		r.grant(shares[i])
	}
}

// short says once that memory makes a step slower than it could be; "" where it does not.
func (l *Local) short(r *running) string {
	if l.told || l.machine.Memory == 0 || r.memory >= r.task.Needs.Memory {
		return ""
	}
	l.told = true
	return fmt.Sprintf("memory is short: step %s has %d of the %d MB with which it would be fastest; raise --memory to speed it up (results do not change)",
		r.task.Step, r.memory/1e6, r.task.Needs.Memory/1e6)
}

// Poll waits for a report. Cores that a task left are divided here, and not when it ended: by now
// the tasks that begin in its place have begun.
func (l *Local) Poll(ctx context.Context) []exec.Report {
	l.divide()
	select {
	case rep := <-l.reports:
		if rep.What == exec.Ended {
			l.active = slices.DeleteFunc(l.active, func(r *running) bool { return r.task.Key == rep.Key })
		}
		return []exec.Report{rep}
	case <-ctx.Done():
		return nil
	}
}

// Cancel ends the context of a task.
func (l *Local) Cancel(key cache.Key) {
	for _, r := range l.active {
		if r.task.Key == key {
			r.cancel()
		}
	}
}
