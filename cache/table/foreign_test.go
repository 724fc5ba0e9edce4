package table

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"
)

// foreign writes n rows as other programs do: nulls, dictionaries, a compression, nested fields.
func foreign(t testing.TB, n int, codec compress.Compression, v2 bool) string {
	t.Helper()
	meta := arrow.StructOf(
		arrow.Field{Name: "field", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true},
		arrow.Field{Name: "year", Type: arrow.PrimitiveTypes.Int32, Nullable: true})
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "score", Type: arrow.PrimitiveTypes.Float64},
		{Name: "metadata", Type: meta, Nullable: true},
		{Name: "raw", Type: arrow.BinaryTypes.Binary},
		{Name: "ok", Type: arrow.FixedWidthTypes.Boolean},
	}, nil)
	b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	defer b.Release()
	for i := range n {
		if i%5 == 3 {
			b.Field(0).AppendNull()
		} else {
			b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("text %d", i))
		}
		b.Field(1).(*array.Float64Builder).Append(float64(i) / 4)
		m := b.Field(2).(*array.StructBuilder)
		if i%3 == 2 {
			m.AppendNull()
		} else {
			m.Append(true)
			list := m.FieldBuilder(0).(*array.ListBuilder)
			list.Append(true)
			for k := range i % 3 * 2 {
				list.ValueBuilder().(*array.StringBuilder).Append(fmt.Sprintf("f%d", k))
			}
			m.FieldBuilder(1).(*array.Int32Builder).Append(int32(1900 + i))
		}
		b.Field(3).(*array.BinaryBuilder).Append([]byte{'b', byte('0' + i%10)})
		b.Field(4).(*array.BooleanBuilder).Append(i%2 == 0)
	}
	rec := b.NewRecord()
	defer rec.Release()
	path := filepath.Join(t.TempDir(), "foreign.parquet")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	opts := []parquet.WriterProperty{parquet.WithCompression(codec), parquet.WithMaxRowGroupLength(700), parquet.WithDataPageSize(2000)}
	if v2 {
		opts = append(opts, parquet.WithDataPageVersion(parquet.DataPageV2), parquet.WithVersion(parquet.V2_LATEST))
	}
	w, err := pqarrow.NewFileWriter(schema, f, parquet.NewWriterProperties(opts...), pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

var foreignPaths = [][]string{{"text"}, {"metadata", "field", "[1]"}, {"metadata", "field"}, {"metadata", "year"}, {"score"}, {}, {"raw"}, {"ok"}}

// foreignCells are the cells of row i of foreign at foreignPaths.
func foreignCells(i int) []Cell {
	text := func(s string) Cell { return Cell{Present: true, String: true, Text: s} }
	cells := make([]Cell, len(foreignPaths))
	if i%5 != 3 {
		cells[0] = text(fmt.Sprintf("text %d", i))
	}
	if i%3 == 1 {
		cells[1], cells[2] = text("f1"), text("f0")
	}
	if i%3 != 2 {
		cells[3] = Cell{Present: true, Text: fmt.Sprint(1900 + i)}
	}
	cells[4] = Cell{Present: true, Text: fmt.Sprint(float64(i) / 4)}
	cells[6] = text(fmt.Sprintf("b%d", i%10))
	cells[7] = Cell{Present: true, Text: fmt.Sprint(i%2 == 0)}
	return cells
}

func TestEachRow(t *testing.T) {
	for _, codec := range []compress.Compression{compress.Codecs.Uncompressed, compress.Codecs.Snappy, compress.Codecs.Zstd, compress.Codecs.Gzip} {
		for _, v2 := range []bool{false, true} {
			t.Run(fmt.Sprint(codec, v2), func(t *testing.T) {
				n := 0
				err := EachRow(context.Background(), foreign(t, 2000, codec, v2), foreignPaths, func(row int64, cells []Cell) error {
					if diff := cmp.Diff(foreignCells(n), cells); diff != "" || row != int64(n+1) {
						return fmt.Errorf("row %d after %d (-want +got):\n%s", row, n, diff)
					}
					n++
					return nil
				})
				if err != nil || n != 2000 {
					t.Fatalf("%d rows, error %v", n, err)
				}
			})
		}
	}
}

func TestEachRowErrors(t *testing.T) {
	path := foreign(t, 10, compress.Codecs.Snappy, false)
	nothing := func(int64, []Cell) error { return nil }
	for _, c := range []struct {
		path []string
		want string
	}{
		{[]string{"body"}, "no column body: the file has text, score, metadata.field.list.element, metadata.year, raw, ok"},
		{[]string{"metadata", "date"}, "no column metadata.date"},
		{[]string{"metadata", "[0]"}, "the path leads into a value that has no fields"},
	} {
		if err := EachRow(context.Background(), path, [][]string{c.path}, nothing); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v, want %q", c.path, err, c.want)
		}
	}
	if has, err := HasColumn(path, []string{"metadata", "year"}); !has || err != nil {
		t.Errorf("metadata.year: %v, %v", has, err)
	}
	if has, err := HasColumn(path, []string{"id"}); has || err != nil {
		t.Errorf("id: %v, %v", has, err)
	}
	stop := errors.New("enough")
	if err := EachRow(context.Background(), path, [][]string{{"text"}}, func(int64, []Cell) error { return stop }); err != stop {
		t.Errorf("error %v, want %v", err, stop)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	torn := filepath.Join(t.TempDir(), "torn.parquet")
	for _, damaged := range [][]byte{nil, data[:len(data)/2], bytes.Repeat([]byte("PAR1"), 100)} {
		if err := os.WriteFile(torn, damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := EachRow(context.Background(), torn, [][]string{{"text"}}, nothing); err == nil {
			t.Errorf("a file of %d bytes is read", len(damaged))
		}
	}
}
