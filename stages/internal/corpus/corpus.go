// Package corpus turns raw files into documents, one at a time, in bounded memory.
//
// Words: a *document* is a text with an identity and metadata. A *file* has a path, by which it is
// opened, and a *name*, which is part of what a study says about its data: it never holds anything
// of the machine. A document that cannot be used is *dropped* for a reason that is counted; a file
// that is not what the study says it is (a line that is no JSON object, a field that is not there)
// is an error.
//
// One way leads from bytes to documents, whatever the format:
//
//	open        decompressed by its first bytes (decompress.go)
//	recognise   what the content is; one that is of another format is refused, not read as text (recognise.go)
//	decode      a text, lines of JSON, rows of a table (rows.go), ids (tokens.go): text, identity and metadata as strings
//	document    normal form, bounds, pieces, counts (below)
//
// The text of a document is what the file holds: line ends, white space and the form of accents
// stay as they are. A byte order mark at the start of a file says how the file is encoded and is no
// text; the same character inside a value of JSON or a cell of a table is text. What is compared,
// in decontamination, is brought into one form first (parts.go).
//
// Not promised: that text is in any language or clean, that ids are unique over files, or that JSON
// Lines are checked beyond JSON itself (of a key that occurs twice the last value counts, as in
// most readers).
package corpus

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Formats.
const (
	FormatText  = "text"    // one file is one document
	FormatJSONL = "jsonl"   // one JSON object a line, as Dolma has it
	FormatTable = "parquet" // one row a document: ReadRows, by whoever can read the file
	FormatToken = "tokens"  // arrays of ids, as Dolma has them: ReadTokens
)

// Options say how a file is read. All of them change the result. Compressed files are known by
// their first bytes.
type Options struct {
	Format    string `json:"format"`
	TextField string `json:"text_field,omitempty"` // JSONL: field path of the text, "text" if empty
	IDField   string `json:"id_field,omitempty"`   // JSONL: field path of the identity, "id" if empty
	// Metadata gives each name a field path, such as metadata.field or metadata.fields[0] (JSONL),
	// or a regular expression with one group over the file's name (text), or either of an index's
	// columns (tokens): src, src ~ EXPR, EXPR.
	Metadata map[string]string `json:"metadata,omitempty"`
	Absent   string            `json:"absent,omitempty"` // value of metadata that a document does not have, "NA" if empty
	// Between gives names of metadata ranges of whole numbers, such as 1970-2022: documents that
	// have another value, or none, are dropped.
	Between map[string]string `json:"between,omitempty"`
	// Bad says what becomes of documents with a fault, Drop or Fail by fault; of those it does not
	// name what is usual.
	Bad map[string]string `json:"bad,omitempty"`
	// PieceBytes bounds the text of a document: a longer one becomes several, see pieces. 0: no
	// bound.
	PieceBytes int64  `json:"piece_bytes,omitempty"`
	DType      string `json:"dtype,omitempty"` // tokens: Uint16 or Uint32
}

// A Document is one text. Numbers in its metadata are in canonical decimal (2019 for 2.019e3), of
// arrays the first element counts.
type Document struct {
	ID   string // text: the file's name; else the id field, or the first 16 hexadecimal digits of the text's SHA-256 where it is absent
	Text string // valid UTF-8, not empty; with Options.PieceBytes at most that long, and the identity of a piece is pieceID
	Meta map[string]string

	// Lacks are the names of metadata, sorted, that the document does not have, so that Meta holds
	// Options.Absent for them: a word that another document may have as its value.
	Lacks []string

	Tokens []uint32 // tokenized input: the ids that are the text, without an end of text
	Place  Place    // where it lies; pieces have their document's
}

// Counts say what became of the input: Read = Kept + all of Dropped.
type Counts struct {
	Files, Read, Kept int64
	Bytes             int64             // of the text of kept documents
	Dropped           map[string]int64  // by reason
	Places            []Place           // of the first few dropped of each reason
	Values            map[string]Values // by name of metadata: what was found of them
	// Paths lists fields that the first document has, or the name that expressions are matched
	// against, where no document of a file has some name of metadata.
	Paths []string
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
	for name, v := range o.Values {
		sum := c.Values[name]
		sum.add(v)
		if c.Values == nil {
			c.Values = map[string]Values{}
		}
		c.Values[name] = sum
	}
	if c.Paths == nil {
		c.Paths = o.Paths
	}
}

// Withdraw makes n kept documents, of so many bytes of text in all, dropped ones. Places of some of
// them are at hand.
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

// maxDocument bounds a line of JSONL, and a text file, in bytes; what is longer is no document but
// a mistake.
const maxDocument = 256 << 20

// Check reports what is wrong with the options.
func (o Options) Check() error {
	_, err := o.compile()
	return err
}

