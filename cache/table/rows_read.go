package table

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
)

// ReadRows reads a file of WriteRows. It reads the columns of T, in whatever order they lie in the
// file, and ignores others, so that a T with few fields reads little. A column that is missing or
// of another type is an error, and so is another TableVersion. An empty list gives a nil slice.
func ReadRows[T any](path string) ([]T, error) {
	var rows []T
	if err := readRows(path, &rows, nil); err != nil {
		return nil, err
	}
	return rows, nil
}

// EachRows is ReadRows for tables larger than memory: it calls f for the rows of each row group in
// turn, which it uses again for the next group. An error of f ends the reading and is returned as
// it is.
func EachRows[T any](path string, f func(rows []T) error) error {
	var rows []T
	var failed error
	err := readRows(path, &rows, func() error {
		failed = f(rows)
		clear(rows) // lists are appended to
		rows = rows[:0]
		return failed
	})
	if failed != nil {
		return failed
	}
	return err
}

// Meta returns the key-value metadata of a file of WriteRows or RowWriter.
func Meta(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read metadata: %w", err)
	}
	defer f.Close()
	meta, err := readMeta(f)
	if err != nil {
		return nil, fmt.Errorf("read metadata %s: %w", path, err)
	}
	return meta, nil
}

func readMeta(f parquet.ReaderAtSeeker) (meta map[string]string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("damaged file: %v", r)
		}
	}()
	pr, err := openParquet(f)
	if err != nil {
		return nil, err
	}
	return metaOf(pr), nil
}

// readRows appends the rows of a file to rows. After each row group it calls group, unless that is
// nil.
func readRows[T any](path string, rows *[]T, group func() error) error {
	layout, err := layoutOf(reflect.TypeFor[T]())
	if err != nil {
		return fmt.Errorf("read rows %s: %w", path, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read rows: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("read rows: %w", err)
	}
	if err := readParquet(f, info.Size(), layout, reflect.ValueOf(rows).Elem(), group); err != nil {
		return fmt.Errorf("read rows %s: %w", path, err)
	}
	return nil
}

// readParquet leaves footer, page headers and decompression to Arrow and decodes the pages itself:
// Arrow v17's column readers never return when a page has fewer levels than its header says. Arrow
// meets much damage with a panic; it starts no goroutines on this path, so that recover sees them
// all.
func readParquet(f parquet.ReaderAtSeeker, size int64, layout rowLayout, rows reflect.Value, group func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("damaged file: %v", r)
		}
	}()
	mem := &boundedMemory{Allocator: memory.NewGoAllocator()}
	props := parquet.NewReaderProperties(mem)
	// Otherwise Arrow allocates whatever size the metadata gives for a column.
	props.BufferedStreamEnabled = true
	pr, err := openParquet(f, file.WithReadProps(props))
	if err != nil {
		return err
	}
	if err := checkMetadata(pr, layout); err != nil {
		return err
	}
	at := make([]int, len(layout.columns))
	for i := range layout.columns {
		if at[i], err = layout.columns[i].find(pr); err != nil {
			return err
		}
	}
	var total int64
	for g := range pr.NumRowGroups() {
		base := rows.Len()
		for i := range layout.columns {
			c := &layout.columns[i]
			n, err := c.readChunk(pr.RowGroup(g), at[i], size, mem, rows, base, i == 0)
			if err != nil {
				return fmt.Errorf("row group %d, column %s: %w", g, c.Name, err)
			}
			if want := pr.RowGroup(g).NumRows(); int64(n) != want || base+n != rows.Len() {
				return fmt.Errorf("row group %d, column %s: %d rows, want %d", g, c.Name, n, want)
			}
		}
		total += int64(rows.Len() - base)
		if group != nil {
			if err := group(); err != nil {
				return err
			}
		}
	}
	if total != pr.NumRows() {
		return fmt.Errorf("%d rows, footer says %d", total, pr.NumRows())
	}
	return nil
}

// boundedMemory refuses to allocate more than a limit at a time, for sizes that a file states: a
// damaged page header asks for up to 2 GiB.
type boundedMemory struct {
	memory.Allocator
	limit int64
}

// slack is what Arrow adds to a page: rounding up, and read buffers of its own.
const slack = 1 << 16

func (m *boundedMemory) Allocate(size int) []byte {
	if int64(size) > m.limit+slack {
		panic(fmt.Sprintf("page of %d bytes in a column of %d", size, m.limit))
	}
	return m.Allocator.Allocate(size)
}

func (m *boundedMemory) Reallocate(size int, b []byte) []byte {
	if int64(size) > m.limit+slack {
		panic(fmt.Sprintf("page of %d bytes in a column of %d", size, m.limit))
	}
	return m.Allocator.Reallocate(size, b)
}

func metaOf(pr *file.Reader) map[string]string {
	meta := map[string]string{}
	kv := pr.MetaData().KeyValueMetadata()
	for i, k := range kv.Keys() {
		meta[k] = kv.Values()[i]
	}
	return meta
}

func checkMetadata(pr *file.Reader, layout rowLayout) error {
	meta := metaOf(pr)
	if meta[keyTable] != rowsKind {
		return fmt.Errorf("metadata %s is %.80q, want %q: not a table of ablate", keyTable, meta[keyTable], rowsKind)
	}
	if f := meta[keyFormat]; f != rowsVersion && f != nullableVersion {
		return fmt.Errorf("format: %w", versionError(f, rowsVersion+" and "+nullableVersion))
	}
	if meta[keyVersion] != layout.version {
		return versionError(meta[keyVersion], layout.version)
	}
	return nil
}

