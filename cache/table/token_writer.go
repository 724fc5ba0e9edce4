package table

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

const (
	tokensKind    = "tokens"
	tokensVersion = "1"

	keyTable   = "ablate.table"
	keyVersion = "ablate.version"
	keyVocab   = "ablate.vocab"

	// A vocabulary above this size does not fit uint16.
	narrowVocab = 1 << 16
	// Token ids are handed out as int32.
	maxVocab = math.MaxInt32

	// A record batch is written once it holds this many tokens: 8 MB of uint16, small against
	// memory, large against the page faults and the 1 kB of metadata a batch costs.
	batchTokens = 4 << 20
	// Empty or tiny documents must not grow a batch without bound either.
	batchDocs    = 1 << 20
	batchIDBytes = 64 << 20
	// Offsets inside a batch are int32.
	maxDocTokens = math.MaxInt32
	maxIDBytes   = 1 << 20
)

// A TokenWriter writes a token file document by document. It is not safe for concurrent use.
type TokenWriter struct {
	file   *os.File
	out    *ipc.FileWriter
	path   string
	vocab  uint32
	schema *arrow.Schema
	err    error // the first failure; every later call repeats it
	done   bool
	batch  tokenBatch
}

// tokenBatch holds the columns of the record batch that is being filled.
type tokenBatch struct {
	ids                 []byte
	idEnds, tokenEnds   []int32 // rows+1 of them, beginning with 0
	narrow              []uint16
	wide                []uint32
	bytes, chars, words []int64
}

func (b *tokenBatch) reset() {
	b.ids, b.narrow, b.wide = b.ids[:0], b.narrow[:0], b.wide[:0]
	b.idEnds, b.tokenEnds = append(b.idEnds[:0], 0), append(b.tokenEnds[:0], 0)
	b.bytes, b.chars, b.words = b.bytes[:0], b.chars[:0], b.words[:0]
}

func (b *tokenBatch) docs() int   { return len(b.bytes) }
func (b *tokenBatch) tokens() int { return len(b.narrow) + len(b.wide) }

func tokenSchema(vocab int) *arrow.Schema {
	var element arrow.DataType = arrow.PrimitiveTypes.Uint16
	if vocab > narrowVocab {
		element = arrow.PrimitiveTypes.Uint32
	}
	meta := arrow.NewMetadata(
		[]string{keyTable, keyVersion, keyVocab},
		[]string{tokensKind, tokensVersion, strconv.Itoa(vocab)})
	return arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.BinaryTypes.String},
		{Name: "tokens", Type: arrow.ListOfNonNullable(element)},
		{Name: "bytes", Type: arrow.PrimitiveTypes.Int64},
		{Name: "chars", Type: arrow.PrimitiveTypes.Int64},
		{Name: "words", Type: arrow.PrimitiveTypes.Int64},
	}, &meta)
}

// CreateTokens begins a token file for a vocabulary of the given size, replacing what lies at path.
// The file is readable only after Close.
func CreateTokens(path string, vocab int) (*TokenWriter, error) {
	if vocab < 1 || vocab > maxVocab {
		return nil, fmt.Errorf("create tokens %s: vocabulary of %d, want 1 to %d", path, vocab, maxVocab)
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("create tokens: %w", err)
	}
	schema := tokenSchema(vocab)
	out, err := ipc.NewFileWriter(file, ipc.WithSchema(schema))
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("create tokens %s: %w", path, err)
	}
	w := &TokenWriter{file: file, out: out, path: path, vocab: uint32(vocab), schema: schema}
	w.batch.reset()
	return w, nil
}

