package table

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
)

// Arrow v17 takes memory for whatever number a footer states: for 100 million elements of a list,
// or for two thousand million children of a column, which ends the process. So a footer is walked
// through before Arrow sees it. It is a struct of Thrift's compact protocol
// (thrift-compact-protocol.md of Apache Thrift), FileMetaData of parquet.thrift (Apache Parquet).

// mostFooter is the longest footer that is read. One of a table of 10,000 columns and 100 row
// groups has some 100 MB.
const mostFooter = 256 << 20

// deepest bounds structs within structs, and columns within columns: FileMetaData needs seven, a
// list in a list in a list nine.
const deepest = 64

// The types of compact protocol, and what of FileMetaData and SchemaElement is looked at.
const (
	compactTrue, compactFalse, compactByte, compactI16, compactI32, compactI64, compactDouble = 1, 2, 3, 4, 5, 6, 7
	compactBinary, compactList, compactSet, compactMap, compactStruct                         = 8, 9, 10, 11, 12

	fileSchema, schemaChildren = 2, 5
)

// checkFooter makes sure that what the footer of a Parquet file says of its own size is so.
func checkFooter(f io.ReaderAt, size int64) error {
	const magic, tail = "PAR1", 8
	if size < int64(len(magic))+tail {
		return fmt.Errorf("%d bytes, a Parquet file has at least %d", size, len(magic)+tail)
	}
	var end [tail]byte
	if _, err := f.ReadAt(end[:], size-tail); err != nil {
		return fmt.Errorf("footer: %w", err)
	}
	n, room := int64(binary.LittleEndian.Uint32(end[:])), size-int64(len(magic))-tail
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
	if _, err := f.ReadAt(data, size-tail-n); err != nil {
		return fmt.Errorf("footer: %w", err)
	}
	w := thriftWalk{data: data}
	if err := w.file(); err != nil {
		return fmt.Errorf("footer, byte %d of %d: %w", len(data)-len(w.data), len(data), err)
	}
	return nil
}

// openParquet opens a Parquet file whose footer is sound.
func openParquet(f parquet.ReaderAtSeeker, opts ...file.ReadOption) (*file.Reader, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	if err := checkFooter(f, size); err != nil {
		return nil, err
	}
	return file.NewParquetReader(f, opts...)
}

// thriftWalk goes over bytes of the compact protocol.
type thriftWalk struct {
	data []byte // what is left
}

var errThriftEnd = errors.New("it ends inside a value")

// file goes over a FileMetaData, and checks that the schema is a tree of the elements that are
// there.
func (w *thriftWalk) file() error {
	return w.fields(1, func(id int64, kind byte) error {
		if id != fileSchema || kind != compactList {
			return w.value(kind, 1)
		}
		n, of, err := w.list()
		if err != nil {
			return err
		}
		var open []int64 // children that are still to come, of the elements around the next one
		for i := range n {
			children := int64(0)
			if of != compactStruct {
				return fmt.Errorf("schema of elements of type %d", of)
			}
			err := w.fields(2, func(id int64, kind byte) (err error) {
				if id == schemaChildren && kind == compactI32 {
					children, err = w.zigzag()
					return err
				}
				return w.value(kind, 2)
			})
			if err != nil {
				return err
			}
			for len(open) > 0 && open[len(open)-1] == 0 {
				open = open[:len(open)-1]
			}
			if len(open) > 0 {
				open[len(open)-1]--
			} else if i > 0 {
				return fmt.Errorf("element %d of the schema is in none", i)
			}
			if children < 0 || children > int64(n-i-1) {
				return fmt.Errorf("element %d of the schema has %d children, %d elements follow", i, children, n-i-1)
			}
			if open = append(open, children); len(open) > deepest {
				return fmt.Errorf("columns within columns more than %d deep", deepest)
			}
		}
		return nil
	})
}

// fields goes over a struct, and calls field for each of its fields, which takes the value.
func (w *thriftWalk) fields(depth int, field func(id int64, kind byte) error) error {
	if depth > deepest {
		return fmt.Errorf("structs within structs more than %d deep", deepest)
	}
	for id := int64(0); ; {
		head, err := w.byte()
		if err != nil || head == 0 {
			return err
		}
		if delta := int64(head >> 4); delta != 0 {
			id += delta
		} else if id, err = w.zigzag(); err != nil {
			return err
		}
		if err := field(id, head&0x0f); err != nil {
			return err
		}
	}
}

// value goes over the value of a field.
func (w *thriftWalk) value(kind byte, depth int) error {
	switch kind {
	case compactTrue, compactFalse:
		return nil // the type is the value
	case compactByte:
		return w.skip(1)
	case compactI16, compactI32, compactI64:
		_, err := w.varint()
		return err
	case compactDouble:
		return w.skip(8)
	case compactBinary:
		n, err := w.varint()
		if err != nil {
			return err
		}
		return w.skip(n)
	case compactList, compactSet:
		n, of, err := w.list()
		for i := 0; i < n && err == nil; i++ {
			err = w.element(of, depth)
		}
		return err
	case compactMap:
		n, err := w.varint()
		if err != nil || n == 0 {
			return err
		}
		kinds, err := w.byte()
		if err == nil && n > uint64(len(w.data)) {
			err = fmt.Errorf("map of %d, %d bytes follow", n, len(w.data))
		}
		for i := uint64(0); i < n && err == nil; i++ {
			if err = w.element(kinds>>4, depth); err == nil {
				err = w.element(kinds&0x0f, depth)
			}
		}
		return err
	case compactStruct:
		return w.fields(depth+1, func(_ int64, kind byte) error { return w.value(kind, depth+1) })
	}
	return fmt.Errorf("value of type %d", kind)
}

// element goes over a value in a list, where a truth value has a byte. A list in a list is as deep
// as a struct.
func (w *thriftWalk) element(kind byte, depth int) error {
	switch kind {
	case compactTrue, compactFalse:
		return w.skip(1)
	case compactList, compactSet, compactMap:
		if depth++; depth > deepest {
			return fmt.Errorf("lists within lists more than %d deep", deepest)
		}
	}
	return w.value(kind, depth)
}

// list takes the head of a list, each of whose elements has a byte at least.
func (w *thriftWalk) list() (n int, of byte, err error) {
	head, err := w.byte()
	if err != nil {
		return 0, 0, err
	}
	size := uint64(head >> 4)
	if size == 15 {
		if size, err = w.varint(); err != nil {
			return 0, 0, err
		}
	}
	if size > uint64(len(w.data)) {
		return 0, 0, fmt.Errorf("list of %d, %d bytes follow", size, len(w.data))
	}
	return int(size), head & 0x0f, nil
}

func (w *thriftWalk) byte() (byte, error) {
	if len(w.data) == 0 {
		return 0, errThriftEnd
	}
	b := w.data[0]
	w.data = w.data[1:]
	return b, nil
}

func (w *thriftWalk) skip(n uint64) error {
	if n > uint64(len(w.data)) {
		return errThriftEnd
	}
	w.data = w.data[n:]
	return nil
}

func (w *thriftWalk) varint() (uint64, error) {
	v, n := binary.Uvarint(w.data)
	if n <= 0 {
		return 0, errThriftEnd
	}
	w.data = w.data[n:]
	return v, nil
}

// zigzag takes a number with its sign in the lowest bit.
func (w *thriftWalk) zigzag() (int64, error) {
	v, err := w.varint()
	return int64(v>>1) ^ -int64(v&1), err
}
