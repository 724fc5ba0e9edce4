// Package corpus turns raw files into documents, one at a time, in bounded memory.
//
// Words: a *document* is a text with an identity and metadata. A *file* has a path, by which it is opened, and a *name*, which is part of
// what a study says about its data: it never holds anything of the machine. A document that cannot be used is *dropped* for a reason that
// is counted; a file that is not what the study says it is (a line that is no JSON object, a field that is not there) is an error.
//
// Not promised: that text is in any language or clean, that ids are unique over files, or that JSON Lines are checked beyond JSON itself
// (of a key that occurs twice the last value counts, as in most readers).
package corpus

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// Formats.
const (
	FormatText  = "text"    // one file is one document
	FormatJSONL = "jsonl"   // one JSON object a line, as Dolma has it
	FormatTable = "parquet" // one row a document: ReadRows, by whoever can read the file
	FormatToken = "tokens"  // arrays of ids, as Dolma has them: ReadTokens
)

// Options say how a file is read. All of them change the result. Compressed files (gzip, zstd) are known by their first bytes.
type Options struct {
	Format    string `json:"format"`
	TextField string `json:"text_field,omitempty"` // JSONL: field path of the text, "text" if empty
	IDField   string `json:"id_field,omitempty"`   // JSONL: field path of the identity, "id" if empty
	// Metadata gives each name a field path, such as metadata.field or metadata.fields[0] (JSONL), or a regular expression with one
	// group over the file's name (text), or either of an index's columns (tokens): src, src ~ EXPR, EXPR.
	Metadata map[string]string `json:"metadata,omitempty"`
	Absent   string            `json:"absent,omitempty"` // value of metadata that a document does not have, "NA" if empty
	// Between gives names of metadata ranges of whole numbers, such as 1970-2022: documents that have another value, or none, are dropped.
	Between map[string]string `json:"between,omitempty"`
	// Bad says what becomes of documents with a fault, Drop or Fail by fault; of those it does not name what is usual.
	Bad map[string]string `json:"bad,omitempty"`
	// PieceBytes bounds the text of a document: a longer one becomes several, see pieces. 0: no bound.
	PieceBytes int64  `json:"piece_bytes,omitempty"`
	DType      string `json:"dtype,omitempty"` // tokens: Uint16 or Uint32
}

// A Document is one text. Numbers in its metadata are in canonical decimal (2019 for 2.019e3), of arrays the first element counts.
type Document struct {
	ID   string // text: the file's name; else the id field, or the first 16 hexadecimal digits of the text's SHA-256 where it is absent
	Text string // valid UTF-8, not empty; with Options.PieceBytes at most that long, and the pieces after the first have #1, #2, ... after their ID
	Meta map[string]string

	// Lacks are the names of metadata, sorted, that the document does not have, so that Meta holds Options.Absent for them: a word that another document may have
	// as its value.
	Lacks []string

	Tokens []uint32 // tokenized input: the ids that are the text, without an end of text
	Place  Place    // where it lies; pieces have their document's
}

// Counts say what became of the input: Read = Kept + all of Dropped.
type Counts struct {
	Files, Read, Kept int64
	Bytes             int64            // of the text of kept documents
	Dropped           map[string]int64 // by reason
	Places            []Place          // of the first few dropped of each reason
}

// Add adds the counts of another file.
func (c *Counts) Add(o Counts) {
	for _, p := range o.Places {
		p.File += c.Files
		c.place(p)
	}
	c.Files += o.Files
	c.Read += o.Read
	c.Kept += o.Kept
	c.Bytes += o.Bytes
	for reason, n := range o.Dropped {
		c.drop(reason, n)
	}
}

// Withdraw makes n kept documents, of so many bytes of text in all, dropped ones. Places of some of them are at hand.
func (c *Counts) Withdraw(reason string, n, bytes int64, places []Place) {
	if n == 0 {
		return
	}
	c.Kept -= n
	c.Bytes -= bytes
	c.drop(reason, n)
	for _, p := range places {
		p.Reason = reason
		c.place(p)
	}
}

func (c *Counts) drop(reason string, n int64) {
	if c.Dropped == nil {
		c.Dropped = map[string]int64{}
	}
	c.Dropped[reason] += n
}

// maxDocument bounds a line of JSONL, and a text file, in bytes; what is longer is no document but a mistake.
const maxDocument = 256 << 20

// Check reports what is wrong with the options.
func (o Options) Check() error {
	_, err := o.compile()
	return err
}

// Read calls emit for each document of one file, in order. name stands for the file in ids, metadata and errors. Counts are right as far
// as the reading came, with an error too. An error of emit ends the reading and comes back wrapped.
func Read(ctx context.Context, opt Options, name string, r io.Reader, emit func(Document) error) (Counts, error) {
	rd := &reader{name: name, emit: emit, limit: maxDocument, piece: opt.PieceBytes}
	rd.counts.Files = 1
	err := rd.read(ctx, opt, r)
	return rd.counts, err
}

