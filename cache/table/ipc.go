package table

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"unsafe"

	flatbuffers "github.com/google/flatbuffers/go"
)

// Layout of an Arrow IPC file (Columnar.rst of the Arrow project, "IPC File Format"):
//
//	"ARROW1\0\0", schema message, record batch messages, footer, int32 footer length, "ARROW1"
//	message: 0xffffffff, int32 metadata length, flatbuffer Message, padding to 8, body
//
// Arrow v17 itself copies every buffer it reads, even from memory. Hence this reader of our own,
// for our own schema only. The numbers below are the vtable offsets and enum values of File.fbs,
// Schema.fbs and Message.fbs.
const (
	ipcMagic     = "ARROW1"
	ipcHead      = 8 // magic and padding
	ipcTail      = 4 + len(ipcMagic)
	continuation = 0xffffffff
	blockSize    = 24 // struct Block {offset i64; metaDataLength i32; pad i32; bodyLength i64}
	nodeSize     = 16 // struct FieldNode {length i64; null_count i64}
	bufferSize   = 16 // struct Buffer {offset i64; length i64}

	footerSchema, footerDictionaries, footerBatches        = 6, 8, 10
	messageHeaderType, messageHeader, messageBody          = 6, 8, 10
	batchLength, batchNodes, batchBuffers, batchCompressed = 4, 6, 8, 10
	schemaEndianness, schemaFields, schemaMetadata         = 4, 6, 8
	fieldName, fieldTypeType, fieldType                    = 4, 8, 10
	fieldDictionary, fieldChildren                         = 12, 14
	intWidth, intSigned                                    = 4, 6
	keyValueKey, keyValueValue                             = 4, 6

	typeInt, typeUTF8, typeList = 2, 5, 12
	headerRecordBatch           = 3
)

// tokenLayout is what the schema of a token file leaves open.
type tokenLayout struct {
	vocab int
	width int // bytes of a token: 2 or 4
}

// parseTokens finds the columns of every record batch. All slices in the result are views of data,
// and every offset in them has been checked. The flatbuffers library answers a wild offset with a
// run-time panic of a slice access inside data; this is where it becomes an error.
func parseTokens(data []byte) (layout tokenLayout, batches []batch, err error) {
	defer func() {
		if r := recover(); r != nil {
			batches, err = nil, fmt.Errorf("damaged metadata: %v", r)
		}
	}()
	footer, err := findFooter(data)
	if err != nil {
		return layout, nil, err
	}
	root := rootTable(data[footer : len(data)-ipcTail])
	schema, ok := subTable(root, footerSchema)
	if !ok {
		return layout, nil, fmt.Errorf("footer has no schema")
	}
	if layout, err = parseSchema(schema); err != nil {
		return layout, nil, err
	}
	if _, n := vector(root, footerDictionaries, blockSize); n != 0 {
		return layout, nil, fmt.Errorf("footer has %d dictionaries, want none", n)
	}
	blocks, n := vector(root, footerBatches, blockSize)
	end, tokens, docs := int64(ipcHead), int64(0), 0
	for i := range n {
		block := blocks[i*blockSize:]
		start, meta, body := i64(block), int64(i32(block[8:])), i64(block[16:])
		if start < end || meta < 8 || body < 0 || start > int64(footer)-meta || body > int64(footer)-meta-start || start%8 != 0 || meta%8 != 0 {
			return layout, nil, fmt.Errorf("record batch %d: bytes %d + %d + %d, want between %d and the footer at %d",
				i, start, meta, body, end, footer)
		}
		end = start + meta + body
		b, err := parseBatch(data[start:start+meta], data[start+meta:end:end], layout)
		if err != nil {
			return layout, nil, fmt.Errorf("record batch %d: %w", i, err)
		}
		if b.docs() == 0 {
			continue
		}
		b.first, b.firstDoc = tokens, docs
		tokens, docs = tokens+int64(b.tokens()), docs+b.docs()
		batches = append(batches, b)
	}
	return layout, batches, nil
}

func findFooter(data []byte) (int, error) {
	if len(data) < ipcHead+ipcTail {
		return 0, fmt.Errorf("%d bytes, an Arrow IPC file has at least %d", len(data), ipcHead+ipcTail)
	}
	if !bytes.HasPrefix(data, []byte(ipcMagic)) {
		return 0, fmt.Errorf("begins with %q, want %q: not an Arrow IPC file", data[:len(ipcMagic)], ipcMagic)
	}
	tail := data[len(data)-ipcTail:]
	if string(tail[4:]) != ipcMagic {
		return 0, fmt.Errorf("ends with %q, want %q: not an Arrow IPC file, or cut short", tail[4:], ipcMagic)
	}
	size, room := int64(i32(tail)), int64(len(data)-ipcHead-ipcTail)
	if size < 8 || size > room {
		return 0, fmt.Errorf("footer of %d bytes, want 8 to %d", size, room)
	}
	return len(data) - ipcTail - int(size), nil
}

