package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The encodings of values (Encodings.md of Parquet). Whatever the encoding, a decoder hands out one
// value after the other as PLAIN has it: numbers little-endian, of a truth value one byte, of bytes
// the bytes themselves. It keeps no more memory than the page and one value, so that a page of few
// bytes cannot ask for many. A value is good until the next one.
type decoder interface {
	next() ([]byte, error)
}

// Encodings (Encoding of parquet.thrift).
const (
	encodingPlain           = 0
	encodingPlainDictionary = 2
	encodingRLE             = 3
	encodingBitPacked       = 4
	encodingDelta           = 5
	encodingDeltaLength     = 6
	encodingDeltaBytes      = 7
	encodingDictionary      = 8
	encodingSplit           = 9
)

var encodingNames = []string{"PLAIN", "GROUP_VAR_INT", "PLAIN_DICTIONARY", "RLE", "BIT_PACKED", "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY", "RLE_DICTIONARY", "BYTE_STREAM_SPLIT"}

func encodingName(e int64) string { return nameOf(encodingNames, e) }

func nameOf(names []string, n int64) string {
	if n >= 0 && n < int64(len(names)) {
		return names[n]
	}
	return fmt.Sprintf("number %d", n)
}

var errShort = errors.New("the page ends before its last value")

// newDecoder is the decoder for a page's n values.
func newDecoder(encoding int64, physical int64, size int, data []byte, n int64, d *dictionary) (decoder, error) {
	switch {
	case encoding == encodingPlain && physical == physicalBoolean:
		return &bools{bits: hybrid{packed: data, width: 1, left: 8 * uint64(len(data))}}, nil
	case encoding == encodingPlain:
		return &plain{data: data, size: size}, nil
	case encoding == encodingPlainDictionary || encoding == encodingDictionary:
		if d == nil {
			return nil, errors.New("the page has places in a dictionary, and there is none before it")
		}
		if len(data) == 0 {
			return &places{dictionary: d}, nil
		}
		if data[0] > 32 {
			return nil, fmt.Errorf("places in a dictionary of %d bits", data[0])
		}
		return &places{dictionary: d, at: hybrid{data: data[1:], width: uint(data[0])}}, nil
	case encoding == encodingRLE && physical == physicalBoolean:
		runs, _, err := cutRuns(data, 1)
		return &bools{bits: runs}, err
	case encoding == encodingDelta && (physical == physicalInt32 || physical == physicalInt64):
		d, err := newDelta(data)
		return &integers{delta: d, size: size}, err
	case encoding == encodingDeltaLength && physical == physicalBytes:
		return newPieces(data)
	case encoding == encodingDeltaBytes && (physical == physicalBytes || physical == physicalFixed):
		return newPrefixed(data, size)
	case encoding == encodingSplit && size > 0:
		if int64(len(data)) != n*int64(size) {
			return nil, fmt.Errorf("%d bytes, want %d for %d values", len(data), n*int64(size), n)
		}
		return &split{data: data, n: int(n), value: make([]byte, size)}, nil
	case encoding < 0 || encoding == 1 || encoding == encodingBitPacked || encoding >= int64(len(encodingNames)):
		return nil, fmt.Errorf("values of encoding %s: want PLAIN, a dictionary's, RLE, BYTE_STREAM_SPLIT or one of the DELTA encodings", encodingName(encoding))
	}
	return nil, fmt.Errorf("values of type %s cannot be of encoding %s", nameOf(physicalNames, physical), encodingName(encoding))
}

// plain: values of a size one after the other, or with their length in four bytes before each.
type plain struct {
	data []byte
	size int
}

func (p *plain) next() ([]byte, error) {
	n := uint64(p.size)
	if n == 0 {
		if len(p.data) < 4 {
			return nil, errShort
		}
		n = uint64(binary.LittleEndian.Uint32(p.data))
		p.data = p.data[4:]
	}
	if n > uint64(len(p.data)) {
		return nil, errShort
	}
	v := p.data[:n:n]
	p.data = p.data[n:]
	return v, nil
}

// A dictionary is a page of PLAIN values, and where each begins.
type dictionary struct {
	data  []byte
	ends  []uint32 // with lengths before each value; else nil
	size  int
	count int64
}

