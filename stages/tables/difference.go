package tables

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"math"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"

	"ablate/cache/checkpoint"
	"ablate/cache/table"
)

// Differ says how the tables among the outputs of a kind are compared, by their names. Checkpoints
// and text it knows.
type Differ map[string]func(made, given string) (string, error)

// Difference says in words where a file that was made again first differs from the one given under
// the same name: the tensor, the row and column, the line, or the byte. It is "" where it cannot
// tell.
func (d Differ) Difference(name, made, given string) string {
	base := path.Base(name)
	var where string
	var err error
	switch {
	case strings.HasSuffix(base, ".safetensors"):
		where, err = tensorsDiffer(made, given)
	case d[base] != nil:
		where, err = d[base](made, given)
	default:
		where, err = textDiffers(made, given)
	}
	if err != nil {
		return err.Error()
	}
	return where
}

func tensorsDiffer(made, given string) (string, error) {
	a, err := checkpoint.Open(made)
	if err != nil {
		return "", err
	}
	defer a.Close()
	b, err := checkpoint.Open(given)
	if err != nil {
		return "", err
	}
	defer b.Close()
	if x, y := a.Names(), b.Names(); !slices.Equal(x, y) {
		return fmt.Sprintf("the tensors are %s there, %s made again", strings.Join(y, ", "), strings.Join(x, ", ")), nil
	}
	for _, name := range a.Names() {
		x, err := a.Tensor(name)
		if err != nil {
			return "", err
		}
		y, err := b.Tensor(name)
		if err != nil {
			return "", err
		}
		if !slices.Equal(x.Shape, y.Shape) {
			return fmt.Sprintf("tensor %s has shape %v there, %v made again", name, y.Shape, x.Shape), nil
		}
		first, n := -1, 0
		for i := range x.Data {
			if math.Float32bits(x.Data[i]) != math.Float32bits(y.Data[i]) {
				if first < 0 {
					first = i
				}
				n++
			}
		}
		if n > 0 {
			return fmt.Sprintf("tensor %s differs first in element %d of %d: %g there, %g made again (%d elements of it differ)",
				name, first, len(x.Data), y.Data[first], x.Data[first], n), nil
		}
	}
	return "the tensors are the same, the header differs", nil
}

// RowsDiffer says where two tables of one type of row first differ.
func RowsDiffer[T any](made, given string) (string, error) {
	a, b := pull[T](made), pull[T](given)
	defer a.stop()
	defer b.stop()
	t := reflect.TypeFor[T]()
	for i := 0; ; i++ {
		v, more := a.next()
		w, most := b.next()
		if err := errors.Join(a.err, b.err); err != nil {
			return "", err
		}
		if !more && !most {
			return "the rows are the same, the file around them differs", nil
		}
		if !more || !most {
			x, y := i, i // rows
			for ; more; x++ {
				_, more = a.next()
			}
			for ; most; y++ {
				_, most = b.next()
			}
			return fmt.Sprintf("%d rows there, %d made again", y, x), errors.Join(a.err, b.err)
		}
		x, y := reflect.ValueOf(v), reflect.ValueOf(w)
		for _, f := range reflect.VisibleFields(t) {
			column := f.Tag.Get("col")
			if column == "-" || f.Anonymous {
				continue
			}
			if v, w := fmt.Sprint(x.FieldByIndex(f.Index)), fmt.Sprint(y.FieldByIndex(f.Index)); v != w {
				return fmt.Sprintf("row %d, column %s: %s there, %s made again", i+1, column, clipped(w), clipped(v)), nil
			}
		}
	}
}

// rowsOf hands out the rows of a table one by one, and holds one row group.
type rowsOf[T any] struct {
	next func() (T, bool)
	stop func()
	err  error
}

func pull[T any](path string) *rowsOf[T] {
	r := &rowsOf[T]{}
	enough := errors.New("enough")
	r.next, r.stop = iter.Pull(func(yield func(T) bool) {
		err := table.EachRows(path, func(rows []T) error {
			for _, row := range rows {
				if !yield(row) {
					return enough
				}
			}
			return nil
		})
		if err != enough {
			r.err = err
		}
	})
	return r
}

// textDiffers names the first line that differs, or the first byte of what is no text.
func textDiffers(made, given string) (string, error) {
	a, err := os.ReadFile(made)
	if err != nil {
		return "", err
	}
	b, err := os.ReadFile(given)
	if err != nil {
		return "", err
	}
	if bytes.IndexByte(a[:min(len(a), 4096)], 0) >= 0 {
		n := 0
		for n < min(len(a), len(b)) && a[n] == b[n] {
			n++
		}
		return fmt.Sprintf("byte %d is the first that differs; %d bytes there, %d made again", n, len(b), len(a)), nil
	}
	x, y := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range min(len(x), len(y)) {
		if v, w := x[i], y[i]; v != w {
			n := 0 // show what differs, not what precedes it
			for n < min(len(v), len(w)) && v[n] == w[n] {
				n++
			}
			from := max(0, n-20)
			return fmt.Sprintf("line %d, byte %d: %s there, %s made again", i+1, n+1, clipped(w[from:]), clipped(v[from:])), nil
		}
	}
	return fmt.Sprintf("%d lines there, %d made again", len(y), len(x)), nil
}

// clipped quotes a value that may be long.
func clipped(s string) string {
	const most = 60
	if len(s) > most {
		return fmt.Sprintf("%.*q...", most, s)
	}
	return fmt.Sprintf("%q", s)
}
