package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	magic = "PAR1"
	tail  = 8 // the length of the footer, and the magic again

	// mostFooter is the longest footer that is read. One of a table of 10,000 columns and 100 row
	// groups has some 100 MB.
	mostFooter = 256 << 20
)

// A rowGroup is what the footer says of one (RowGroup of parquet.thrift).
type rowGroup struct {
	rows   int64
	chunks []chunkMeta // one for each leaf column
}

// chunkMeta is what the footer says of a column chunk (ColumnChunk and ColumnMetaData of
// parquet.thrift).
type chunkMeta struct {
	physical   int64
	codec      int64
	values     int64 // entries, nulls among them
	compressed int64 // bytes, with the headers of pages
	data       int64 // offset of the first data page
	dictionary int64 // offset of the dictionary page, or 0
	encrypted  bool
	elsewhere  string // name of the file that holds the chunk, "": this one
}

// readFooter reads the metadata of a file of so many bytes.
func (f *File) readFooter() error {
	if f.size < int64(len(magic))+tail {
		return fmt.Errorf("%d bytes, a Parquet file has at least %d", f.size, len(magic)+tail)
	}
	var end [tail]byte
	if _, err := f.r.ReadAt(end[:], f.size-tail); err != nil && err != io.EOF {
		return fmt.Errorf("footer: %w", err)
	}
	n, room := int64(binary.LittleEndian.Uint32(end[:])), f.size-int64(len(magic))-tail
	switch got := string(end[4:]); {
	case got == "PARE":
		return errors.New("the file is encrypted: decrypt it first")
	case got != magic:
		return fmt.Errorf("ends with %q, want %q: not a Parquet file, or cut short", got, magic)
	case n > room:
		return fmt.Errorf("footer of %d bytes, the file has %d for it", n, room)
	case n > mostFooter:
		return fmt.Errorf("footer of %d bytes, at most %d are read: write the table in fewer row groups", n, mostFooter)
	}
	data := make([]byte, n)
	f.end = f.size - tail - n
	if _, err := f.r.ReadAt(data, f.end); err != nil && err != io.EOF {
		return fmt.Errorf("footer: %w", err)
	}
	c := newCompact(data)
	if err := f.metadata(c); err != nil {
		return fmt.Errorf("footer, byte %d of %d: %w", c.used(), len(data), err)
	}
	return nil
}

// metadata reads a FileMetaData.
func (f *File) metadata(c *compact) error {
	var elements []element
	err := c.into(1, map[int64]slot{
		2: func(depth int) error {
			return c.structs(func() error {
				e, err := readElement(c, depth)
				elements = append(elements, e)
				return err
			})
		},
		3: &f.rows,
		4: func(depth int) error {
			if f.root != nil || len(elements) == 0 {
				return errors.New("row groups before the schema, or twice")
			}
			if err := f.grow(elements); err != nil {
				return err
			}
			return c.structs(func() error {
				g, err := f.readGroup(c, depth)
				f.groups = append(f.groups, g)
				return err
			})
		},
	})
	if err != nil {
		return err
	}
	if f.root == nil {
		return errors.New("no schema, or no row groups")
	}
	total := int64(0)
	for i, g := range f.groups {
		if g.rows < 0 || g.rows > f.rows-total {
			return fmt.Errorf("row group %d has %d rows, %d are left of the file's %d", i, g.rows, f.rows-total, f.rows)
		}
		total += g.rows
	}
	if total != f.rows {
		return fmt.Errorf("the row groups have %d rows, the footer says %d", total, f.rows)
	}
	return nil
}

func (f *File) readGroup(c *compact, depth int) (g rowGroup, err error) {
	err = c.into(depth, map[int64]slot{
		1: func(depth int) error {
			return c.structs(func() error {
				if len(g.chunks) == len(f.leaves) {
					return fmt.Errorf("a row group of more than the %d columns of the schema", len(f.leaves))
				}
				m, err := readChunkMeta(c, depth)
				g.chunks = append(g.chunks, m)
				return err
			})
		},
		3: &g.rows,
	})
	if err == nil && len(g.chunks) != len(f.leaves) {
		err = fmt.Errorf("a row group of %d columns, the schema has %d", len(g.chunks), len(f.leaves))
	}
	return g, err
}

func readChunkMeta(c *compact, depth int) (chunkMeta, error) {
	m := chunkMeta{physical: -1, codec: -1}
	described := false
	err := c.into(depth, map[int64]slot{
		1: &m.elsewhere,
		3: func(depth int) error {
			described = true
			return c.into(depth, map[int64]slot{1: &m.physical, 4: &m.codec, 5: &m.values, 7: &m.compressed, 9: &m.data, 11: &m.dictionary})
		},
		8: func(depth int) error { m.encrypted = true; return c.skip(compactStruct, depth) },
	})
	if err == nil && !described && !m.encrypted {
		err = errors.New("a column of which nothing is said")
	}
	return m, err
}