func newDictionary(data []byte, physical int64, size int, n int64) (*dictionary, error) {
	if physical == physicalBoolean {
		return nil, errors.New("a dictionary of truth values")
	}
	d := &dictionary{data: data, size: size, count: n}
	if size > 0 {
		if n < 0 || n > int64(len(data)/size) {
			return nil, fmt.Errorf("a dictionary of %d values in %d bytes", n, len(data))
		}
		return d, nil
	}
	if n < 0 || n > int64(len(data)/4) {
		return nil, fmt.Errorf("a dictionary of %d values in %d bytes", n, len(data))
	}
	in := plain{data: data}
	d.ends = make([]uint32, n)
	for i := range d.ends {
		if _, err := in.next(); err != nil {
			return nil, fmt.Errorf("dictionary: %w", err)
		}
		d.ends[i] = uint32(len(data) - len(in.data))
	}
	return d, nil
}

// value is entry i, of those there are.
func (d *dictionary) value(i int64) []byte {
	if d.ends == nil {
		return d.data[i*int64(d.size) : (i+1)*int64(d.size)]
	}
	begin := uint32(4)
	if i > 0 {
		begin += d.ends[i-1]
	}
	return d.data[begin:d.ends[i]:d.ends[i]]
}

// places in a dictionary, a hybrid.
type places struct {
	*dictionary
	at hybrid
}

func (p *places) next() ([]byte, error) {
	i, err := p.at.next()
	if err != nil {
		return nil, err
	}
	if int64(i) >= p.count {
		return nil, fmt.Errorf("place %d in a dictionary of %d", i, p.count)
	}
	return p.value(int64(i)), nil
}

// hybrid is a run-length encoding of small numbers ("RLE / bit-packing hybrid"). A run begins with
// a varint h: if h is even, h/2 times the number in the bytes that follow; if odd, h/2 times eight
// numbers of width bits each, lowest bit first.
type hybrid struct {
	data   []byte // after the run
	width  uint   // at most 32
	left   uint64 // numbers of the run that are still to come
	value  uint32
	packed []byte // nil: the run repeats value
	bit    uint64 // in packed
}

func (h *hybrid) next() (uint32, error) {
	for h.left == 0 {
		if err := h.begin(); err != nil {
			return 0, err
		}
	}
	h.left--
	if h.packed == nil {
		return h.value, nil
	}
	v := unpack(h.packed, h.bit, h.width)
	h.bit += uint64(h.width)
	return uint32(v), nil
}

func (h *hybrid) begin() error {
	head, n := binary.Uvarint(h.data)
	if n <= 0 || head > 1<<33 {
		return errShort
	}
	h.data = h.data[n:]
	h.packed, h.bit, h.left = nil, 0, head>>1
	size := uint64(h.width+7) / 8
	if head&1 == 1 {
		size = h.left * uint64(h.width)
		h.left *= 8
		if have := uint64(len(h.data)); size > have { // the last run may be cut off where no number is
			size, h.left = have, 8*have/uint64(h.width)
		}
	}
	if size > uint64(len(h.data)) {
		return errShort
	}
	run := h.data[:size]
	h.data = h.data[size:]
	if head&1 == 1 && h.width > 0 {
		h.packed = run
		return nil
	}
	h.value = 0
	for i, b := range run {
		h.value |= uint32(b) << (8 * i)
	}
	return nil
}

// cutRuns takes runs, with their length in four bytes before them, off a page.
func cutRuns(data []byte, width uint) (hybrid, []byte, error) {
	in := plain{data: data}
	runs, err := in.next()
	return hybrid{data: runs, width: width}, in.data, err
}

// unpack is the number of width bits, at most 64, at a bit of data. Bits behind the end of data
// are 0.
func unpack(data []byte, bit uint64, width uint) uint64 {
	at, shift := bit/8, uint(bit%8)
	var v uint64
	if at+8 <= uint64(len(data)) {
		v = binary.LittleEndian.Uint64(data[at:]) >> shift
	} else {
		var word [8]byte
		copy(word[:], data[min(at, uint64(len(data))):])
		v = binary.LittleEndian.Uint64(word[:]) >> shift
	}
	if shift > 0 && shift+width > 64 && at+8 < uint64(len(data)) {
		v |= uint64(data[at+8]) << (64 - shift)
	}
	if width < 64 {
		v &= 1<<width - 1
	}
	return v
}

// bools are truth values, as one-bit numbers.
type bools struct {
	bits hybrid
	out  [1]byte
}

func (b *bools) next() ([]byte, error) {
	v, err := b.bits.next()
	b.out[0] = byte(v)
	return b.out[:], err
}

// split is BYTE_STREAM_SPLIT: the first bytes of all values, then the second ones, and so on.
type split struct {
	data  []byte
	n, at int
	value []byte
}

func (s *split) next() ([]byte, error) {
	if s.at == s.n {
		return nil, errShort
	}
	for i := range s.value {
		s.value[i] = s.data[i*s.n+s.at]
	}
	s.at++
	return s.value, nil
}
