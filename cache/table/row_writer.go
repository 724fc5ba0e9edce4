package table

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"reflect"

	"github.com/apache/arrow/go/v17/parquet/file"
)

const (
	// Bounds of a row group that a RowWriter holds in memory.
	streamRows  = 1 << 17
	streamBytes = 32 << 20
)

// A RowWriter writes a table that may be larger than memory: it holds one row group, of at most
// 131,072 rows and about 32 MiB. Apart from the size of row groups the file is what WriteRows
// writes, and the same rows give the same bytes.
type RowWriter[T any] struct {
	path   string
	file   *os.File
	out    *bufio.Writer
	layout rowLayout
	meta   map[string]string
	pw     *file.Writer // nil before the first row group
	rows   []T
	size   int // of rows, in bytes, about
	err    error
}

// CreateRows begins a file of rows, replacing what lies at path. meta is key-value metadata beside
// that of every table. Close must be called; until it has returned nil the file is not whole.
func CreateRows[T any](path string, meta map[string]string) (*RowWriter[T], error) {
	layout, err := layoutOf(reflect.TypeFor[T]())
	if err != nil {
		return nil, fmt.Errorf("write rows: %w", err)
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("write rows: %w", err)
	}
	return &RowWriter[T]{path: path, file: f, out: bufio.NewWriterSize(f, 1<<16), layout: layout, meta: meta}, nil
}

// Append adds a row. Its lists are kept until the row group is written: the caller must not change
// them.
func (w *RowWriter[T]) Append(row T) error {
	if w.err != nil {
		return w.err
	}
	w.rows = append(w.rows, row)
	w.size += w.layout.size(reflect.ValueOf(&w.rows[len(w.rows)-1]).Elem())
	if len(w.rows) >= streamRows || w.size >= streamBytes {
		w.err = w.flush(true)
	}
	return w.err
}

// flush writes the rows as a row group.
func (w *RowWriter[T]) flush(compressed bool) error {
	err := caught(func() (err error) {
		if w.pw == nil {
			if w.pw, err = newParquet(w.out, w.layout, w.meta, compressed); err != nil {
				return err
			}
		}
		if len(w.rows) == 0 {
			return nil
		}
		return writeGroup(w.pw, w.layout, reflect.ValueOf(w.rows))
	})
	clear(w.rows)
	w.rows, w.size = w.rows[:0], 0
	if err != nil {
		return fmt.Errorf("write rows %s: %w", w.path, err)
	}
	return nil
}

// Close ends the file. After an error, its own or one of Append, the file is not whole.
func (w *RowWriter[T]) Close() error {
	if w.err == nil {
		w.err = w.flush(len(w.rows) >= compressRows)
	}
	if w.err == nil {
		if err := errors.Join(caught(func() error { return endParquet(w.pw) }), w.out.Flush()); err != nil {
			w.err = fmt.Errorf("write rows %s: %w", w.path, err)
		}
	}
	if err := w.file.Close(); err != nil && w.err == nil {
		w.err = fmt.Errorf("write rows %s: %w", w.path, err)
	}
	return w.err
}

// size is about how many bytes a row takes.
func (l rowLayout) size(row reflect.Value) int {
	n := 0
	for _, c := range l.columns {
		field := row.FieldByIndex(c.index)
		switch {
		case c.Type == "list<string>":
			for i := range field.Len() {
				n += 16 + field.Index(i).Len()
			}
		case c.list:
			n += 8 * field.Len()
		case c.element == reflect.String:
			n += 16 + field.Len()
		default:
			n += 8
		}
	}
	return n
}
