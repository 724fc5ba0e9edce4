package table

import (
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// A columnStream reads the entries of a leaf column in a row group, row by row.
type columnStream struct {
	targets []target // that lie in this leaf

	column *schema.Column
	pages  *checkedPages
	reader file.ColumnChunkReader
	read   func(n int64) (levels int64, values int, err error)
	text   func(value int) Cell

	defs, reps []int16
	n, at      int   // entries read, and taken
	value      int   // values taken
	index      []int // place of the last entry in each list around it
}

func openColumn(group *file.RowGroupReader, leaf int, mem *boundedMemory, size int64, pool *file.Reader) (*columnStream, error) {
	meta, err := group.MetaData().ColumnChunk(leaf)
	if err != nil {
		return nil, err
	}
	if from, n := meta.DataPageOffset(), meta.TotalCompressedSize(); from < 0 || n < 0 || from > size || n > size-from {
		return nil, fmt.Errorf("%d bytes at %d of a file of %d", n, from, size)
	}
	mem.limit = max(mem.limit, meta.TotalUncompressedSize())
	pages, err := group.GetColumnPageReader(leaf)
	if err != nil {
		return nil, err
	}
	s := &columnStream{
		column: pool.MetaData().Schema.Column(leaf), defs: make([]int16, foreignRows), reps: make([]int16, foreignRows),
	}
	s.index = make([]int, s.column.MaxRepetitionLevel())
	s.pages = &checkedPages{PageReader: pages, column: s.column}
	s.reader = file.NewColumnReader(s.column, s.pages, mem, pool.BufferPool())
	return s, s.bind()
}

// fill reads more entries, all of one page; without any left it returns false.
func (s *columnStream) fill() (bool, error) {
	if !s.reader.HasNext() {
		if err := s.pages.Err(); err != nil {
			return false, err
		}
		return false, s.reader.Err()
	}
	n := min(int64(foreignRows), s.pages.left)
	levels, values, err := s.read(n)
	if err != nil {
		return false, err
	}
	s.pages.left -= n
	want := 0
	for _, d := range s.defs[:n] {
		if d == s.column.MaxDefinitionLevel() {
			want++
		}
	}
	if s.column.MaxDefinitionLevel() == 0 {
		want = int(n)
	}
	if levels != n || values != want {
		return false, fmt.Errorf("page has %d entries and %d values, want %d and %d", levels, values, n, want)
	}
	s.n, s.at, s.value = int(n), 0, 0
	return true, nil
}

// row sets the cells of the next row.
func (s *columnStream) row(cells []Cell) error {
	most := s.column.MaxDefinitionLevel()
	for first := true; ; first = false {
		if s.at == s.n {
			if more, err := s.fill(); err != nil {
				return err
			} else if !more && first {
				return errors.New("fewer rows than the row group says")
			} else if !more {
				return nil
			}
		}
		def, rep := most, int16(0)
		if most > 0 {
			def = s.defs[s.at]
		}
		if len(s.index) > 0 {
			rep = s.reps[s.at]
		}
		switch {
		case def < 0 || def > most || rep < 0 || int(rep) > len(s.index):
			return fmt.Errorf("levels %d and %d of at most %d and %d", def, rep, most, len(s.index))
		case first && rep > 0:
			return errors.New("a list goes on that has not begun")
		case !first && rep == 0:
			return nil
		}
		if rep > 0 {
			s.index[rep-1]++
		}
		clear(s.index[rep:])
		for _, t := range s.targets {
			if !t.here(s.index) {
				continue
			}
			if t.group {
				cells[t.cell] = Cell{Present: def >= t.need, Group: def >= t.need}
			} else if def == most {
				cells[t.cell] = s.text(s.value)
			}
		}
		if def == most {
			s.value++
		}
		s.at++
	}
}

// end makes sure that there are no more rows.
func (s *columnStream) end() error {
	if s.at == s.n {
		if more, err := s.fill(); err != nil || !more {
			return err
		}
	}
	return errors.New("more rows than the row group says")
}

// here says whether an entry is the first one of what the target is.
func (t *target) here(index []int) bool {
	for i, k := range index {
		if i < len(t.want) && k != t.want[i] || i >= len(t.want) && k != 0 {
			return false
		}
	}
	return true
}
