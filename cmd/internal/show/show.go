// Package show is what a person sees of the program: tables, prose, numbers, the progress of a run,
// and the forms in JSON that other programs read. A command hands over the result that package
// study returned, and a writer.
//
// On a terminal, tables and prose fit its width; in a file or a pipe each row and each sentence is
// a line, however long. Names come from data, so that what does not print in them is escaped. JSON
// has every value as it is.
//
// What the package does not promise: that a table's words stay the same. The forms in JSON do, but
// for new keys.
package show

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"

	"ablate/cache"
)

// Rendered is text of ours in lines of its own, such as a table, whose values are printable
// already: Printf leaves it as it is.
type Rendered string

// Printable is a value as a person sees it. Names come from data, so what does not print stands as
// an escape; an error may have several lines.
func Printable(value any) string {
	if err, ok := value.(error); ok {
		return cache.PrintableLines(err.Error())
	}
	return cache.Printable(fmt.Sprint(value))
}

// Printf prints prose, folded to the width of the terminal that w is. What does not print in its
// values is escaped, but for a value that is Rendered.
func Printf(w io.Writer, format string, args ...any) error {
	args = slices.Clone(args)
	for i, arg := range args {
		switch arg.(type) {
		case string, error, fmt.Stringer:
			args[i] = Printable(arg)
		}
	}
	_, err := fmt.Fprint(w, folded(fmt.Sprintf(format, args...), Columns(w), 2))
	return err
}

// JSON prints a value as JSON with two spaces an indent.
func JSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// Columns is the width of the terminal that w is; 0 where w is none.
func Columns(w io.Writer) int {
	switch f := w.(type) {
	case interface{ Columns() int }:
		return f.Columns()
	case *os.File:
		if term.IsTerminal(int(f.Fd())) {
			if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
				return n
			}
			return 80
		}
	}
	return 0
}

// terminal is w as a terminal that obeys escape codes, such as those that erase a line; nil where w
// is none.
func terminal(w io.Writer) *os.File {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return f
}

// Stdout is standard output. It remembers the first error, so that no command ends well whose
// output did not arrive: most of them print without looking.
type Stdout struct {
	w   io.Writer
	err error
}

// NewStdout writes to w.
func NewStdout(w io.Writer) *Stdout { return &Stdout{w: w} }

func (o *Stdout) Write(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	text := p
	if o.Columns() > 0 {
		text = harmless(p)
	}
	if _, o.err = o.w.Write(text); o.err != nil {
		return 0, o.err
	}
	return len(p), nil
}

// Columns is the width of the terminal that standard output is; 0 where it is none.
func (o *Stdout) Columns() int { return Columns(o.w) }

// Lost is the error because of which a part of the output did not arrive, or nil. A reader that
// went away, as head does, has read what it wanted.
func (o *Stdout) Lost() error {
	if o.err == nil || errors.Is(o.err, syscall.EPIPE) {
		return nil
	}
	// No %w: a disk that is full is reported in another way where it is the cache's.
	return fmt.Errorf("standard output could not be written, and part of the output is lost: %v", o.err)
}

// Caused reports whether an error is the one that a write to standard output gave.
func (o *Stdout) Caused(err error) bool { return o.err != nil && errors.Is(err, o.err) }

// harmless is text without the control characters that a terminal obeys. Nothing of ours has any on
// standard output; data may, as in text that `ablate tokens --decode` prints.
func harmless(text []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return utf8.RuneError
		}
		return r
	}, text)
}
