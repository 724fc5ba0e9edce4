package table

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
)

// foreignRows bounds how many entries of a column are decoded at a time.
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
	pr, err := openParquet(f)
	if err != nil {
		return false, fmt.Errorf("read Parquet %s: %w", path, err)
	}
	_, err = targetsOf(pr, [][]string{to})
	return err == nil, nil
}

// EachRow reads columns of a Parquet file that others wrote, row by row from 1, with one cell for each path. A path has the names of a
// column and the fields inside it, and [n] for the n-th element of a list. An empty path gives empty cells; one that leads to no column is
// an error: a Parquet file says in its schema what it has. Memory is a page of each column.
//
// Footers, page headers, compression and the encodings of values are Arrow's; levels are put together here, in one goroutine, since Arrow
// v17's own readers of nested columns panic in others. Damage is an error where it shows: text has no checksum.
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
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	mem := &boundedMemory{Allocator: memory.NewGoAllocator()}
	props := parquet.NewReaderProperties(mem)
	props.BufferedStreamEnabled = true
	pr, err := openParquet(f, file.WithReadProps(props))
	if err != nil {
		return err
	}
	targets, err := targetsOf(pr, paths)
	if err != nil {
		return err
	}
	row := int64(0)
	cells := make([]Cell, len(paths))
	for g := range pr.NumRowGroups() {
		group := pr.RowGroup(g)
		var streams []*columnStream
		for _, t := range targets {
			i := slices.IndexFunc(streams, func(s *columnStream) bool { return s.targets[0].leaf == t.leaf })
			if i < 0 {
				s, err := openColumn(group, t.leaf, mem, size, pr)
				if err != nil {
					return fmt.Errorf("row group %d, column %s: %w", g, strings.Join(paths[t.cell], "."), err)
				}
				i, streams = len(streams), append(streams, s)
			}
			streams[i].targets = append(streams[i].targets, t)
		}
		for n := group.NumRows(); n > 0; n-- {
			if row++; row%foreignRows == 0 {
				if err := ctx.Err(); err != nil {
					return err
				}
			}
			clear(cells)
			for _, s := range streams {
				if err := s.row(cells); err != nil {
					return fmt.Errorf("row %d, column %s: %w", row, strings.Join(paths[s.targets[0].cell], "."), err)
				}
			}
			if err := each(row, cells); err != nil {
				return err
			}
		}
		for _, s := range streams {
			if err := s.end(); err != nil {
				return fmt.Errorf("row group %d, column %s: %w", g, strings.Join(paths[s.targets[0].cell], "."), err)
			}
		}
	}
	if row != pr.NumRows() {
		return fmt.Errorf("%d rows, footer says %d", row, pr.NumRows())
	}
	return nil
}
