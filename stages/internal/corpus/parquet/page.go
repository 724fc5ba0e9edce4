package parquet

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"
)

// Types of pages (PageType of parquet.thrift).
const (
	pageData       = 0
	pageIndex      = 1
	pageDictionary = 2
	pageDataV2     = 3
)

// mostPage bounds a page. Writers begin a new one after a megabyte or so; a single long text makes
// a longer one.
const mostPage = 1 << 29

// mostHeader bounds a page's header, which may hold the least and the greatest value of the page.
const mostHeader = 16 << 20

// pageHeader is what a page says of itself (PageHeader of parquet.thrift).
type pageHeader struct {
	kind, unpacked, packed, crc int64
	values, encoding            int64
	defEncoding, repEncoding    int64 // version 1
	defBytes, repBytes          int64 // version 2
	compressed                  bool  // version 2: the values are
	described                   bool  // there is a header for this type of page
	checked                     bool  // there is a checksum
}

func readPageHeader(c *compact) (pageHeader, error) {
	h := pageHeader{kind: -1, unpacked: -1, packed: -1, crc: -1 << 40, values: -1, encoding: -1, compressed: true}
	described := map[int64]bool{}
	in := func(kind int64, slots map[int64]slot) slot {
		return func(depth int) error { described[kind] = true; return c.into(depth, slots) }
	}
	err := c.into(1, map[int64]slot{
		1: &h.kind, 2: &h.unpacked, 3: &h.packed, 4: &h.crc,
		5: in(pageData, map[int64]slot{1: &h.values, 2: &h.encoding, 3: &h.defEncoding, 4: &h.repEncoding}),
		7: in(pageDictionary, map[int64]slot{1: &h.values, 2: &h.encoding}),
		8: in(pageDataV2, map[int64]slot{1: &h.values, 4: &h.encoding, 5: &h.defBytes, 6: &h.repBytes, 7: &h.compressed}),
	})
	h.described, h.checked = described[h.kind], h.crc != -1<<40
	if err == nil && (h.packed < 0 || h.unpacked < 0) {
		err = fmt.Errorf("a page of %d bytes, %d unpacked", h.packed, h.unpacked)
	}
	return h, err
}

// A chunk reads the pages of a column chunk, one at a time.
type chunk struct {
	r         io.ReaderAt
	at, end   int64 // offsets in the file
	node      *node
	codec     *codec
	left      int64 // entries of pages to come
	pages     int   // read
	head      []byte
	packed    []byte
	room      []byte // the last page, unpacked
	words     *dictionary
	def, rep  hybrid
	values    decoder
	inPage    int64 // entries of the page that are still to come
	trueLevel uint32
}

// openChunk begins to read a column chunk.
func (f *File) openChunk(n *node, m chunkMeta, rows int64, codecs *codecs) (*chunk, error) {
	switch {
	case m.encrypted:
		return nil, errors.New("the column is encrypted: decrypt it first")
	case m.elsewhere != "":
		return nil, fmt.Errorf("the values lie in another file, %q: write the table into one file", m.elsewhere)
	case m.physical != n.physical:
		return nil, fmt.Errorf("of type %s, the schema says %s", nameOf(physicalNames, m.physical), nameOf(physicalNames, n.physical))
	case m.values < rows:
		return nil, fmt.Errorf("%d values, the row group has %d rows", m.values, rows)
	}
	at := m.data
	if m.dictionary > 0 && m.dictionary < at {
		at = m.dictionary
	}
	// Sizes of chunks are wrong by a header in files of old writers, so that a chunk is bounded by
	// its number of values, and by the footer.
	if m.values > 0 && (at < int64(len(magic)) || at >= f.end) {
		return nil, fmt.Errorf("the column begins at byte %d, the data of the file end at %d", at, f.end)
	}
	codec, err := codecs.get(m.codec)
	if err != nil {
		return nil, err
	}
	return &chunk{r: f.r, at: at, end: f.end, node: n, codec: codec, left: m.values, trueLevel: uint32(n.def)}, nil
}

// page goes to the next data page, and says whether there was one.
func (c *chunk) page() (bool, error) {
	for c.left > 0 {
		begin := c.at
		c.pages++
		found, err := c.read()
		if err != nil {
			return false, fmt.Errorf("page %d at byte %d of the file: %w", c.pages, begin, err)
		}
		if found && c.inPage > 0 {
			return true, nil
		}
	}
	return false, nil
}

// read reads a page. It returns whether the page has values.
func (c *chunk) read() (bool, error) {
	h, err := c.header()
	if err != nil {
		return false, err
	}
	if h.packed > c.end-c.at {
		return false, fmt.Errorf("%d bytes, the data of the file end after %d", h.packed, c.end-c.at)
	}
	if h.packed > mostPage || h.unpacked > mostPage {
		return false, fmt.Errorf("%d bytes, at most %d are read: write the table with smaller pages", max(h.packed, h.unpacked), mostPage)
	}
	if h.kind == pageIndex {
		c.at += h.packed
		return false, nil
	}
	if h.kind != pageData && h.kind != pageDataV2 && h.kind != pageDictionary || !h.described {
		return false, fmt.Errorf("a page of type %d, or a header without what it says of one", h.kind)
	}
	if int64(cap(c.packed)) < h.packed {
		c.packed = make([]byte, h.packed)
	}
	body := c.packed[:h.packed]
	if n, err := c.r.ReadAt(body, c.at); n < len(body) {
		return false, fmt.Errorf("read: %w", err)
	}
	c.at += h.packed
	if h.checked {
		if sum := crc32.ChecksumIEEE(body); sum != uint32(h.crc) {
			return false, fmt.Errorf("checksum %08x, want %08x: the file is damaged", sum, uint32(h.crc))
		}
	}
	if h.kind == pageDictionary {
		return false, c.readDictionary(h, body)
	}
	if h.values < 0 || h.values > c.left {
		return false, fmt.Errorf("%d values, %d are left of the column's", h.values, c.left)
	}
	c.left -= h.values
	c.inPage = h.values
	if h.kind == pageData {
		err = c.first(h, body)
	} else {
		err = c.second(h, body)
	}
	return true, err
}

