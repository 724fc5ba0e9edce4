package show

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// full is a disk without room.
type full struct{ err error }

func (f full) Write([]byte) (int, error) { return 0, f.err }

// What did not arrive on standard output is an error at the end; a reader that went away is none.
func TestStdoutLost(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"nothing", nil, ""},
		{"a full disk", syscall.ENOSPC, "standard output could not be written, and part of the output is lost: no space left on device"},
		{"no reader", syscall.EPIPE, ""},
	} {
		o := NewStdout(full{c.err})
		_, err := fmt.Fprintln(o, "text")
		if !errors.Is(err, c.err) || o.Caused(err) != (c.err != nil) {
			t.Errorf("%s: the write gave %v", c.name, err)
		}
		_, again := fmt.Fprintln(o, "more")
		if !errors.Is(again, c.err) {
			t.Errorf("%s: the second write gave %v", c.name, again)
		}
		if got := o.Lost(); (got == nil) != (c.want == "") || got != nil && got.Error() != c.want {
			t.Errorf("%s: lost: %v, want %q", c.name, got, c.want)
		}
		if errors.Is(o.Lost(), syscall.ENOSPC) {
			t.Errorf("%s: the error says that a disk of ours is full", c.name)
		}
	}
}

// A terminal does not obey what is in data; a file gets every byte.
func TestStdoutIsHarmless(t *testing.T) {
	const text = "a\x1b[2Jb\tc\n"
	var file bytes.Buffer
	if _, err := NewStdout(&file).Write([]byte(text)); err != nil || file.String() != text {
		t.Errorf("a file got %q, %v", file.String(), err)
	}
	w := &screen{wide: 80}
	if n, err := NewStdout(w).Write([]byte(text)); err != nil || n != len(text) || w.String() != "a\ufffd[2Jb\tc\n" {
		t.Errorf("a terminal got %q, %d, %v", w.String(), n, err)
	}
}

func TestPrintable(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{"plain", "plain"}, {"a\nb", `a\nb`}, {errors.New("one\ntwo\x1b"), "one\ntwo" + `\x1b`}, {12, "12"},
	} {
		if got := Printable(c.value); got != c.want {
			t.Errorf("%q is %q, want %q", c.value, got, c.want)
		}
	}
}

func TestJSON(t *testing.T) {
	var out strings.Builder
	if err := JSON(&out, map[string]int{"a": 1}); err != nil || out.String() != "{\n  \"a\": 1\n}\n" {
		t.Errorf("got %q, %v", out.String(), err)
	}
}
