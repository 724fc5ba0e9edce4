package table

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
)

// foreignRows are held at a time: rows of text, some kilobytes each.
const foreignRows = 256

// A Cell is one value of a Parquet file that others wrote.
type Cell struct {
	Present bool   // neither null nor absent
	String  bool   // it is text (or bytes), not a number or a truth value
	Group   bool   // it has fields of its own, and no text
	Text    string // numbers in plain decimal; of a list the first element
}

// HasColumn says whether a path leads to a column of a Parquet file.
func HasColumn(path string, to []string) (has bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("read Parquet: %w", err)
	}
	defer f.Close()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("read Parquet %s: damaged file: %v", path, r)
		}
	}()
	pr, err := file.NewParquetReader(f)
	if err != nil {
		return false, fmt.Errorf("read Parquet %s: %w", path, err)
	}
	_, err = leavesOf(pr, [][]string{to})
	return err == nil, nil
}

// EachRow reads columns of a Parquet file that others wrote, row by row from 1, with one cell for each path. A path has the names of a
// column and the fields inside it, and [n] for the n-th element of a list. An empty path gives empty cells; one that leads to no column is
// an error: a Parquet file says in its schema what it has. Memory is some rows and a page of each column; the cells are good until each returns.
//
// Damage is found where Arrow v17 finds it. Its column readers may not return from a page with fewer levels than its header says.
func EachRow(ctx context.Context, path string, paths [][]string, each func(row int64, cells []Cell) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read Parquet: %w", err)
	}
	defer f.Close()
	var mine error
	if err := eachRow(ctx, f, paths, func(row int64, cells []Cell) error {
		mine = each(row, cells)
		return mine
	}); err != nil {
		if mine != nil {
			return mine
		}
		return fmt.Errorf("read Parquet %s: %w", path, err)
	}
	return nil
}

func eachRow(ctx context.Context, f parquet.ReaderAtSeeker, paths [][]string, each func(row int64, cells []Cell) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("damaged file: %v", r)
		}
	}()
	props := parquet.NewReaderProperties(memory.NewGoAllocator())
	props.BufferedStreamEnabled = true
	pr, err := file.NewParquetReader(f, file.WithReadProps(props))
	if err != nil {
		return err
	}
	leaves, err := leavesOf(pr, paths)
	if err != nil {
		return err
	}
	fr, err := pqarrow.NewFileReader(pr, pqarrow.ArrowReadProperties{BatchSize: foreignRows}, memory.NewGoAllocator())
	if err != nil {
		return err
	}
	rr, err := fr.GetRecordReader(ctx, leaves, nil)
	if err != nil {
		return err
	}
	defer rr.Release()
	row := int64(0)
	cells := make([]Cell, len(paths))
	for rr.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		rec := rr.Record()
		columns := make([]arrow.Array, len(paths))
		for i, p := range paths {
			if len(p) == 0 {
				continue
			}
			at := rec.Schema().FieldIndices(p[0])
			if len(at) != 1 {
				return fmt.Errorf("%d columns %q", len(at), p[0])
			}
			columns[i] = rec.Column(at[0])
		}
		for i := range int(rec.NumRows()) {
			row++
			for k, p := range paths {
				if len(p) == 0 {
					continue
				}
				if cells[k], err = cellAt(columns[k], i, p[1:]); err != nil {
					return fmt.Errorf("row %d, column %s: %w", row, strings.Join(p, "."), err)
				}
			}
			if err := each(row, cells); err != nil {
				return err
			}
		}
	}
	if err := rr.Err(); err != nil && !errors.Is(err, io.EOF) { // EOF is the end; whether it is the right one the rows say
		return err
	}
	if row != pr.NumRows() {
		return fmt.Errorf("%d rows, footer says %d", row, pr.NumRows())
	}
	return nil
}

// leavesOf returns the columns of the file below any of the paths.
func leavesOf(pr *file.Reader, paths [][]string) ([]int, error) {
	sc := pr.MetaData().Schema
	var leaves []int
	for _, p := range paths {
		if len(p) == 0 {
			continue
		}
		keys := slices.DeleteFunc(slices.Clone(p), func(s string) bool { return strings.HasPrefix(s, "[") })
		found := false
		for i := range sc.NumColumns() {
			if leadsTo(keys, sc.Column(i).ColumnPath()) {
				found = true
				leaves = append(leaves, i)
			}
		}
		if !found {
			return nil, fmt.Errorf("no column %s: %s", strings.Join(p, "."), columnNames(pr))
		}
	}
	slices.Sort(leaves)
	return slices.Compact(leaves), nil
}

// leadsTo says whether the keys lead to a column, whose path also names the levels that lists are stored in.
func leadsTo(keys, column []string) bool {
	if column[0] != keys[0] {
		return false
	}
	for _, name := range column {
		if len(keys) > 0 && keys[0] == name {
			keys = keys[1:]
		}
	}
	return len(keys) == 0
}

func columnNames(pr *file.Reader) string {
	var names []string
	sc := pr.MetaData().Schema
	for i := range min(sc.NumColumns(), 20) {
		names = append(names, sc.Column(i).Path())
	}
	if sc.NumColumns() > len(names) {
		names = append(names, "...")
	}
	return "the file has " + strings.Join(names, ", ")
}

var errPath = errors.New("the path leads into a value that has no fields")

// cellAt follows the rest of a path from row i of a column.
func cellAt(a arrow.Array, i int, path []string) (Cell, error) {
	for a.IsValid(i) {
		switch x := a.(type) {
		case array.ListLike:
			n := 0
			if len(path) > 0 && strings.HasPrefix(path[0], "[") {
				n, _ = strconv.Atoi(strings.Trim(path[0], "[]"))
				path = path[1:]
			} else if len(path) > 0 {
				return Cell{}, errPath
			}
			from, to := x.ValueOffsets(i)
			if int64(n) >= to-from {
				return Cell{}, nil
			}
			a, i = x.ListValues(), int(from)+n
			continue
		case *array.Struct:
			if len(path) == 0 {
				return Cell{Present: true, Group: true}, nil
			}
			at, ok := x.DataType().(*arrow.StructType).FieldIdx(path[0])
			if !ok {
				return Cell{}, errPath
			}
			a, path = x.Field(at), path[1:]
			continue
		case *array.Dictionary:
			a, i = x.Dictionary(), x.GetValueIndex(i)
			continue
		}
		if len(path) > 0 {
			return Cell{}, errPath
		}
		switch x := a.(type) {
		case *array.String:
			return Cell{Present: true, String: true, Text: x.Value(i)}, nil
		case *array.LargeString:
			return Cell{Present: true, String: true, Text: x.Value(i)}, nil
		case *array.Binary:
			return Cell{Present: true, String: true, Text: x.ValueString(i)}, nil
		case *array.LargeBinary:
			return Cell{Present: true, String: true, Text: x.ValueString(i)}, nil
		case *array.Float64:
			return Cell{Present: true, Text: strconv.FormatFloat(x.Value(i), 'f', -1, 64)}, nil
		case *array.Float32:
			return Cell{Present: true, Text: strconv.FormatFloat(float64(x.Value(i)), 'f', -1, 32)}, nil
		}
		return Cell{Present: true, Text: a.ValueStr(i)}, nil
	}
	return Cell{}, nil
}