// Append adds a document: its token ids, and the bytes, characters and words of its original text.
// It keeps neither slice nor string.
func (w *TokenWriter) Append(id string, tokens []uint32, bytes, chars, words int64) error {
	if w.err != nil {
		return w.err
	}
	if w.done {
		return fmt.Errorf("append to tokens %s: already closed", w.path)
	}
	if err := w.check(id, tokens, bytes, chars, words); err != nil {
		// The caller may drop the document and go on: nothing of it has been kept.
		return fmt.Errorf("append to tokens %s: document %.80q: %w", w.path, id, err)
	}
	b := &w.batch
	if b.docs() > 0 && (b.tokens()+len(tokens) > batchTokens || b.docs() == batchDocs || len(b.ids)+len(id) > batchIDBytes) {
		if w.err = w.flush(); w.err != nil {
			return w.err
		}
	}
	b.ids = append(b.ids, id...)
	if w.vocab <= narrowVocab {
		for _, t := range tokens {
			b.narrow = append(b.narrow, uint16(t))
		}
	} else {
		b.wide = append(b.wide, tokens...)
	}
	b.idEnds = append(b.idEnds, int32(len(b.ids)))
	b.tokenEnds = append(b.tokenEnds, int32(b.tokens()))
	b.bytes, b.chars, b.words = append(b.bytes, bytes), append(b.chars, chars), append(b.words, words)
	return nil
}

func (w *TokenWriter) check(id string, tokens []uint32, bytes, chars, words int64) error {
	switch {
	case !utf8.ValidString(id):
		return errors.New("id is not valid UTF-8")
	case len(id) > maxIDBytes:
		return fmt.Errorf("id of %d bytes, at most %d", len(id), maxIDBytes)
	case len(tokens) > maxDocTokens:
		return fmt.Errorf("%d tokens, at most %d", len(tokens), maxDocTokens)
	case bytes < 0 || chars < 0 || words < 0:
		return fmt.Errorf("negative size: %d bytes, %d chars, %d words", bytes, chars, words)
	}
	for i, t := range tokens {
		if t >= w.vocab {
			return fmt.Errorf("token %d is %d, vocabulary has %d", i, t, w.vocab)
		}
	}
	return nil
}

// flush writes the batch. The arrays are built over our own buffers, so that nothing is copied on
// the way.
func (w *TokenWriter) flush() error {
	b, n := &w.batch, w.batch.docs()
	values := asBytes(b.narrow)
	element := arrow.DataType(arrow.PrimitiveTypes.Uint16)
	if w.vocab > narrowVocab {
		values, element = asBytes(b.wide), arrow.PrimitiveTypes.Uint32
	}
	list := arrow.ListOfNonNullable(element)
	item := array.NewData(element, b.tokens(), []*memory.Buffer{nil, memory.NewBufferBytes(values)}, nil, 0, 0)
	columns := []arrow.Array{
		array.NewStringData(array.NewData(arrow.BinaryTypes.String, n,
			[]*memory.Buffer{nil, memory.NewBufferBytes(asBytes(b.idEnds)), memory.NewBufferBytes(b.ids)}, nil, 0, 0)),
		array.NewListData(array.NewData(list, n,
			[]*memory.Buffer{nil, memory.NewBufferBytes(asBytes(b.tokenEnds))}, []arrow.ArrayData{item}, 0, 0)),
		int64Array(b.bytes), int64Array(b.chars), int64Array(b.words),
	}
	record := array.NewRecord(w.schema, columns, int64(n))
	if err := w.out.Write(record); err != nil {
		return fmt.Errorf("write tokens %s: %w", w.path, err)
	}
	b.reset()
	return nil
}

func int64Array(v []int64) arrow.Array {
	return array.NewInt64Data(array.NewData(arrow.PrimitiveTypes.Int64, len(v),
		[]*memory.Buffer{nil, memory.NewBufferBytes(asBytes(v))}, nil, 0, 0))
}

// asBytes is the memory of a slice of numbers, in the byte order of this machine.
func asBytes[T uint16 | uint32 | int32 | int64](v []T) []byte {
	if len(v) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(v[0])))
}

// Close writes what is left and the footer. It must be called exactly once for the file to be
// complete; a second call repeats the first one's answer.
func (w *TokenWriter) Close() error {
	if w.done {
		return w.err
	}
	w.done = true
	if w.err == nil && w.batch.docs() > 0 {
		w.err = w.flush()
	}
	if w.err == nil {
		if err := w.out.Close(); err != nil {
			w.err = fmt.Errorf("write tokens %s: %w", w.path, err)
		}
	}
	if err := w.file.Close(); err != nil && w.err == nil {
		w.err = fmt.Errorf("write tokens: %w", err)
	}
	w.batch = tokenBatch{}
	return w.err
}