// Read calls emit for each document of one file, in order. name stands for the file in ids,
// metadata and errors. Counts are right as far as the reading came, with an error too. An error of
// emit ends the reading and comes back wrapped.
func Read(ctx context.Context, opt Options, name string, r io.Reader, emit func(Document) error) (Counts, error) {
	rd := &reader{name: name, emit: emit, limit: maxDocument}
	err := rd.read(ctx, opt, r)
	rd.finish()
	return rd.counts, err
}

type reader struct {
	*compiled
	found
	name   string
	emit   func(Document) error
	limit  int
	counts Counts
}

// prepare makes the options ready.
func (rd *reader) prepare(opt Options) (err error) {
	rd.counts.Files = 1
	if rd.compiled, err = opt.compile(); err != nil {
		return err
	}
	rd.values, rd.absent = make([]Values, len(rd.fields)), make([]bool, len(rd.fields))
	return nil
}

// Buffers of what is read: one for lines costs files of a few lines half of their time if it is
// larger, and one for texts need not be as large.
const (
	lineBuffer = 1 << 17
	textBuffer = 1 << 16
)

func (rd *reader) read(ctx context.Context, opt Options, r io.Reader) error {
	if err := rd.prepare(opt); err != nil {
		return err
	}
	size := lineBuffer
	if opt.Format == FormatText {
		size = textBuffer
	}
	in, marked, closer, err := open(r, size)
	if err != nil {
		return fmt.Errorf("corpus: %s: %w", rd.name, err)
	}
	defer closer()
	head, _ := in.Peek(headBytes) // an error comes again where it belongs
	if err := unlike(head, opt.Format); err != nil {
		return rd.fault(faultf(BadFormat, "%w", err), Place{}, rd.whole)
	}
	start := 0
	if marked {
		start = len(byteOrderMark)
	}
	if opt.Format == FormatText {
		return rd.readText(ctx, in, start)
	}
	return rd.readLines(ctx, in, int64(start))
}

// whole says where the file is, in words.
func (rd *reader) whole(int) string { return "corpus: " + rd.name }

// readText reads one text, which begins at byte start of the decompressed file.
func (rd *reader) readText(ctx context.Context, in io.Reader, start int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	data, err := io.ReadAll(io.LimitReader(in, int64(rd.limit)+1))
	if err != nil {
		return fmt.Errorf("corpus: %s: read at byte %d: %w", rd.name, start+len(data), err)
	}
	if len(data) > rd.limit {
		return fmt.Errorf("corpus: %s: a document may have %d bytes: cut the file into smaller ones, or store it as JSONL", rd.name, rd.limit)
	}
	if !utf8.Valid(data) {
		at := start + invalid(data)
		return rd.fault(faultf(BadUTF8, "the text is not valid UTF-8 at byte %d", at), Place{Byte: int64(at)}, rd.whole)
	}
	d := Document{ID: rd.name, Text: string(data), Meta: make(map[string]string, len(rd.fields))}
	for i, f := range rd.fields {
		text, has := f.fromName(rd.name)
		rd.describe(&d, i, text, has)
	}
	return rd.document(d, Place{}, rd.whole)
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
	rd.noted(&d)
	if b := rd.outside(&d); b != nil {
		p.Reason = b.reason
		rd.counts.drop(p.Reason, 1)
		rd.counts.place(p)
		return nil
	}
	if rd.piece == 0 || int64(len(d.Text)) <= rd.piece {
		if rd.piece > 0 {
			d.ID = wholeID(d.ID)
		}
		return rd.hand(d)
	}
	number, whole := 0, d.ID
	for text := range pieces(d.Text, rd.piece) {
		if number > 0 {
			rd.counts.Read++
		}
		d.Text, d.ID = text, pieceID(whole, number)
		if err := rd.hand(d); err != nil {
			return err
		}
		number++
	}
	return nil
}

// hand hands a document on that is kept.
func (rd *reader) hand(d Document) error {
	if err := rd.emit(d); err != nil {
		return fmt.Errorf("corpus: %s: document %q: %w", rd.name, d.ID, err)
	}
	rd.counts.Kept++
	rd.counts.Bytes += int64(len(d.Text))
	rd.kept()
	return nil
}

// readLines reads JSON Lines. Lines of white space only hold no document and are passed over.
// offset is that of the next one in the decompressed file.
func (rd *reader) readLines(ctx context.Context, b *bufio.Reader, offset int64) error {
	var line, long []byte
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
			if rd.first == nil && len(line) <= mostFirst {
				rd.first = bytes.Clone(line)
			}
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

// line reads up to and with the next newline, size bytes. The line is good until the next one is
// read: a piece of b where it fits, else of buf, which comes back grown. Of a line of more than
// limit bytes nothing is kept; where that is an error, it is not read to its end.
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
