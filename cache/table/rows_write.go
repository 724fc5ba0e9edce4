package table

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"reflect"
	"slices"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

const (
	rowsKind    = "rows"
	rowsVersion = "1"
	// Tables with nullable columns, which earlier programs cannot read, have a version of their
	// own. The others stay as they were, byte for byte.
	nullableVersion = "2"

	keyFormat = "ablate.format"
	keyPandas = "pandas" // what pandas, by pyarrow, takes the types of its columns from
	createdBy = "ablate"
	element   = "element" // of a list, as the Parquet format names it

	// Rows of a row group. A row of ours is tens to hundreds of bytes; a group stays well below a
	// gigabyte.
	groupRows = 1 << 20
	// Below this many rows pages stay uncompressed: Arrow v17 makes a new zstd encoder for every
	// page, 0.5 ms that save nothing in a table of a few kilobytes.
	compressRows = 256
	// Rows that are turned into column values at a time.
	batchRows = 8 << 10
)

// WriteRows writes rows, structs as Columns describes them, as a Parquet file, replacing what lies
// at path. Same rows, same bytes. Units and docs go into the file's key-value metadata as
// "NAME.unit" and "NAME.doc". There are no nulls but in nullable columns: a nil slice is an empty
// list.
//
// Values are written plain, under zstd at Arrow's default level in all but small tables. There are
// no dictionaries, and no column statistics: Arrow v17 writes wrong ones for unsigned columns, and
// no reader of ours skips rows by them.
func WriteRows[T any](path string, rows []T) error {
	return create("write rows", path, func(w io.Writer) error {
		layout, err := layoutOf(reflect.TypeFor[T]())
		if err != nil {
			return err
		}
		return writeParquet(w, layout, reflect.ValueOf(rows))
	})
}

// create makes a file and hands a buffered writer of it to fill.
func create(what, path string, fill func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	w := bufio.NewWriterSize(f, 1<<16)
	err = fill(w)
	if err == nil {
		err = w.Flush()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", what, path, err)
	}
	return nil
}

func (c *column) physical() (parquet.Type, schema.LogicalType) {
	switch c.element {
	case reflect.String:
		return parquet.Types.ByteArray, schema.StringLogicalType{}
	case reflect.Bool:
		return parquet.Types.Boolean, schema.NoLogicalType{}
	case reflect.Int32:
		return parquet.Types.Int32, schema.NewIntLogicalType(32, true)
	case reflect.Int64:
		return parquet.Types.Int64, schema.NewIntLogicalType(64, true)
	case reflect.Uint64:
		return parquet.Types.Int64, schema.NewIntLogicalType(64, false)
	case reflect.Float64:
		return parquet.Types.Double, schema.NoLogicalType{}
	}
	panic("internal error: column of kind " + c.element.String())
}

// node is the column in a Parquet schema: required, unless it is nullable. A list has the three
// levels of the format's LogicalTypes.md.
func (c *column) node() (schema.Node, error) {
	name := c.Name
	if c.list {
		name = element
	}
	physical, logical := c.physical()
	repetition := parquet.Repetitions.Required
	if c.Nullable {
		repetition = parquet.Repetitions.Optional
	}
	leaf, err := schema.NewPrimitiveNodeLogical(name, repetition, logical, physical, -1, -1)
	if err != nil || !c.list {
		return leaf, err
	}
	return schema.ListOfWithName(c.Name, leaf, parquet.Repetitions.Required, -1)
}

// path is the name of the leaf in a Parquet schema.
func (c *column) path() string {
	if c.list {
		return c.Name + ".list." + element
	}
	return c.Name
}

// writeParquet turns the panics with which Arrow meets write errors deep inside into errors.
func writeParquet(w io.Writer, layout rowLayout, rows reflect.Value) error {
	return caught(func() error {
		pw, err := newParquet(w, layout, nil, rows.Len() >= compressRows)
		if err != nil {
			return err
		}
		for from := 0; from < rows.Len(); from += groupRows {
			if err := writeGroup(pw, layout, rows.Slice(from, min(from+groupRows, rows.Len()))); err != nil {
				return err
			}
		}
		return endParquet(pw)
	})
}

func caught(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("parquet: %v", r)
		}
	}()
	return f()
}

// newParquet begins a file; more are metadata beside those of the layout.
func newParquet(w io.Writer, layout rowLayout, more map[string]string, compressed bool) (*file.Writer, error) {
	var nodes schema.FieldList
	for i := range layout.columns {
		n, err := layout.columns[i].node()
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", layout.columns[i].Name, err)
		}
		nodes = append(nodes, n)
	}
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, nodes, -1)
	if err != nil {
		return nil, err
	}
	codec := compress.Codecs.Uncompressed
	if compressed {
		codec = compress.Codecs.Zstd
	}
	pw := file.NewParquetWriter(w, root, file.WithWriterProps(parquet.NewWriterProperties(
		parquet.WithCreatedBy(createdBy),
		parquet.WithDictionaryDefault(false),
		parquet.WithStats(false),
		parquet.WithCompression(codec))))
	return pw, appendMetadata(pw, layout, more)
}

