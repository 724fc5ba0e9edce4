package table

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
)

// readEachRow reads a file whatever it is: its rows come in order and all of them, or there is an error.
func readEachRow(data []byte, paths [][]string) (rows int64, err error) {
	err = eachRow(context.Background(), bytes.NewReader(data), paths, func(row int64, cells []Cell) error {
		if rows++; row != rows || len(cells) != len(paths) {
			return fmt.Errorf("row %d after %d of %d cells", row, rows-1, len(cells))
		}
		return nil
	})
	return rows, err
}

// packed writes columns in the encodings that Arrow's writer does not choose by itself.
func packed(t testing.TB) string {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "length", Type: arrow.BinaryTypes.String},
		{Name: "year", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "n", Type: arrow.PrimitiveTypes.Int32},
	}, nil)
	b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	defer b.Release()
	for i := range 40 {
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("text %d", i))
		b.Field(1).(*array.StringBuilder).Append(fmt.Sprintf("length %d", i*i))
		if i%4 == 1 {
			b.Field(2).AppendNull()
		} else {
			b.Field(2).(*array.Int64Builder).Append(int64(1900 + i*i))
		}
		b.Field(3).(*array.Int32Builder).Append(int32(7 * i))
	}
	rec := b.NewRecord()
	defer rec.Release()
	path := filepath.Join(t.TempDir(), "packed.parquet")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pqarrow.NewFileWriter(schema, f, parquet.NewWriterProperties(parquet.WithDictionaryDefault(false),
		parquet.WithEncodingFor("text", parquet.Encodings.DeltaByteArray), parquet.WithEncodingFor("length", parquet.Encodings.DeltaLengthByteArray),
		parquet.WithEncodingFor("year", parquet.Encodings.DeltaBinaryPacked), parquet.WithEncodingFor("n", parquet.Encodings.DeltaBinaryPacked)),
		pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(rec), w.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

var packedPaths = [][]string{{"text"}, {"length"}, {"year"}, {"n"}}

func TestEachRowOfPackedValues(t *testing.T) {
	n := 0
	err := EachRow(context.Background(), packed(t), packedPaths, func(row int64, cells []Cell) error {
		i := n
		n++
		year := Cell{Present: i%4 != 1, Text: fmt.Sprint(1900 + i*i)}
		if !year.Present {
			year.Text = ""
		}
		for k, want := range []Cell{{Present: true, String: true, Text: fmt.Sprintf("text %d", i)}, {Present: true, String: true, Text: fmt.Sprintf("length %d", i*i)}, year, {Present: true, Text: fmt.Sprint(7 * i)}} {
			if cells[k] != want {
				return fmt.Errorf("row %d, cell %d: %+v, want %+v", row, k, cells[k], want)
			}
		}
		return nil
	})
	if err != nil || n != 40 {
		t.Errorf("%d rows, error %v", n, err)
	}
}

// A flipped bit anywhere ends in an error or in all of the rows, never in a hang or a panic, in whichever goroutine.
func TestEachRowOfFlippedBits(t *testing.T) {
	for _, c := range []struct {
		name  string
		path  string
		paths [][]string
		rows  int64
	}{
		{"version 1", foreign(t, 30, compress.Codecs.Uncompressed, false), foreignPaths, 30},
		{"version 2", foreign(t, 30, compress.Codecs.Snappy, true), foreignPaths, 30},
		{"packed", packed(t), packedPaths, 40},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, err := os.ReadFile(c.path)
			if err != nil {
				t.Fatal(err)
			}
			if rows, err := readEachRow(data, c.paths); rows != c.rows || err != nil {
				t.Fatalf("%d rows, error %v", rows, err)
			}
			failed := 0
			for at := range data {
				was := data[at]
				data[at] ^= 1 << (at * 5 % 8)
				rows, err := readEachRow(data, c.paths)
				data[at] = was
				if err != nil {
					failed++
				} else if rows != c.rows {
					t.Errorf("byte %d: %d rows and no error", at, rows)
				}
			}
			if failed == 0 {
				t.Error("no flip is an error")
			}
			t.Logf("of %d flips %d are errors", len(data), failed)
		})
	}
}

// FuzzEachRow: reading any bytes comes to an end, the same end each time.
func FuzzEachRow(f *testing.F) {
	for _, path := range []string{foreign(f, 3, compress.Codecs.Uncompressed, false), foreign(f, 3, compress.Codecs.Snappy, true), packed(f)} {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("PAR1\x00\x00\x00\x00PAR1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, column := range []string{"text", "year"} {
			rows, err := readEachRow(data, [][]string{{column}}) // it comes to an end
			if again, err2 := readEachRow(data, [][]string{{column}}); again != rows || fmt.Sprint(err2) != fmt.Sprint(err) {
				t.Errorf("%d rows and error %v, then %d and %v", rows, err, again, err2)
			}
		}
	})
}
