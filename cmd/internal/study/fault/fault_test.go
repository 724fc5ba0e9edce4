package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"
)

// Who is to blame for an error in writing to a place that the command line names.
func TestPlace(t *testing.T) {
	for _, c := range []struct {
		err    error
		usage  bool
		system bool
	}{
		{nil, false, false},
		{&fs.PathError{Err: syscall.EACCES}, true, false},
		{&fs.PathError{Err: syscall.EIO}, false, true},
		{&fs.PathError{Err: syscall.ENOSPC}, false, false},
		{fmt.Errorf("write: %w", ErrInterrupted), false, true},
		{errors.New("is a folder"), true, false},
	} {
		var usage *UsageError
		got := Place(c.err)
		if errors.As(got, &usage) != c.usage || OfMachine(c.err) != c.system {
			t.Errorf("%v: of usage %t, of the machine %t", c.err, errors.As(got, &usage), OfMachine(c.err))
		}
		if c.err != nil && (!errors.Is(got, c.err) || got.Error() != c.err.Error()) {
			t.Errorf("%v became %v", c.err, got)
		}
	}
}