// header reads a page's header, of which only the page itself knows how long it is.
func (c *chunk) header() (h pageHeader, err error) {
	for want := int64(512); ; want *= 8 {
		want = min(want, c.end-c.at, mostHeader)
		if int64(cap(c.head)) < want {
			c.head = make([]byte, want)
		}
		head := c.head[:want]
		if n, err := c.r.ReadAt(head, c.at); n < len(head) {
			return h, fmt.Errorf("read: %w", err)
		}
		in := newCompact(head)
		if h, err = readPageHeader(in); err == nil {
			c.at += int64(in.used())
			return h, nil
		}
		if want == c.end-c.at || want == mostHeader {
			return h, fmt.Errorf("header, byte %d: %w", in.used(), err)
		}
	}
}

func (c *chunk) readDictionary(h pageHeader, body []byte) error {
	if c.words != nil {
		return errors.New("a second dictionary")
	}
	if h.encoding != encodingPlain && h.encoding != encodingPlainDictionary {
		return fmt.Errorf("a dictionary of encoding %s, want PLAIN", encodingName(h.encoding))
	}
	data, err := c.codec.decompress(nil, body, int(h.unpacked))
	if err != nil {
		return err
	}
	if c.codec.id == codecNone {
		c.packed = nil // the dictionary stays
	}
	c.words, err = newDictionary(data, c.node.physical, c.node.typ.size, h.values)
	return err
}

// first opens a page of version 1: all of it is compressed, each kind of levels has its length
// before it.
func (c *chunk) first(h pageHeader, body []byte) error {
	data, err := c.codec.decompress(c.room, body, int(h.unpacked))
	if err != nil {
		return err
	}
	if c.codec.id != codecNone {
		c.room = data
	}
	for _, l := range []struct {
		most     int
		encoding int64
		to       *hybrid
	}{{c.node.rep, h.repEncoding, &c.rep}, {c.node.def, h.defEncoding, &c.def}} {
		if l.most == 0 {
			continue
		}
		if l.encoding != encodingRLE {
			return fmt.Errorf("levels of encoding %s, want RLE", encodingName(l.encoding))
		}
		if *l.to, data, err = cutRuns(data, levelWidth(l.most)); err != nil {
			return fmt.Errorf("levels: %w", err)
		}
	}
	return c.open(h, data)
}

// second opens a page of version 2: the header has the lengths of the levels, which are not
// compressed.
func (c *chunk) second(h pageHeader, body []byte) error {
	if h.repBytes < 0 || h.defBytes < 0 || h.repBytes > int64(len(body)) || h.defBytes > int64(len(body))-h.repBytes || h.repBytes+h.defBytes > h.unpacked {
		return fmt.Errorf("levels of %d and %d bytes in a page of %d", h.repBytes, h.defBytes, len(body))
	}
	levels := h.repBytes + h.defBytes
	c.rep = hybrid{data: body[:h.repBytes], width: levelWidth(c.node.rep)}
	c.def = hybrid{data: body[h.repBytes:levels], width: levelWidth(c.node.def)}
	data := body[levels:]
	if size := h.unpacked - levels; h.compressed && c.codec.id != codecNone && (size > 0 || len(data) > 0) {
		unpacked, err := c.codec.decompress(c.room, data, int(size))
		if err != nil {
			return err
		}
		c.room, data = unpacked, unpacked
	} else if int64(len(data)) != size {
		return fmt.Errorf("%d bytes of values, the page's header says %d", len(data), size)
	}
	return c.open(h, data)
}

func levelWidth(most int) uint { return uint(bits.Len(uint(most))) }

// open makes the decoder of the page's values. How many there are is in the levels; without any, it
// is the number of entries.
func (c *chunk) open(h pageHeader, data []byte) (err error) {
	n := h.values
	if h.encoding == encodingSplit && c.node.def > 0 {
		n = int64(len(data) / max(1, c.node.typ.size))
	}
	c.values, err = newDecoder(h.encoding, c.node.physical, c.node.typ.size, data, n, c.words)
	return err
}

// entry reads the next entry of the chunk. present says whether it has a value, which is good until
// the next entry; more is false behind the last entry.
func (c *chunk) entry() (def, rep uint32, value []byte, more bool, err error) {
	if c.inPage == 0 {
		if more, err := c.page(); err != nil || !more {
			return 0, 0, nil, false, err
		}
	}
	c.inPage--
	if c.node.rep > 0 {
		if rep, err = c.rep.next(); err != nil {
			return 0, 0, nil, false, fmt.Errorf("page %d: levels: %w", c.pages, err)
		}
	}
	if c.node.def > 0 {
		if def, err = c.def.next(); err != nil {
			return 0, 0, nil, false, fmt.Errorf("page %d: levels: %w", c.pages, err)
		}
	}
	if def > c.trueLevel || rep > uint32(c.node.rep) {
		return 0, 0, nil, false, fmt.Errorf("page %d: levels %d and %d of at most %d and %d", c.pages, def, rep, c.node.def, c.node.rep)
	}
	if def == c.trueLevel {
		if value, err = c.values.next(); err != nil {
			return 0, 0, nil, false, fmt.Errorf("page %d: %w", c.pages, err)
		}
	}
	return def, rep, value, true, nil
}
