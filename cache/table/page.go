package table

import (
	"encoding/binary"
	"errors"
)

// Encodings of Parquet data pages as the format's Encodings.md describes them: PLAIN values, and
// levels as runs ("RLE / bit-packing hybrid") of one bit, all that a list without nulls needs.

var errShortPage = errors.New("page ends inside a value")

// plain reads PLAIN values.
type plain struct {
	data []byte
	bits int // booleans read from data[0]
}

func (p *plain) fixed(n int) ([]byte, error) {
	if len(p.data) < n {
		return nil, errShortPage
	}
	b := p.data[:n]
	p.data = p.data[n:]
	return b, nil
}

func (p *plain) byteArray() ([]byte, error) {
	head, err := p.fixed(4)
	if err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(head)
	if uint64(n) > uint64(len(p.data)) {
		return nil, errShortPage
	}
	return p.fixed(int(n))
}

// bit reads a boolean: eight of them in a byte, lowest bit first.
func (p *plain) bit() (bool, error) {
	if len(p.data) == 0 {
		return false, errShortPage
	}
	v := p.data[0]>>p.bits&1 == 1
	if p.bits++; p.bits == 8 {
		p.data, p.bits = p.data[1:], 0
	}
	return v, nil
}

// levels reads levels of one bit. A run begins with a varint h: if h is even, h/2 times the value
// of the byte that follows; if odd, h/2 bytes of eight levels, lowest bit first.
type levels struct {
	data   []byte
	repeat uint64
	value  byte
	packed plain
	left   uint64 // of packed
}

// cutLevels takes levels, with their length before them, off a page.
func cutLevels(data []byte) (levels, []byte, error) {
	p := plain{data: data}
	l, err := p.byteArray()
	return levels{data: l}, p.data, err
}

// next returns the next level, or false where there is none.
func (l *levels) next() (byte, bool) {
	for {
		if l.repeat > 0 {
			l.repeat--
			return l.value, true
		}
		if l.left > 0 {
			l.left--
			v, err := l.packed.bit()
			if v {
				return 1, err == nil
			}
			return 0, err == nil
		}
		h, n := binary.Uvarint(l.data)
		if n <= 0 {
			return 0, false
		}
		l.data = l.data[n:]
		if h&1 == 0 {
			if len(l.data) == 0 {
				return 0, false
			}
			l.repeat, l.value, l.data = h>>1, l.data[0], l.data[1:]
			if l.value > 1 {
				return 0, false
			}
			continue
		}
		size := min(h>>1, uint64(len(l.data)))
		l.packed, l.left, l.data = plain{data: l.data[:size]}, 8*size, l.data[size:]
	}
}
