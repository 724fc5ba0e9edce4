// Package fault says what is to blame for an error: the study or the command line, the machine, or
// a person who interrupts. Exit codes follow from that.
package fault

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
)

// ErrInterrupted ends the context of an operation when a person or the system asks the program to
// stop.
var ErrInterrupted = errors.New("interrupted")

// UsageError marks an error that the study or the command line is to blame for.
type UsageError struct{ Err error }

// Error is the message of the error that is marked.
func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the error that is marked.
func (e *UsageError) Unwrap() error { return e.Err }

// Usage marks an error that the study or the command line is to blame for.
func Usage(err error) error { return &UsageError{err} }

// Usagef is Usage of an error that fmt.Errorf makes.
func Usagef(format string, args ...any) error { return Usage(fmt.Errorf(format, args...)) }

// OfMachine reports an error that no change of the study mends: a disk or a server that fails, a
// limit of the system that is met, or somebody who wants the command to end.
func OfMachine(err error) bool {
	var errno syscall.Errno
	return errors.Is(err, ErrInterrupted) || errors.As(err, &errno) && slices.Contains([]syscall.Errno{
		syscall.EIO, syscall.ESTALE, syscall.ETIMEDOUT, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM,
	}, errno)
}

// Place marks an error in writing to a place that the command line names: another place mends the
// error, unless the disk is full or fails.
func Place(err error) error {
	if err == nil || OfMachine(err) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return err
	}
	return Usage(err)
}
