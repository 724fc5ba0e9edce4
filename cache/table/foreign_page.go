package table

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// checkedPages hands on the pages of a column chunk that hold what their headers say. Arrow v17's column readers go round for ever on pages
// with fewer levels than that, and on packed integers that are fewer than they should be.
type checkedPages struct {
	file.PageReader
	column *schema.Column
	left   int64 // values of the page that are not read
	err    error
}

func (p *checkedPages) Err() error {
	if p.err != nil {
		return p.err
	}
	return p.PageReader.Err()
}

func (p *checkedPages) Next() bool {
	for p.err == nil && p.PageReader.Next() {
		page := p.Page()
		switch page := page.(type) {
		case *file.DictionaryPage:
			return true
		case *file.DataPageV1:
			p.err = p.first(page)
		case *file.DataPageV2:
			p.err = p.second(page)
		default:
			p.err = fmt.Errorf("page of type %v", page.Type())
		}
		if p.left = int64(page.NumValues()); p.err == nil && p.left > 0 { // Arrow takes an empty page for the end
			return true
		}
	}
	return false
}

var errFewLevels = errors.New("page has fewer levels than its header says")

// first checks a page of version 1: each kind of levels with its length before it, then values.
func (p *checkedPages) first(page *file.DataPageV1) error {
	data, n := page.Data(), int64(page.NumValues())
	for _, l := range []struct {
		most     int16
		encoding parquet.Encoding
	}{{p.column.MaxRepetitionLevel(), page.RepetitionLevelEncoding()}, {p.column.MaxDefinitionLevel(), page.DefinitionLevelEncoding()}} {
		width := bits.Len16(uint16(l.most))
		if width == 0 {
			continue
		}
		if l.encoding == parquet.Encodings.BitPacked {
			size := (n*int64(width) + 7) / 8
			if size > int64(len(data)) {
				return errFewLevels
			}
			data = data[size:]
			continue
		}
		in := plain{data: data}
		levels, err := in.byteArray()
		if err != nil {
			return fmt.Errorf("levels: %w", err)
		}
		if !hasLevels(levels, width, n) {
			return errFewLevels
		}
		data = in.data
	}
	return p.values(page, data)
}

// second checks a page of version 2: the lengths of the levels are in the header.
func (p *checkedPages) second(page *file.DataPageV2) error {
	data, n := page.Data(), int64(page.NumValues())
	for _, l := range []struct {
		most int16
		size int32
	}{{p.column.MaxRepetitionLevel(), page.RepetitionLevelByteLen()}, {p.column.MaxDefinitionLevel(), page.DefinitionLevelByteLen()}} {
		if l.size < 0 || int(l.size) > len(data) {
			return errFewLevels
		}
		if width := bits.Len16(uint16(l.most)); width > 0 && !hasLevels(data[:l.size], width, n) {
			return errFewLevels
		}
		data = data[l.size:]
	}
	return p.values(page, data)
}

// hasLevels says whether runs ("RLE / bit-packing hybrid" in Parquet's Encodings.md) of numbers of so many bits hold n of them.
func hasLevels(data []byte, width int, n int64) bool {
	for n > 0 {
		h, k := binary.Uvarint(data)
		if k <= 0 || h > 1<<40 {
			return false
		}
		data = data[k:]
		run, size := int64(h>>1), int64(width+7)/8
		if h&1 == 1 {
			size = run * int64(width)
			run *= 8
			if have := int64(len(data)); size > have { // the last run may be cut off where no level is
				size, run = have, 8*have/int64(width)
			}
		}
		if size > int64(len(data)) {
			return false
		}
		data = data[size:]
		if n -= run; len(data) == 0 && n > 0 {
			return false
		}
	}
	return true
}

// values checks the number that packed integers bear before them: Parquet's DELTA encodings begin with the size of blocks, the number of
// miniblocks in them and the number of values, which must be as many as the page may have.
func (p *checkedPages) values(page file.Page, data []byte) error {
	switch parquet.Encoding(page.Encoding()) {
	case parquet.Encodings.DeltaBinaryPacked, parquet.Encodings.DeltaLengthByteArray, parquet.Encodings.DeltaByteArray:
	default:
		return nil
	}
	var head [3]uint64
	for i := range head {
		x, k := binary.Uvarint(data)
		if k <= 0 {
			return errShortPage
		}
		head[i], data = x, data[k:]
	}
	if block, mini := head[0], head[1]; block == 0 || mini == 0 || block > 1<<20 || mini > block || block%mini != 0 || (block/mini)%8 != 0 {
		return fmt.Errorf("packed integers in blocks of %d, each of %d", block, mini)
	}
	n := uint64(page.NumValues())
	if p.column.MaxDefinitionLevel() == 0 && head[2] != n || head[2] > n {
		return fmt.Errorf("page of %d values has %d packed integers", n, head[2])
	}
	return nil
}
