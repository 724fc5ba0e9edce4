package parquet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// A File is a Parquet file that is open for reading.
type File struct {
	r      io.ReaderAt
	close  func() error
	size   int64
	end    int64 // where the data end and the footer begins
	rows   int64
	groups []rowGroup
	root   *node
	leaves []*node // the columns, in order
}

// Open opens a Parquet file and reads its footer.
func Open(path string) (*File, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read Parquet: %w", err)
	}
	info, err := in.Stat()
	if err != nil {
		in.Close()
		return nil, fmt.Errorf("read Parquet: %w", err)
	}
	f, err := New(in, info.Size())
	if err != nil {
		in.Close()
		return nil, err
	}
	f.close = in.Close
	return f, nil
}

// New reads the footer of a Parquet file of so many bytes.
func New(r io.ReaderAt, size int64) (*File, error) {
	f := &File{r: r, size: size}
	if err := f.readFooter(); err != nil {
		return nil, fmt.Errorf("read Parquet: %w", err)
	}
	return f, nil
}

// Close closes a file of Open.
func (f *File) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close()
}

// NumRows is how many rows the file has.
func (f *File) NumRows() int64 { return f.rows }

// A Cell is one value of a row.
type Cell struct {
	Present bool   // neither null nor absent
	String  bool   // the column is of text
	Text    string // the value in words
}

// A Column is a wish for the values of a column.
type Column struct {
	// Path has the names of a column and of the fields inside it, and [n] for the n-th element of a
	// list from 0. Of a list that it does not index the first element counts. An empty path gives
	// empty cells.
	Path []string
	// Text says that the values are to be text: a column of another type, a list of texts too, is
	// an error.
	Text bool
}

// Has says whether a path leads to a column, or into one, of whatever type.
func (f *File) Has(path []string) bool {
	_, err := f.resolve(path)
	return err == nil
}

// Check says what is wrong with a wish, before a row is read.
func (f *File) Check(w Column) error {
	_, err := f.find(w)
	return err
}

// nameText is what to do about a column that is no text, in the words that JSON Lines uses.
const nameText = "name the field that holds the text with the corpus's key text"

func (f *File) find(w Column) (target, error) {
	t, err := f.resolve(w.Path)
	name := pathName(w.Path)
	switch {
	case errors.Is(err, errNoColumn) && w.Text:
		return t, fmt.Errorf("no column %s: %s: %s", name, f.columnNames(), nameText)
	case errors.Is(err, errNoColumn):
		return t, fmt.Errorf("no column %s: %s", name, f.columnNames())
	case err != nil:
		return t, fmt.Errorf("column %s: %w", name, err)
	}
	switch word := t.node.word(false); {
	case w.Text && t.list:
		return t, fmt.Errorf("field %q is of type array, want a string: %s", name, nameText)
	case w.Text && (t.node.leaf < 0 || t.node.typ.kind != kindText):
		return t, fmt.Errorf("field %q is of type %s, want a string: %s", name, word, nameText)
	case t.node.isMap():
		return t, fmt.Errorf("column %s is of type map, which is not read: write the key that you want as a column of its own", name)
	case t.node.leaf < 0 && len(t.node.below) == 0:
		return t, fmt.Errorf("column %s has no fields", name)
	case t.node.leaf < 0:
		return t, fmt.Errorf("column %s is of type %s, want a string, a number or an array of them: name a field inside it; %s", name, word, f.columnNames())
	case t.node.typ.kind == kindRefused:
		return t, fmt.Errorf("column %s is of type %s, which is not read: write it as a string or a number", name, word)
	}
	return t, nil
}

// Rows calls each for every row from number 1, with a cell for each wish. An error of each ends the
// reading and is returned as it is.
func (f *File) Rows(ctx context.Context, wishes []Column, each func(row int64, cells []Cell) error) error {
	var mine error
	err := f.allRows(ctx, wishes, func(row int64, cells []Cell) error {
		mine = each(row, cells)
		return mine
	})
	if err == nil || mine != nil || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("read Parquet: %w", err)
}

