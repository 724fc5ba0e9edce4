package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The metadata of a Parquet file are structs of Thrift's compact protocol
// (thrift-compact-protocol.md of Apache Thrift). A compact reads them without trusting a length
// that they state: a list has at most as many elements as bytes follow.
type compact struct {
	data []byte // what is left
	all  int    // bytes there were
}

func newCompact(data []byte) *compact { return &compact{data: data, all: len(data)} }

// deepest bounds structs within structs. FileMetaData needs seven, a list in a list in a list nine.
const deepest = 64

// The types of the compact protocol.
const (
	compactTrue, compactFalse, compactByte, compactI16, compactI32, compactI64, compactDouble = 1, 2, 3, 4, 5, 6, 7
	compactBinary, compactList, compactSet, compactMap, compactStruct                         = 8, 9, 10, 11, 12
)

var errThriftEnd = errors.New("it ends inside a value")

// used is how many bytes were read.
func (c *compact) used() int { return c.all - len(c.data) }

// fields reads a struct. It calls field for each of its fields, which reads the value, or returns
// false to have the value passed over.
func (c *compact) fields(depth int, field func(id int64, kind byte) (bool, error)) error {
	if depth > deepest {
		return fmt.Errorf("structs within structs more than %d deep", deepest)
	}
	for id := int64(0); ; {
		head, err := c.byte()
		if err != nil || head == 0 {
			return err
		}
		if delta := int64(head >> 4); delta != 0 {
			id += delta
		} else if id, err = c.integer(); err != nil {
			return err
		}
		kind := head & 0x0f
		read, err := field(id, kind)
		if err == nil && !read {
			err = c.skip(kind, depth)
		}
		if err != nil {
			return err
		}
	}
}

// A slot is where the value of a field belongs: a *int64 for any integer, a *bool, a *string, or a
// func(depth int) error that reads a struct or a list.
type slot any

// into reads a struct whose fields belong into slots by number. Fields without one, or of another
// type than the slot's, are passed over.
func (c *compact) into(depth int, slots map[int64]slot) error {
	return c.fields(depth, func(id int64, kind byte) (bool, error) {
		var err error
		switch to := slots[id].(type) {
		case *int64:
			if kind < compactByte || kind > compactI64 {
				return false, nil
			}
			if kind == compactByte {
				var b byte
				b, err = c.byte()
				*to = int64(int8(b))
			} else {
				*to, err = c.integer()
			}
		case *bool:
			if kind != compactTrue && kind != compactFalse {
				return false, nil
			}
			*to = kind == compactTrue
		case *string:
			if kind != compactBinary {
				return false, nil
			}
			*to, err = c.text()
		case func(int) error:
			if kind != compactStruct && kind != compactList {
				return false, nil
			}
			err = to(depth + 1)
		default:
			return false, nil
		}
		return true, err
	})
}

// skip passes over the value of a field.
func (c *compact) skip(kind byte, depth int) error {
	switch kind {
	case compactTrue, compactFalse:
		return nil // the type is the value
	case compactByte:
		return c.advance(1)
	case compactI16, compactI32, compactI64:
		_, err := c.varint()
		return err
	case compactDouble:
		return c.advance(8)
	case compactBinary:
		n, err := c.varint()
		if err != nil {
			return err
		}
		return c.advance(n)
	case compactList, compactSet:
		n, of, err := c.list()
		for i := 0; i < n && err == nil; i++ {
			err = c.skipElement(of, depth)
		}
		return err
	case compactMap:
		n, err := c.varint()
		if err != nil || n == 0 {
			return err
		}
		kinds, err := c.byte()
		if err == nil && n > uint64(len(c.data)) {
			err = fmt.Errorf("map of %d, %d bytes follow", n, len(c.data))
		}
		for i := uint64(0); i < n && err == nil; i++ {
			if err = c.skipElement(kinds>>4, depth); err == nil {
				err = c.skipElement(kinds&0x0f, depth)
			}
		}
		return err
	case compactStruct:
		return c.fields(depth+1, func(int64, byte) (bool, error) { return false, nil })
	}
	return fmt.Errorf("value of type %d", kind)
}

// skipElement passes over a value in a list, where a truth value has a byte. A list in a list is as
// deep as a struct.
func (c *compact) skipElement(kind byte, depth int) error {
	switch kind {
	case compactTrue, compactFalse:
		return c.advance(1)
	case compactList, compactSet, compactMap:
		if depth++; depth > deepest {
			return fmt.Errorf("lists within lists more than %d deep", deepest)
		}
	}
	return c.skip(kind, depth)
}

// structs reads a list of structs, and calls element for each, which reads one.
func (c *compact) structs(element func() error) error {
	n, of, err := c.list()
	if err != nil {
		return err
	}
	if n > 0 && of != compactStruct {
		return fmt.Errorf("list of elements of type %d, want structs", of)
	}
	for range n {
		if err := element(); err != nil {
			return err
		}
	}
	return nil
}

// list reads the head of a list, each of whose elements has a byte at least.
func (c *compact) list() (n int, of byte, err error) {
	head, err := c.byte()
	if err != nil {
		return 0, 0, err
	}
	size := uint64(head >> 4)
	if size == 15 {
		if size, err = c.varint(); err != nil {
			return 0, 0, err
		}
	}
	if size > uint64(len(c.data)) {
		return 0, 0, fmt.Errorf("list of %d, %d bytes follow", size, len(c.data))
	}
	return int(size), head & 0x0f, nil
}

func (c *compact) text() (string, error) {
	n, err := c.varint()
	if err != nil || n > uint64(len(c.data)) {
		return "", errors.Join(err, errThriftEnd)
	}
	s := string(c.data[:n])
	return s, c.advance(n)
}

func (c *compact) byte() (byte, error) {
	if len(c.data) == 0 {
		return 0, errThriftEnd
	}
	b := c.data[0]
	c.data = c.data[1:]
	return b, nil
}

func (c *compact) advance(n uint64) error {
	if n > uint64(len(c.data)) {
		return errThriftEnd
	}
	c.data = c.data[n:]
	return nil
}

func (c *compact) varint() (uint64, error) {
	v, n := binary.Uvarint(c.data)
	if n == 0 {
		return 0, errThriftEnd
	}
	if n < 0 {
		return 0, errors.New("a number of more than 64 bits")
	}
	c.data = c.data[n:]
	return v, nil
}

// integer reads a number with its sign in the lowest bit.
func (c *compact) integer() (int64, error) {
	v, err := c.varint()
	return int64(v>>1) ^ -int64(v&1), err
}
