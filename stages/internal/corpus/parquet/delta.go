package parquet

import (
	"encoding/binary"
	"fmt"
)

// delta is DELTA_BINARY_PACKED: a header (size of blocks, miniblocks in each, number of values,
// first value), then blocks: the least difference, a byte of width for each miniblock, and the
// miniblocks, differences above the least one. Sums wrap round, so that those of 32 bits are the
// low half of those of 64.
type delta struct {
	data   []byte // after the miniblock
	minis  uint64 // miniblocks in a block
	each   uint64 // values in a miniblock
	left   uint64 // values that are still to come
	begun  bool
	value  uint64
	least  uint64
	widths []byte // of the block's miniblocks that are still to come
	mini   []byte
	width  uint
	at, n  uint64 // in the miniblock
}

func newDelta(data []byte) (*delta, error) {
	var head [4]uint64
	for i := range head {
		x, k := binary.Uvarint(data)
		if k <= 0 {
			return nil, errShort
		}
		head[i], data = x, data[k:]
	}
	block, minis := head[0], head[1]
	if block == 0 || minis == 0 || block > 1<<20 || minis > block || block%minis != 0 || (block/minis)%8 != 0 {
		return nil, fmt.Errorf("integers in blocks of %d, of %d miniblocks each", block, minis)
	}
	return &delta{data: data, minis: minis, each: block / minis, left: head[2], value: zigzag(head[3])}, nil
}

func zigzag(v uint64) uint64 { return v>>1 ^ -(v & 1) }

// open goes to the next miniblock.
func (d *delta) open() error {
	if len(d.widths) == 0 {
		v, k := binary.Uvarint(d.data)
		if k <= 0 || d.minis > uint64(len(d.data)-k) {
			return errShort
		}
		d.least = zigzag(v)
		d.widths, d.data = d.data[k:k+int(d.minis)], d.data[k+int(d.minis):]
	}
	d.width, d.widths = uint(d.widths[0]), d.widths[1:]
	if d.width > 64 {
		return fmt.Errorf("integers of %d bits", d.width)
	}
	size := d.each * uint64(d.width) / 8
	if size > uint64(len(d.data)) {
		return errShort
	}
	d.mini, d.data = d.data[:size], d.data[size:]
	d.at, d.n = 0, d.each
	return nil
}

func (d *delta) next() (uint64, error) {
	if d.left == 0 {
		return 0, errShort
	}
	d.left--
	if !d.begun {
		d.begun = true
		return d.value, nil
	}
	if d.at == d.n {
		if err := d.open(); err != nil {
			return 0, err
		}
	}
	d.value += d.least + unpack(d.mini, d.at*uint64(d.width), d.width)
	d.at++
	return d.value, nil
}

// rest is what follows the last value. It goes from miniblock to miniblock, each of which lies in a
// block that has bytes.
func (d delta) rest() ([]byte, error) {
	for left := d.left; left > 1; left -= min(left-1, d.each) {
		if err := d.open(); err != nil {
			return nil, err
		}
	}
	return d.data, nil
}

// integers are the values of a delta, four or eight bytes each.
type integers struct {
	*delta
	size int
	out  [8]byte
}

func (n *integers) next() ([]byte, error) {
	v, err := n.delta.next()
	binary.LittleEndian.PutUint64(n.out[:], v)
	return n.out[:n.size], err
}

// pieces is DELTA_LENGTH_BYTE_ARRAY: the lengths of all values as a delta, then their bytes.
type pieces struct {
	lengths *delta
	data    []byte
}

func newPieces(data []byte) (*pieces, error) {
	lengths, err := newDelta(data)
	if err != nil {
		return nil, err
	}
	rest, err := lengths.rest()
	return &pieces{lengths: lengths, data: rest}, err
}

func (p *pieces) next() ([]byte, error) {
	n, err := p.lengths.next()
	if err != nil {
		return nil, err
	}
	if n > uint64(len(p.data)) {
		return nil, errShort
	}
	v := p.data[:n:n]
	p.data = p.data[n:]
	return v, nil
}

// prefixed is DELTA_BYTE_ARRAY: how many bytes each value shares with the one before, as a delta,
// then the remainders as pieces.
type prefixed struct {
	shared *delta
	tails  *pieces
	last   []byte
	size   int // of every value; 0: any
}

func newPrefixed(data []byte, size int) (*prefixed, error) {
	shared, err := newDelta(data)
	if err != nil {
		return nil, err
	}
	rest, err := shared.rest()
	if err != nil {
		return nil, err
	}
	tails, err := newPieces(rest)
	return &prefixed{shared: shared, tails: tails, size: size}, err
}

func (p *prefixed) next() ([]byte, error) {
	n, err := p.shared.next()
	if err != nil {
		return nil, err
	}
	if n > uint64(len(p.last)) {
		return nil, fmt.Errorf("a value shares %d bytes with one of %d", n, len(p.last))
	}
	tail, err := p.tails.next()
	if err != nil {
		return nil, err
	}
	p.last = append(p.last[:n], tail...)
	if p.size > 0 && len(p.last) != p.size {
		return nil, fmt.Errorf("a value of %d bytes, want %d", len(p.last), p.size)
	}
	return p.last, nil
}