// writeGroup writes rows as a row group.
func writeGroup(pw *file.Writer, layout rowLayout, rows reflect.Value) error {
	group := pw.AppendRowGroup()
	for i := range layout.columns {
		cw, err := group.NextColumn()
		if err != nil {
			return err
		}
		if err := layout.columns[i].write(cw, rows); err != nil {
			return fmt.Errorf("column %s: %w", layout.columns[i].Name, err)
		}
		if err := cw.Close(); err != nil {
			return err
		}
	}
	return group.Close()
}

// endParquet writes the footer, whose error Arrow v17's Close drops.
func endParquet(pw *file.Writer) error {
	if err := pw.FlushWithFooter(); err != nil {
		return err
	}
	return pw.Close()
}

func appendMetadata(pw *file.Writer, layout rowLayout, more map[string]string) error {
	var err error
	add := func(key, value string) {
		if value != "" && err == nil {
			err = pw.AppendKeyValueMetadata(key, value)
		}
	}
	add(keyTable, rowsKind)
	add(keyFormat, layout.format())
	add(keyVersion, layout.version)
	add(keyPandas, layout.pandas())
	for _, key := range slices.Sorted(maps.Keys(more)) {
		add(key, more[key])
	}
	for _, c := range layout.columns {
		add(c.Name+".unit", c.Unit)
		add(c.Name+".doc", c.Doc)
	}
	return err
}

// write sends the column's values of all rows to a column writer, a batch of rows at a time.
func (c *column) write(cw file.ColumnChunkWriter, rows reflect.Value) error {
	switch cw := cw.(type) {
	case *file.ByteArrayColumnChunkWriter:
		return writeValues(c, rows, cw.WriteBatch, func(v reflect.Value) (parquet.ByteArray, error) {
			s := v.String()
			if !utf8.ValidString(s) {
				return nil, fmt.Errorf("%.80q is not valid UTF-8", s)
			}
			return parquet.ByteArray(s), nil
		})
	case *file.BooleanColumnChunkWriter:
		return writeValues(c, rows, cw.WriteBatch, func(v reflect.Value) (bool, error) { return v.Bool(), nil })
	case *file.Int32ColumnChunkWriter:
		return writeValues(c, rows, cw.WriteBatch, func(v reflect.Value) (int32, error) { return int32(v.Int()), nil })
	case *file.Int64ColumnChunkWriter:
		if c.element == reflect.Uint64 {
			return writeValues(c, rows, cw.WriteBatch, func(v reflect.Value) (int64, error) { return int64(v.Uint()), nil })
		}
		return writeValues(c, rows, cw.WriteBatch, func(v reflect.Value) (int64, error) { return v.Int(), nil })
	case *file.Float64ColumnChunkWriter:
		return writeValues(c, rows, cw.WriteBatch, func(v reflect.Value) (float64, error) { return oneNaN(v.Float()), nil })
	}
	return errors.New("internal error: column writer of an unknown type")
}

// writeValues gathers values and, for lists and nullable columns, Parquet's levels: repetition 0
// begins a row and 1 continues its list; definition 0 is an empty list or a null, and 1 a value.
func writeValues[V any](c *column, rows reflect.Value, write func([]V, []int16, []int16) (int64, error), get func(reflect.Value) (V, error)) error {
	var values []V
	var definition, repetition []int16
	flush := func() error {
		_, err := write(values, definition, repetition)
		values, definition, repetition = values[:0], definition[:0], repetition[:0]
		return err
	}
	for i := range rows.Len() {
		field := rows.Index(i).FieldByIndex(c.index)
		elements := 1
		switch {
		case c.list:
			elements = field.Len()
		case c.isNull(field):
			elements = 0
		case c.Nullable:
			definition = append(definition, 1)
		}
		for j := range elements {
			item := field
			if c.list {
				item = field.Index(j)
				definition, repetition = append(definition, 1), append(repetition, int16(min(j, 1)))
			}
			v, err := get(item)
			if err != nil {
				return fmt.Errorf("row %d: %w", i, err)
			}
			values = append(values, v)
		}
		if elements == 0 {
			definition = append(definition, 0)
			if c.list {
				repetition = append(repetition, 0)
			}
		}
		if max(len(values), len(definition)) >= batchRows {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if len(values) == 0 && len(definition) == 0 {
		return nil
	}
	return flush()
}

// oneNaN returns v, or math.NaN() for any NaN: what 0/0 gives has another sign on amd64 than on
// arm64, and an artifact must not.
func oneNaN(v float64) float64 {
	if math.IsNaN(v) {
		return math.NaN()
	}
	return v
}