func parseSchema(schema flatbuffers.Table) (layout tokenLayout, err error) {
	meta := map[string]string{}
	eachTable(schema, schemaMetadata, func(kv flatbuffers.Table) {
		meta[text(kv, keyValueKey)] = text(kv, keyValueValue)
	})
	if meta[keyTable] != tokensKind {
		return layout, fmt.Errorf("metadata %s is %.80q, want %q: not a token file", keyTable, meta[keyTable], tokensKind)
	}
	if meta[keyVersion] != tokensVersion {
		return layout, versionError(meta[keyVersion], tokensVersion)
	}
	layout.vocab, err = strconv.Atoi(meta[keyVocab])
	if err != nil || layout.vocab < 1 || layout.vocab > maxVocab {
		return layout, fmt.Errorf("metadata %s is %.80q, want a number from 1 to %d", keyVocab, meta[keyVocab], maxVocab)
	}
	layout.width = 2
	if layout.vocab > narrowVocab {
		layout.width = 4
	}
	if e := schema.GetInt16Slot(schemaEndianness, 0); e != 0 {
		return layout, fmt.Errorf("big-endian file, want little-endian")
	}
	want := []string{"id utf8", fmt.Sprintf("tokens list<uint%d>", 8*layout.width), "bytes int64", "chars int64", "words int64"}
	var have []string
	eachTable(schema, schemaFields, func(f flatbuffers.Table) {
		have = append(have, text(f, fieldName)+" "+typeName(f))
	})
	if len(have) != len(want) {
		return layout, fmt.Errorf("%d columns, want %d: %q", len(have), len(want), want)
	}
	for i := range want {
		if have[i] != want[i] {
			return layout, fmt.Errorf("column %d is %.80q, want %q", i, have[i], want[i])
		}
	}
	return layout, nil
}

// typeName writes a field's type as the package comment does; a type we never write gives its
// number.
func typeName(f flatbuffers.Table) string {
	if _, ok := subTable(f, fieldDictionary); ok {
		return "dictionary"
	}
	kind := f.GetByteSlot(fieldTypeType, 0)
	switch kind {
	case typeUTF8:
		return "utf8"
	case typeList:
		var element []string
		eachTable(f, fieldChildren, func(c flatbuffers.Table) {
			// The depth is bounded: a list of lists is none of ours.
			if c.GetByteSlot(fieldTypeType, 0) != typeList {
				element = append(element, typeName(c))
			}
		})
		if len(element) == 1 {
			return "list<" + element[0] + ">"
		}
	case typeInt:
		if t, ok := subTable(f, fieldType); ok {
			sign := "uint"
			if t.GetBoolSlot(intSigned, false) {
				sign = "int"
			}
			return fmt.Sprintf("%s%d", sign, t.GetInt32Slot(intWidth, 0))
		}
	}
	return fmt.Sprintf("type %d", kind)
}

// parseBatch reads one record batch message. The field nodes are, depth first, id, tokens, its
// items, bytes, chars, words; the buffers are for each a validity bitmap (unused: no nulls), then
// offsets and data where it has them.
func parseBatch(meta, body []byte, layout tokenLayout) (b batch, err error) {
	if got := binary.LittleEndian.Uint32(meta); got != continuation {
		return b, fmt.Errorf("message begins with %#x, want %#x", got, uint32(continuation))
	}
	size := int64(i32(meta[4:]))
	if size < 8 || size > int64(len(meta)-8) {
		return b, fmt.Errorf("metadata of %d bytes, want 8 to %d", size, len(meta)-8)
	}
	message := rootTable(meta[8 : 8+size])
	if kind := message.GetByteSlot(messageHeaderType, 0); kind != headerRecordBatch {
		return b, fmt.Errorf("message of kind %d, want %d", kind, headerRecordBatch)
	}
	if n := message.GetInt64Slot(messageBody, 0); n != int64(len(body)) {
		return b, fmt.Errorf("message says body of %d bytes, footer says %d", n, len(body))
	}
	header, ok := subTable(message, messageHeader)
	if !ok {
		return b, fmt.Errorf("message has no header")
	}
	if _, ok := subTable(header, batchCompressed); ok {
		return b, fmt.Errorf("compressed, want uncompressed")
	}
	nodes, n := vector(header, batchNodes, nodeSize)
	buffers, m := vector(header, batchBuffers, bufferSize)
	if n != 6 || m != 13 {
		return b, fmt.Errorf("%d field nodes and %d buffers, want 6 and 13", n, m)
	}
	rows := header.GetInt64Slot(batchLength, 0)
	items := i64(nodes[2*nodeSize:])
	// Every row needs bytes of the body, so neither number can be near an overflow below.
	if rows < 0 || rows > int64(len(body)) || items < 0 || items > int64(len(body)) {
		return b, fmt.Errorf("%d rows, %d tokens in %d bytes", rows, items, len(body))
	}
	for i := range n {
		length, nulls := i64(nodes[i*nodeSize:]), i64(nodes[i*nodeSize+8:])
		if want := rows; nulls != 0 || length != want && i != 2 {
			return b, fmt.Errorf("field node %d: %d values, %d nulls, want %d and 0", i, length, nulls, want)
		}
	}
	if rows == 0 {
		return batch{}, nil
	}
	in := bufferReader{body: body, buffers: buffers}
	b.idEnds = view[int32](in.take(1, rows+1, 4))
	b.tokenEnds = view[int32](in.take(4, rows+1, 4))
	if layout.width == 2 {
		b.narrow = view[uint16](in.take(6, items, 2))
	} else {
		b.wide = view[uint32](in.take(6, items, 4))
	}
	b.bytes = view[int64](in.take(8, rows, 8))
	b.chars = view[int64](in.take(10, rows, 8))
	b.words = view[int64](in.take(12, rows, 8))
	if in.err != nil {
		return batch{}, in.err
	}
	if err := checkEnds("id", b.idEnds); err != nil {
		return batch{}, err
	}
	if err := checkEnds("tokens", b.tokenEnds); err != nil {
		return batch{}, err
	}
	if last := int64(b.tokenEnds[rows]); last != items {
		return batch{}, fmt.Errorf("offsets of tokens end at %d, want %d", last, items)
	}
	b.ids = in.take(2, int64(b.idEnds[rows]), 1)
	return b, in.err
}

