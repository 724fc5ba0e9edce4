package exec

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ablate/stages/kind"
)

// Whatever a stage does is an error to its caller: a run and an audit go on.
func TestCall(t *testing.T) {
	wrong := errors.New("wrong")
	cut := func(context.Context, *kind.Job) error { // a mapped file that someone cuts short
		path := filepath.Join(t.TempDir(), "mapped")
		if err := os.WriteFile(path, make([]byte, 1<<16), 0o666); err != nil {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		data, err := syscall.Mmap(int(f.Fd()), 0, 1<<16, syscall.PROT_READ, syscall.MAP_SHARED)
		if err != nil {
			return err
		}
		defer syscall.Munmap(data)
		if err := os.Truncate(path, 0); err != nil {
			return err
		}
		return fmt.Errorf("read %d", data[1<<15])
	}
	for _, tt := range []struct {
		name string
		f    kind.Func
		want string
	}{
		{"ends well", func(context.Context, *kind.Job) error { return nil }, ""},
		{"fails", func(context.Context, *kind.Job) error { return wrong }, "wrong"},
		{"panics", func(context.Context, *kind.Job) error { panic("odd") }, "internal error: panic: odd"},
		{"no stage", nil, "internal error: no stage"},
		{"a page that cannot be read", cut, "a file that the step reads became unreadable"},
	} {
		err := Call(t.Context(), tt.f, &kind.Job{})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	var fault *FaultError
	if err := Call(t.Context(), cut, &kind.Job{}); !errors.As(err, &fault) || !strings.Contains(string(fault.Stack), "goroutine ") {
		t.Errorf("%v, want a *FaultError with its stack", err)
	}
}
