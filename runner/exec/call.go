// Package exec carries out one step, wherever that is. A step is data (Task) that a process can
// hand to another; a Worker carries it out against a cache; an Executor is who does that, in this
// process or elsewhere. Every job of a stage is made here and every stage is called here, by a run,
// a worker and an audit alike, so that none of them ends of what a stage or a disk does; and here
// alone it is decided what a failure is (Class).
//
// Words. A task is submitted, begun, and ends: it is done once its entry is in the cache, and
// whatever else says that it is done or lost, the cache is right. A grant is what a task may take
// of a machine; a place is where a task is carried out.
//
// It does not promise to survive a stage that starts goroutines of its own which panic, or memory
// that the system takes away.
package exec

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"ablate/stages/kind"
)

// PanicError is a panic in a stage: our fault, with its stack.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("internal error: panic: %v", e.Value) }

// FaultError is a page fault: only memory-mapped files can fail to be read.
type FaultError struct{ *PanicError }

// Unwrap gives the panic.
func (e *FaultError) Unwrap() error { return e.PanicError }

func (e *FaultError) Error() string {
	return fmt.Sprintf("a file that the step reads became unreadable: its disk has an error, or someone shortened the file meanwhile (%v); `ablate cache verify` finds damaged files of the cache", e.Value)
}

// Call runs a stage and turns its panic into a *PanicError, and a page of a mapped file that cannot
// be read into a *FaultError, which do not end the program.
func Call(ctx context.Context, f kind.Func, job *kind.Job) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		p := &PanicError{v, debug.Stack()}
		if _, fault := v.(interface{ Addr() uintptr }); fault {
			err = &FaultError{p}
		} else {
			err = p
		}
	}()
	if f == nil {
		return errors.New("internal error: no stage for this kind of step")
	}
	return f(ctx, job)
}
