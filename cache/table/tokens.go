package table

import (
	"errors"
	"fmt"
	"sort"
	"unsafe"

	"ablate/cache/bulk"
	"ablate/cache/table/mapping"
)

// Tokens is an open token file: a view of a memory mapping, safe for any number of goroutines until
// Close.
type Tokens struct {
	file    *mapping.File
	vocab   int
	docs    int
	length  int64
	batches []batch
}

// A Doc describes a document: the number of its tokens and the size of its original text.
type Doc struct {
	ID                  string
	Tokens              int
	Bytes, Chars, Words int64
}

// batch is a record batch. Document i of it has the id ids[idEnds[i]:idEnds[i+1]], and likewise its
// tokens, in narrow or in wide, whichever the vocabulary asks for.
type batch struct {
	first               int64 // position of its first token in the stream of all documents
	firstDoc            int
	ids                 []byte
	idEnds, tokenEnds   []int32
	narrow              []uint16
	wide                []uint32
	bytes, chars, words []int64
}

func (b *batch) docs() int   { return len(b.bytes) }
func (b *batch) tokens() int { return len(b.narrow) + len(b.wide) }

// OpenTokens opens a token file. Apart from the offsets of documents it reads only the metadata, so
// that opening is quick whatever the size. A damaged or truncated file gives an error.
func OpenTokens(path string) (*Tokens, error) {
	if !mapping.LittleEndian() {
		return nil, fmt.Errorf("open tokens %s: this machine is big-endian: %w", path, errors.ErrUnsupported)
	}
	file, err := mapping.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open tokens: %w", err)
	}
	layout, batches, err := parseTokens(file.Bytes())
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("open tokens %s: %w", path, err)
	}
	t := &Tokens{file: file, vocab: layout.vocab, batches: batches}
	if n := len(batches); n > 0 {
		last := &batches[n-1]
		t.docs, t.length = last.firstDoc+last.docs(), last.first+int64(last.tokens())
	}
	return t, nil
}

// Vocab is the size of the vocabulary that the file was written for. The writer refused any token
// not below it.
func (t *Tokens) Vocab() int { return t.vocab }

// Docs is the number of documents.
func (t *Tokens) Docs() int { return t.docs }

// Len is the number of tokens of all documents together.
func (t *Tokens) Len() int64 { return t.length }

// Close removes the mapping. Nothing may read from t any more.
func (t *Tokens) Close() error {
	t.batches, t.docs, t.length = nil, 0, 0
	return t.file.Close()
}

// locate returns the batch of document i and its row there.
func (t *Tokens) locate(i int) (*batch, int) {
	if i < 0 || i >= t.docs {
		panic(fmt.Sprintf("table: document %d of %d", i, t.docs))
	}
	k := sort.Search(len(t.batches), func(k int) bool { return t.batches[k].firstDoc > i }) - 1
	return &t.batches[k], i - t.batches[k].firstDoc
}

// Doc describes document i. Like an index of a slice, an i outside 0 <= i < Docs() panics.
func (t *Tokens) Doc(i int) Doc {
	b, row := t.locate(i)
	return Doc{
		ID:     string(b.ids[b.idEnds[row]:b.idEnds[row+1]]),
		Tokens: int(b.tokenEnds[row+1] - b.tokenEnds[row]),
		Bytes:  b.bytes[row], Chars: b.chars[row], Words: b.words[row],
	}
}

// Start is the position of document i's first token in the stream that Read reads. Start(Docs()) is
// Len().
func (t *Tokens) Start(i int) int64 {
	if i == t.docs {
		return t.length
	}
	b, row := t.locate(i)
	return b.first + int64(b.tokenEnds[row])
}

// DocTokens appends the tokens of document i to dst. An i outside 0 <= i < Docs() panics.
func (t *Tokens) DocTokens(i int, dst []uint32) []uint32 {
	b, row := t.locate(i)
	from, to := b.tokenEnds[row], b.tokenEnds[row+1]
	if b.wide != nil {
		return append(dst, b.wide[from:to]...)
	}
	for _, v := range b.narrow[from:to] {
		dst = append(dst, uint32(v))
	}
	return dst
}

// Read fills dst with the tokens from a position of the stream of all documents, widened. Like a
// slice expression, a range outside [0, Len()) panics. It does not allocate.
func (t *Tokens) Read(dst []int32, from int64) {
	if from < 0 || from > t.length-int64(len(dst)) {
		panic(fmt.Sprintf("table: read %d tokens from %d of %d", len(dst), from, t.length))
	}
	k := sort.Search(len(t.batches), func(k int) bool { return t.batches[k].first > from }) - 1
	for len(dst) > 0 {
		b := &t.batches[k]
		at := int(from - b.first)
		var n int
		if b.wide != nil {
			n = copy(dst, unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(b.wide))), len(b.wide))[at:])
		} else if at < len(b.narrow) {
			n = min(len(dst), len(b.narrow)-at)
			bulk.Widen(dst[:n], b.narrow[at:at+n])
		}
		dst, from, k = dst[n:], from+int64(n), k+1
	}
}