// find returns where the column lies in the file, which must agree in name, type and levels.
func (c *column) find(pr *file.Reader) (int, error) {
	sc := pr.MetaData().Schema
	i := sc.ColumnIndexByName(c.path())
	if i < 0 {
		for k := range sc.NumColumns() {
			if p := sc.Column(k).ColumnPath(); len(p) > 0 && p[0] == c.Name {
				return 0, fmt.Errorf("column %s: want %s, file has %s", c.Name, c.Type, sc.Column(k).SchemaNode())
			}
		}
		return 0, fmt.Errorf("no column %s (%s)", c.Name, c.Type)
	}
	physical, logical := c.physical()
	definition, repetition := int16(0), int16(0)
	if c.list {
		definition, repetition = 1, 1
	} else if c.Nullable {
		definition = 1
	}
	d := sc.Column(i)
	if d.PhysicalType() != physical || !logical.Equals(d.LogicalType()) {
		return 0, fmt.Errorf("column %s: want %s, file has %v %v", c.Name, c.Type, d.PhysicalType(), d.LogicalType())
	}
	if d.MaxDefinitionLevel() != definition || d.MaxRepetitionLevel() != repetition {
		return 0, fmt.Errorf("column %s: want %s with levels %d and %d, file has %d and %d: its nulls are others",
			c.Name, c.Type, definition, repetition, d.MaxDefinitionLevel(), d.MaxRepetitionLevel())
	}
	return i, nil
}

// readChunk sets the column in the rows from base on and returns how many rows it had. The first
// column adds the rows as it goes: the row count of a damaged file may be anything.
func (c *column) readChunk(group *file.RowGroupReader, at int, size int64, mem *boundedMemory, rows reflect.Value, base int, grow bool) (int, error) {
	meta, err := group.MetaData().ColumnChunk(at)
	if err != nil {
		return 0, err
	}
	if from, n := meta.DataPageOffset(), meta.TotalCompressedSize(); from < 0 || n < 0 || from > size || n > size-from {
		return 0, fmt.Errorf("%d bytes at %d of a file of %d", n, from, size)
	}
	mem.limit = meta.TotalUncompressedSize()
	pages, err := group.GetColumnPageReader(at)
	if err != nil {
		return 0, err
	}
	in := chunk{column: c, rows: rows, row: base - 1, grow: grow}
	for pages.Next() {
		page, ok := pages.Page().(*file.DataPageV1)
		if !ok || page.Encoding() != 0 { // 0 is PLAIN
			return 0, errors.New("page is not plain: not written by ablate")
		}
		if err := in.page(page.Data(), int(page.NumValues())); err != nil {
			return 0, err
		}
	}
	return in.row + 1 - base, pages.Err()
}

// chunk is the state of reading a column chunk.
type chunk struct {
	*column
	rows reflect.Value
	row  int // the last row begun
	grow bool
	last string // the string before: runs of equal ones share memory
}

// page decodes a data page: levels of lists, then the values one after the other.
func (c *chunk) page(data []byte, n int) (err error) {
	var repetition, definition levels
	if c.list {
		if repetition, data, err = cutLevels(data); err != nil {
			return err
		}
	}
	if c.list || c.Nullable {
		if definition, data, err = cutLevels(data); err != nil {
			return err
		}
	}
	values := plain{data: data}
	for range n {
		begins, present := true, true
		if c.list {
			r, ok1 := repetition.next()
			d, ok2 := definition.next()
			if !ok1 || !ok2 {
				return fmt.Errorf("page has fewer levels than the %d its header says", n)
			}
			begins, present = r == 0, d == 1
		} else if c.Nullable {
			d, ok := definition.next()
			if !ok {
				return fmt.Errorf("page has fewer levels than the %d its header says", n)
			}
			present = d == 1
		}
		if begins {
			if err := c.begin(); err != nil {
				return err
			}
		} else if c.row < 0 || !present {
			return errors.New("page continues a list that has not begun")
		}
		if !present {
			if c.Nullable {
				c.rows.Index(c.row).FieldByIndex(c.index).Set(reflect.ValueOf(c.null))
			}
			continue
		}
		if err := c.set(c.rows.Index(c.row).FieldByIndex(c.index), &values); err != nil {
			return err
		}
	}
	return nil
}

func (c *chunk) begin() error {
	c.row++
	if c.row < c.rows.Len() {
		return nil
	}
	if !c.grow {
		return errors.New("more rows than the first column")
	}
	if c.row >= c.rows.Cap() {
		c.rows.Grow(1)
	}
	c.rows.SetLen(c.row + 1)
	c.rows.Index(c.row).SetZero()
	return nil
}

// set stores the next value in the field, or appends it to the list that the field is.
func (c *chunk) set(field reflect.Value, values *plain) error {
	if c.list {
		n := field.Len()
		if n >= field.Cap() {
			field.Grow(1)
		}
		field.SetLen(n + 1)
		field = field.Index(n)
	}
	switch c.element {
	case reflect.String:
		b, err := values.byteArray()
		if err != nil {
			return err
		}
		if string(b) != c.last {
			c.last = string(b)
		}
		field.SetString(c.last)
		return nil
	case reflect.Bool:
		v, err := values.bit()
		field.SetBool(v)
		return err
	case reflect.Int32:
		b, err := values.fixed(4)
		if err == nil {
			field.SetInt(int64(i32(b)))
		}
		return err
	}
	b, err := values.fixed(8)
	if err != nil {
		return err
	}
	switch v := binary.LittleEndian.Uint64(b); c.element {
	case reflect.Int64:
		field.SetInt(int64(v))
	case reflect.Uint64:
		field.SetUint(v)
	default:
		field.SetFloat(math.Float64frombits(v))
	}
	return nil
}