type reader struct {
	*compiled
	name   string
	emit   func(Document) error
	limit  int
	piece  int64
	counts Counts
}

func (rd *reader) read(ctx context.Context, opt Options, r io.Reader) (err error) {
	if rd.compiled, err = opt.compile(); err != nil {
		return err
	}
	in, closer, err := decompress(r)
	if err != nil {
		return fmt.Errorf("corpus: %s: %w", rd.name, err)
	}
	defer closer()
	if opt.Format == FormatText {
		return rd.readText(ctx, in)
	}
	return rd.readLines(ctx, in)
}

func (rd *reader) readText(ctx context.Context, in io.Reader) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	data, err := io.ReadAll(io.LimitReader(in, int64(rd.limit)+1))
	if err != nil {
		return fmt.Errorf("corpus: %s: read at byte %d: %w", rd.name, len(data), err)
	}
	if len(data) > rd.limit {
		return fmt.Errorf("corpus: %s: a document may have %d bytes: cut the file into smaller ones, or store it as JSONL", rd.name, rd.limit)
	}
	where := func(int) string { return "corpus: " + rd.name }
	if !utf8.Valid(data) {
		at := invalid(data)
		return rd.fault(faultf(BadUTF8, "the text is not valid UTF-8 at byte %d", at), Place{Byte: int64(at)}, where)
	}
	d := Document{ID: rd.name, Text: string(data), Meta: make(map[string]string, len(rd.fields))}
	for _, f := range rd.fields {
		value, ok := f.fromName(rd.name)
		rd.describe(&d, f.name, value, ok)
	}
	return rd.document(d, Place{}, where)
}

// invalid is where s, which is not UTF-8, ceases to be.
func invalid(s []byte) int {
	at := 0
	for {
		r, n := utf8.DecodeRune(s[at:])
		if r == utf8.RuneError && n <= 1 {
			return at
		}
		at += n
	}
}

// document counts a document, and hands it on. where says in words where it lies.
func (rd *reader) document(d Document, p Place, where func(at int) string) error {
	if d.Text == "" {
		return rd.fault(faultf(BadEmpty, "document %q has no text", d.ID), p, where)
	}
	rd.counts.Read++
	d.Place = p
	if b := rd.outside(&d); b != nil {
		p.Reason = b.reason
		rd.counts.drop(p.Reason, 1)
		rd.counts.place(p)
		return nil
	}
	number := 0
	for text := range pieces(d.Text, rd.piece) {
		piece := d
		piece.Text = text
		if number > 0 {
			piece.ID = d.ID + "#" + strconv.Itoa(number)
			rd.counts.Read++
		}
		if err := rd.emit(piece); err != nil {
			return fmt.Errorf("corpus: %s: document %q: %w", rd.name, piece.ID, err)
		}
		rd.counts.Kept++
		rd.counts.Bytes += int64(len(text))
		number++
	}
	return nil
}

// readLines reads JSON Lines. Lines of white space only hold no document and are passed over.
func (rd *reader) readLines(ctx context.Context, in io.Reader) error {
	b := bufio.NewReaderSize(in, 1<<17) // more costs files of a few lines half of their time
	var line, long []byte
	var offset int64 // of the line, in the decompressed file
	if mark, err := b.Peek(3); err == nil && string(mark) == "\uFEFF" {
		b.Discard(len(mark))
		offset = int64(len(mark))
	}
	for number := int64(1); ; number++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		where := func(at int) string {
			if at < 0 {
				return fmt.Sprintf("corpus: %s:%d (byte %d)", rd.name, number, offset)
			}
			return fmt.Sprintf("corpus: %s:%d:%d (byte %d)", rd.name, number, at+1, offset+int64(at))
		}
		var size int64
		var err error
		line, long, size, err = rd.line(b, long)
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return fmt.Errorf("%s: %w", where(-1), err)
		}
		err = nil
		if p := (Place{Line: number, Byte: offset}); size > int64(rd.limit) {
			err = rd.fault(faultf(BadLine, "the line has more than %d bytes: is this a file of JSON Lines?", rd.limit), p, where)
		} else if len(bytes.TrimSpace(line)) > 0 {
			if d, f := rd.parse(line); f != nil {
				err = rd.fault(f, p, where)
			} else {
				err = rd.document(d, p, where)
			}
		}
		if err != nil || last {
			return err
		}
		offset += size
	}
}

// line reads up to and with the next newline, size bytes. The line is good until the next one is read: a piece of b where it fits, else of
// buf, which comes back grown. Of a line of more than limit bytes nothing is kept; where that is an error, it is not read to its end.
func (rd *reader) line(b *bufio.Reader, buf []byte) (line, grown []byte, size int64, err error) {
	part, err := b.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return part, buf, int64(len(part)), err
	}
	for buf = buf[:0]; ; part, err = b.ReadSlice('\n') {
		if size += int64(len(part)); size <= int64(rd.limit) {
			buf = append(buf, part...)
		} else if buf = buf[:0]; rd.bad[BadLine] == Fail {
			return nil, buf, size, nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return buf, buf, size, err
		}
	}
}
