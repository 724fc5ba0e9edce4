package exec

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"ablate/cache"
	"ablate/stages/kind"
)

func TestClassOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Class
	}{
		{errors.New("boom"), Fault},
		{&PanicError{Value: "odd"}, Fault},
		{&VersionError{"train", 1, 2}, Fault},
		{fs.ErrNotExist, Fault},
		{context.Canceled, Interrupted},
		{context.DeadlineExceeded, Interrupted},
		{&kind.SaveError{Err: errors.Join(syscall.ENOSPC, context.Canceled)}, Interrupted}, // what was to be saved found no room
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, OutOfDisk},
		{syscall.EDQUOT, OutOfDisk},
		{&kind.MemoryError{Err: errors.New("boom")}, OutOfMemory},
		{&fs.PathError{Op: "mmap", Path: "x", Err: syscall.ENOMEM}, OutOfMemory},
		{&InputError{Err: &cache.Miss{What: "blob x", Reason: cache.Absent}}, InputLost},
		{&InputError{Err: syscall.EIO}, Machine},
		{&InputError{Err: fs.ErrPermission}, Fault},
		{&cache.Miss{What: "entry x", Reason: cache.Absent}, Fault}, // a stage that looks for what it was not given
		{&FaultError{&PanicError{Value: "fault"}}, Machine},
		{&fs.PathError{Op: "read", Path: "x", Err: syscall.EIO}, Machine},
		{syscall.ESTALE, Machine},
	} {
		for _, err := range []error{c.err, fmt.Errorf("train: %w", c.err), errors.Join(c.err, errors.New("and more"))} {
			if got := ClassOf(err); got != c.want {
				t.Errorf("%T %v is %q, want %q", err, err, got, c.want)
			}
		}
	}
}

func TestClassesHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for c := Fault; c <= InputLost; c++ {
		if name := c.String(); name == "" || seen[name] {
			t.Errorf("class %d is called %q", int(c), name)
		}
		seen[c.String()] = true
	}
	if got := Class(99).String(); got != "class 99" {
		t.Errorf("a class that there is not is called %q", got)
	}
}