// checkEnds makes sure that offsets begin at 0 and never fall, so that every document is a slice
// inside the buffer.
func checkEnds(name string, ends []int32) error {
	if ends[0] != 0 {
		return fmt.Errorf("offsets of %s begin at %d, want 0", name, ends[0])
	}
	for i, end := range ends[1:] {
		if end < ends[i] {
			return fmt.Errorf("offsets of %s: row %d ends at %d, before it begins at %d", name, i, end, ends[i])
		}
	}
	return nil
}

// bufferReader cuts buffers out of the body of a message and remembers the first that does not fit.
type bufferReader struct {
	body, buffers []byte
	err           error
}

// take returns the first n values of width bytes of buffer i.
func (r *bufferReader) take(i int, n, width int64) []byte {
	if r.err != nil {
		return nil
	}
	start, length := i64(r.buffers[i*bufferSize:]), i64(r.buffers[i*bufferSize+8:])
	need, room := n*width, int64(len(r.body))
	if start < 0 || start%8 != 0 || length < need || start > room || length > room-start {
		r.err = fmt.Errorf("buffer %d: %d bytes at %d, want %d inside a body of %d", i, length, start, need, room)
		return nil
	}
	return r.body[start : start+need : start+need]
}

// view reads memory as numbers. Buffers lie at multiples of 8 of a mapping (checked by take and
// parseTokens), which itself begins at a page.
func view[T int32 | int64 | uint16 | uint32](b []byte) []T {
	var v T
	size := int(unsafe.Sizeof(v))
	if len(b) < size {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/size)
}

func i32(b []byte) int32 { return int32(binary.LittleEndian.Uint32(b)) }
func i64(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) }

func rootTable(buf []byte) flatbuffers.Table {
	return flatbuffers.Table{Bytes: buf, Pos: flatbuffers.GetUOffsetT(buf)}
}

// subTable follows a slot that holds a table.
func subTable(t flatbuffers.Table, slot flatbuffers.VOffsetT) (flatbuffers.Table, bool) {
	o := t.Offset(slot)
	if o == 0 {
		return flatbuffers.Table{}, false
	}
	return flatbuffers.Table{Bytes: t.Bytes, Pos: t.Indirect(t.Pos + flatbuffers.UOffsetT(o))}, true
}

// vector returns the elements of a slot that holds a vector of size-byte elements, and their
// number.
func vector(t flatbuffers.Table, slot flatbuffers.VOffsetT, size int) ([]byte, int) {
	o := t.Offset(slot)
	if o == 0 {
		return nil, 0
	}
	n := t.VectorLen(flatbuffers.UOffsetT(o))
	start := int(t.Vector(flatbuffers.UOffsetT(o)))
	return t.Bytes[start : start+n*size], n
}

func eachTable(t flatbuffers.Table, slot flatbuffers.VOffsetT, visit func(flatbuffers.Table)) {
	elements, n := vector(t, slot, flatbuffers.SizeUOffsetT)
	if n == 0 {
		return
	}
	start := t.Vector(flatbuffers.UOffsetT(t.Offset(slot)))
	for i := range n {
		at := flatbuffers.UOffsetT(i * flatbuffers.SizeUOffsetT)
		visit(flatbuffers.Table{Bytes: t.Bytes, Pos: start + at + flatbuffers.GetUOffsetT(elements[at:])})
	}
}

func text(t flatbuffers.Table, slot flatbuffers.VOffsetT) string {
	bytes, _ := vector(t, slot, 1)
	return string(bytes)
}