func (f *File) allRows(ctx context.Context, wishes []Column, each func(row int64, cells []Cell) error) error {
	targets := make([]target, len(wishes))
	for i, w := range wishes {
		if len(w.Path) == 0 {
			continue
		}
		var err error
		if targets[i], err = f.find(w); err != nil {
			return err
		}
	}
	var codecs codecs
	defer func() { codecs.close() }()
	row := int64(0)
	for g := range f.groups {
		if err := f.group(ctx, g, targets, &codecs, &row, each); err != nil {
			return err
		}
	}
	return nil
}

// group reads a row group.
func (f *File) group(ctx context.Context, number int, targets []target, codecs *codecs, row *int64, each func(row int64, cells []Cell) error) error {
	group := &f.groups[number]
	var streams []*stream
	for cell, t := range targets {
		if t.node == nil {
			continue
		}
		s := (*stream)(nil)
		for _, have := range streams {
			if have.node == t.node {
				s = have
			}
		}
		if s == nil {
			c, err := f.openChunk(t.node, group.chunks[t.node.leaf], group.rows, codecs)
			if err != nil {
				return fmt.Errorf("row group %d, column %s: %w", number, f.columnName(t.node), err)
			}
			s = &stream{chunk: c, index: make([]int, t.node.rep)}
			streams = append(streams, s)
		}
		s.targets, s.cells = append(s.targets, t), append(s.cells, cell)
	}
	cells := make([]Cell, len(targets))
	for range group.rows {
		if *row++; *row%256 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		clear(cells)
		for _, s := range streams {
			if err := s.row(cells); err != nil {
				return fmt.Errorf("row %d, row group %d, column %s: %w", *row, number, f.columnName(s.node), err)
			}
		}
		if err := each(*row, cells); err != nil {
			return err
		}
	}
	for _, s := range streams {
		if err := s.finish(); err != nil {
			return fmt.Errorf("row group %d, column %s: %w", number, f.columnName(s.node), err)
		}
	}
	return nil
}

// columnName is the name of a leaf column with the groups around it, as in the file.
func (f *File) columnName(leaf *node) string {
	var found string
	var walk func(n *node, name string)
	walk = func(n *node, name string) {
		if n == leaf {
			found = name
		}
		for _, below := range n.below {
			walk(below, name+"."+below.name)
		}
	}
	for _, n := range f.root.below {
		walk(n, n.name)
	}
	return found
}

// A stream reads a column chunk row by row, for one or more targets.
type stream struct {
	*chunk
	targets []target
	cells   []int // of the targets
	index   []int // place of the last entry in each list around it
	ahead   entry // read, and not of the last row
	full    bool  // there is one ahead
}

// An entry of a column chunk: its levels, and its value where there is one.
type entry struct {
	def, rep uint32
	value    []byte
}

var errRows = errors.New("fewer rows than the row group says")

// row sets the cells of the next row. In a column outside of lists each entry is a row; else one
// begins where the repetition level is 0.
func (s *stream) row(cells []Cell) error {
	for first := true; ; first = false {
		e, more, err := s.take()
		switch {
		case err != nil:
			return err
		case !more && first:
			return errRows
		case !more:
			return nil
		case first && e.rep > 0:
			return errors.New("a list goes on that has not begun")
		case !first && e.rep == 0:
			s.ahead, s.full = e, true
			return nil
		}
		if e.rep > 0 {
			s.index[e.rep-1]++
		}
		clear(s.index[e.rep:])
		if e.def == s.trueLevel {
			for i := range s.targets {
				if s.targets[i].here(s.index) {
					if cells[s.cells[i]], err = s.node.typ.cell(e.value); err != nil {
						return err
					}
				}
			}
		}
		if s.node.rep == 0 {
			return nil
		}
	}
}

// take is the next entry.
func (s *stream) take() (entry, bool, error) {
	if s.full {
		s.full = false
		return s.ahead, true, nil
	}
	def, rep, value, more, err := s.entry()
	return entry{def, rep, value}, more, err
}

// finish makes sure that there are no more rows.
func (s *stream) finish() error {
	if _, more, err := s.take(); err != nil || !more {
		return err
	}
	return errors.New("more rows than the row group says")
}

// here says whether an entry is the one that the target wants. An entry that ends a list early has
// place 0 in the lists inside it.
func (t *target) here(index []int) bool {
	for i, k := range index {
		if i < len(t.place) && k != t.place[i] {
			return false
		}
	}
	return true
}
