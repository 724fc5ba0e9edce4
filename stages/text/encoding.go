package text

import (
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"ablate/stages/internal/bpe"
	"ablate/stages/internal/corpus"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// chunkBytes is how much text a thread encodes at a time: some milliseconds of work, and little
// memory.
const chunkBytes = 256 << 10

// An encoded document.
type encoded struct {
	doc     corpus.Document
	row     tables.DocumentRow
	tokens  []uint32
	hashes  []uint64 // of paragraphs
	lengths []int64
}

// A chunk is documents that one thread encodes.
type chunk struct {
	docs  []encoded
	bytes int
	done  chan struct{} // closed when they are encoded
}

// An encoding encodes documents on all threads and hands them on in the order in which they came.
// The goroutine that adds them, which is the one that reads and scans the files, is one of the
// threads: it reads ahead by a bounded number of chunks, and when as many wait it encodes one
// itself. So a corpus may be a single file, and a file may be read on while what it held before is
// encoded. Documents share nothing; which thread takes which cannot show in the result. This is the
// one place in this package that starts goroutines.
type encoding struct {
	params   kind.TokenizeParams
	names    []string // of metadata, sorted
	now      func() int
	each     func(*encoded) error // is given the documents, in order
	encoders []*bpe.Encoder       // one for each thread, the first is the reader's
	most     int                  // bytes of text after which a chunk is filled

	filling *chunk
	waiting chan *chunk
	order   []*chunk // all that are filled and not yet handed on
	allowed atomic.Int64
	busy    []atomic.Bool // which of the encoders but the first has a goroutine
	stopped atomic.Bool
	wait    sync.WaitGroup
}

func newEncoding(tok *bpe.Tokenizer, threads int, now func() int, p kind.TokenizeParams, names []string, each func(*encoded) error) *encoding {
	e := &encoding{most: chunkBytes, params: p, names: names, now: now, each: each, waiting: make(chan *chunk, 2*threads), busy: make([]atomic.Bool, threads)}
	for range threads {
		x := tok.Encoder()
		x.SpecialAsText = true // a page that mentions <|endoftext|> must not end there
		e.encoders = append(e.encoders, x)
	}
	e.filling = &chunk{done: make(chan struct{})}
	return e
}

// add takes a document.
func (e *encoding) add(d corpus.Document) error {
	c := e.filling
	c.docs = append(c.docs, encoded{doc: d})
	if c.bytes += len(d.Text); c.bytes < e.most {
		return nil
	}
	e.filling = &chunk{done: make(chan struct{})}
	return e.submit(c)
}

// submit queues a chunk, and makes room for it by work of its own.
func (e *encoding) submit(c *chunk) error {
	e.order = append(e.order, c)
	e.start()
	for {
		select {
		case e.waiting <- c:
			return e.handOn(2 * cap(e.waiting))
		default:
			e.help()
		}
	}
}

// start sees to it that as many threads encode as may compute now, this one among them.
func (e *encoding) start() {
	n := min(e.now(), len(e.encoders))
	e.allowed.Store(int64(n))
	for i := 1; i < n; i++ {
		if !e.busy[i].CompareAndSwap(false, true) {
			continue
		}
		e.wait.Go(func() {
			defer e.busy[i].Store(false)
			for c := range e.waiting {
				e.encode(e.encoders[i], c)
				if int64(i) >= e.allowed.Load() {
					return
				}
			}
		})
	}
}

// help encodes a chunk, if one waits.
func (e *encoding) help() bool {
	select {
	case c := <-e.waiting:
		e.encode(e.encoders[0], c)
		return true
	default:
		return false
	}
}

// handOn hands on what is encoded, from the front, until at most limit chunks are not.
func (e *encoding) handOn(limit int) error {
	for len(e.order) > 0 {
		c := e.order[0]
		select {
		case <-c.done:
		default:
			if len(e.order) <= limit {
				return nil
			}
			if e.help() {
				continue
			}
			<-c.done
		}
		for i := range c.docs {
			if err := e.each(&c.docs[i]); err != nil {
				return err
			}
		}
		e.order[0] = nil
		e.order = e.order[1:]
	}
	return nil
}

// finish hands on what is left.
func (e *encoding) finish() error {
	if len(e.filling.docs) > 0 {
		c := e.filling
		e.filling = &chunk{done: make(chan struct{})}
		if err := e.submit(c); err != nil {
			return err
		}
	}
	return e.handOn(0)
}

// stop ends the goroutines. Nothing may be added then.
func (e *encoding) stop() {
	e.stopped.Store(true)
	close(e.waiting)
	e.wait.Wait()
}

func (e *encoding) encode(x *bpe.Encoder, c *chunk) {
	defer close(c.done)
	for i := range c.docs {
		if e.stopped.Load() {
			return
		}
		d := &c.docs[i]
		if d.tokens = d.doc.Tokens; d.tokens == nil {
			d.tokens = x.Encode(nil, d.doc.Text)
		}
		d.hashes, d.lengths = paragraphHashes(x, d.doc.Text, e.params.Paragraph, e.params.MinTokens)
		d.row = tables.DocumentRow{
			ID: d.doc.ID, Tokens: int64(len(d.tokens)), Bytes: int64(len(d.doc.Text)), Chars: int64(utf8.RuneCountInString(d.doc.Text)),
			Words: countWords(d.doc.Text), Names: e.names, Absent: d.doc.Lacks,
		}
		for _, name := range e.names {
			d.row.Values = append(d.row.Values, strings.Clone(d.doc.Meta[name]))
		}
		d.doc = corpus.Document{ID: d.doc.ID, Place: d.doc.Place} // not the text
	}
}
