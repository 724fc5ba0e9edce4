package runner

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"ablate/stages/kind"
)

// panicError is a panic in a stage: our fault, with its stack.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("internal error: panic: %v", e.value) }

// faultError is memory that could not be read, which is that of a mapped file: the rest of our memory is always there.
type faultError struct{ *panicError }

func (e *faultError) Unwrap() error { return e.panicError }

func (e *faultError) Error() string {
	return fmt.Sprintf("a file that the step reads could not be read on: its disk has an error, or someone cut the file short meanwhile (%v); `ablate cache verify` tells which of the cache's", e.value)
}

// call runs a stage and turns its panic into an error. Pages of mapped files that cannot be read are one too, and do not end the program.
func call(ctx context.Context, f kind.Func, job *kind.Job) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		p := &panicError{v, debug.Stack()}
		if _, fault := v.(interface{ Addr() uintptr }); fault {
			err = &faultError{p}
		} else {
			err = p
		}
	}()
	if f == nil {
		return errors.New("internal error: no stage for this kind of step")
	}
	return f(ctx, job)
}
