package exec

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"ablate/stages/kind"
)

// Class says what a failure calls for: who carries tasks out, runs them or tells people of them
// decides by the class, and by nothing else.
type Class int

// The classes of failure.
const (
	Fault       Class = iota // the step's own: it fails in the same way wherever and however often it is begun
	Interrupted              // it was told to stop, and saved what it could: begun again, it goes on
	OutOfDisk                // there is no room for what it leaves, nor for what other steps leave there
	OutOfMemory              // it can be carried out with more memory
	Machine                  // a disk or network of the machine failed: elsewhere, or later, it may be carried out
	InputLost                // an input is no longer in the cache: the step that made it must be carried out first
)

func (c Class) String() string {
	names := [...]string{"the step's own fault", "interrupted", "out of disk", "out of memory", "a fault of the machine", "an input is lost"}
	if c < 0 || int(c) >= len(names) {
		return fmt.Sprintf("class %d", int(c))
	}
	return names[c]
}

// ClassOf is the class of the failure that an error says, which is not nil. Where an error says
// several things the first that fits counts: a step that was told to stop and then found the disk
// full was told to stop, and would not have met the full disk otherwise.
func ClassOf(err error) Class {
	var fault *FaultError
	var memory *kind.MemoryError
	switch {
	case is(err, context.Canceled, context.DeadlineExceeded):
		return Interrupted
	case is(err, syscall.ENOSPC, syscall.EDQUOT):
		return OutOfDisk
	case errors.As(err, &memory), is(err, syscall.ENOMEM):
		return OutOfMemory
	case lost(err):
		return InputLost
	case errors.As(err, &fault), is(err, syscall.EIO, syscall.ESTALE):
		return Machine
	}
	return Fault
}

// is says whether an error is one of several.
func is(err error, any ...error) bool {
	for _, e := range any {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
