package corpus

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Tokens is an array of ids that others made, and the tokenizer that they made it with.
type Tokens struct {
	Array io.Reader
	Size  int64 // bytes of the array

	// Index is where each document lies, lines of start,end,id,src,loc (allenai/dolma,
	// docs/tokenize.md), compressed or not. Nil: there is none, and documents are what stands
	// between ends of text.
	Index     io.Reader
	IndexName string // for errors

	Vocab  int    // ids of the tokenizer
	EOS    uint32 // its end of text
	Decode func(ids []uint32) ([]byte, error)
}

// Columns of an index that metadata may come from, and the name of the array.
const (
	columnID   = "id"
	columnSrc  = "src"
	columnLoc  = "loc"
	columnName = "name"
)

var tokenColumn = regexp.MustCompile(`^(id|src|loc|name)\s*(?:~\s*(.*))?$`)

// parseTokenField reads what metadata of tokenized files are: a column of the index (src), a
// regular expression over one (src ~ EXPR), or an expression by itself, over the array's name.
func parseTokenField(f *field, source string) error {
	f.column = columnName
	if m := tokenColumn.FindStringSubmatch(source); m != nil {
		f.column, source = m[1], m[2]
		if source == "" {
			return nil
		}
	}
	return f.parseExpression(source)
}

// An entry is a line of an index.
type entry struct {
	start, end   int64
	id, src, loc string
}

func (f *field) fromEntry(e *entry, name string) (text string, has bool) {
	value := name
	switch f.column {
	case columnID:
		value = e.id
	case columnSrc:
		value = e.src
	case columnLoc:
		value = e.loc
	}
	if f.expr != nil {
		return f.fromName(value)
	}
	return value, value != ""
}

// ReadTokens is Read for tokenized files. A document's text is what its ids stand for, so that all
// that is said of a text holds for it. An end of text that begins or ends it is no part of it.
func ReadTokens(ctx context.Context, opt Options, name string, in Tokens, emit func(Document) error) (Counts, error) {
	rd := &reader{name: name, emit: emit, limit: maxDocument}
	err := rd.readTokens(ctx, opt, in)
	rd.finish()
	return rd.counts, err
}

func (rd *reader) readTokens(ctx context.Context, opt Options, in Tokens) error {
	if err := rd.prepare(opt); err != nil {
		return err
	}
	if opt.DType == Uint16 && in.Vocab > 1<<16 {
		return fmt.Errorf("corpus: %s: the tokenizer has %d ids, which type %s cannot hold: is it another tokenizer's array?", rd.name, in.Vocab, opt.DType)
	}
	a, err := openArray(in.Array, in.Size, opt.DType, in.Vocab)
	if err != nil {
		return fmt.Errorf("corpus: %s: %w", rd.name, err)
	}
	t := &tokenReader{reader: rd, Tokens: in, array: a}
	if in.Index != nil {
		return t.indexed(ctx)
	}
	for _, f := range rd.fields {
		if f.column != columnName {
			return fmt.Errorf("corpus: %s: metadata %s is column %s of an index, and there is no %s", rd.name, f.name, f.column, in.IndexName)
		}
	}
	return t.cut(ctx)
}

type tokenReader struct {
	*reader
	Tokens
	array *array
}

// maxIDs bounds a document, as maxDocument does for text.
func (t *tokenReader) maxIDs() int64 { return int64(t.limit) / 4 }

// cut reads an array without an index.
func (t *tokenReader) cut(ctx context.Context) error {
	for t.array.at < t.array.total {
		if err := ctx.Err(); err != nil {
			return err
		}
		from := t.array.at
		ids, n, err := t.array.until(nil, t.EOS, t.maxIDs())
		if err != nil {
			return fmt.Errorf("corpus: %s: %w", t.name, err)
		}
		if n > t.maxIDs() {
			err = t.fault(faultf(BadText, "more than %d ids without an end of text, %d: is this an array of the study's tokenizer?", t.maxIDs(), t.EOS),
				t.placeOf(from, 0), t.whereOf(from, 0))
		} else {
			err = t.tokens(entry{start: from, end: from + n}, ids, 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// indexed reads an array by its index. Entries go forward and name every id of the array, or are at
// fault.
func (t *tokenReader) indexed(ctx context.Context) error {
	in, _, closer, err := open(t.Index, textBuffer)
	if err != nil {
		return fmt.Errorf("corpus: %s: %w", t.IndexName, err)
	}
	defer closer()
	lines := csv.NewReader(in)
	lines.ReuseRecord = true
	lines.FieldsPerRecord = 5
	excused := false // an entry that cannot be used may have named what no other does
	for first := true; ; first = false {
		if err := ctx.Err(); err != nil {
			return err
		}
		record, err := lines.Read()
		var bad *csv.ParseError
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil && !errors.As(err, &bad) {
			return fmt.Errorf("corpus: %s: %w", t.IndexName, err)
		}
		line := int64(0)
		var e entry
		var f *fault
		if bad != nil {
			line = int64(bad.Line)
			f = faultf(BadIndex, "%w", bad.Err)
		} else {
			n, _ := lines.FieldPos(0)
			line = int64(n)
			if first && record[0] == "start" {
				continue // a line of headings
			}
			e, f = t.entry(record)
		}
		if f != nil {
			excused = true
			if err := t.fault(f, t.placeOf(t.array.at, line), t.whereOf(t.array.at, line)); err != nil {
				return err
			}
			continue
		}
		if err := t.gap(e.start, excused, line); err != nil {
			return err
		}
		excused = false
		ids, err := t.array.take(make([]uint32, 0, e.end-e.start), e.end-e.start, true)
		if err != nil {
			return fmt.Errorf("corpus: %s: %w", t.name, err)
		}
		if err := t.tokens(e, ids, line); err != nil {
			return err
		}
	}
	return t.gap(t.array.total, excused, 0)
}

// entry reads a line of the index.
func (t *tokenReader) entry(record []string) (e entry, f *fault) {
	var err1, err2 error
	e.start, err1 = strconv.ParseInt(record[0], 10, 64)
	e.end, err2 = strconv.ParseInt(record[1], 10, 64)
	switch at := t.array.at; {
	case err1 != nil || err2 != nil:
		return e, faultf(BadIndex, "start %q and end %q are not whole numbers: want start,end,id,src,loc", record[0], record[1])
	case e.start < 0 || e.start > e.end:
		return e, faultf(BadIndex, "a document from %d to %d", e.start, e.end)
	case e.end > t.array.total:
		return e, faultf(BadIndex, "a document from %d to %d, the array has %d ids: is dtype right?", e.start, e.end, t.array.total)
	case e.start < at:
		return e, faultf(BadIndex, "a document from %d to %d, the one before ends at %d: entries must go forward and not overlap", e.start, e.end, at)
	case e.end-e.start > t.maxIDs():
		return e, faultf(BadIndex, "a document of %d ids, at most %d are read", e.end-e.start, t.maxIDs())
	}
	for _, text := range record[2:] {
		if !utf8.ValidString(text) {
			return e, faultf(BadUTF8, "id, src or loc is not valid UTF-8: %q", text)
		}
	}
	e.id, e.src, e.loc = strings.Clone(record[2]), strings.Clone(record[3]), strings.Clone(record[4])
	return e, nil
}

// gap passes over the ids up to a document, which are no document's.
func (t *tokenReader) gap(to int64, excused bool, line int64) error {
	from := t.array.at
	if from == to {
		return nil
	}
	if !excused {
		err := t.fault(faultf(BadIndex, "no entry names the ids from %d to %d: is dtype right?", from, to), t.placeOf(from, line), t.whereOf(from, line))
		if err != nil {
			return err
		}
	}
	if _, err := t.array.take(nil, to-from, false); err != nil {
		return fmt.Errorf("corpus: %s: %w", t.name, err)
	}
	return nil
}

func (t *tokenReader) placeOf(token, line int64) Place {
	return Place{Line: line, Token: &token, Byte: t.array.byteOf(token)}
}

// whereOf says in words where an id lies.
func (t *tokenReader) whereOf(token, line int64) func(int) string {
	return func(int) string {
		text := fmt.Sprintf("corpus: %s: token %d (byte %d)", t.name, token, t.array.byteOf(token))
		if line > 0 {
			text = fmt.Sprintf("%s, %s:%d", text, t.IndexName, line)
		}
		return text
	}
}

// tokens hands a document on.
func (t *tokenReader) tokens(e entry, ids []uint32, line int64) error {
	from := e.start
	if len(ids) > 0 && ids[0] == t.EOS {
		ids, from = ids[1:], from+1
	}
	if n := len(ids); n > 0 && ids[n-1] == t.EOS {
		ids = ids[:n-1]
	}
	fail := func(at int, word, format string, args ...any) error {
		return t.fault(faultf(word, format, args...), t.placeOf(from+int64(at), line), t.whereOf(from+int64(at), line))
	}
	for i, id := range ids {
		if int64(id) >= int64(t.Vocab) {
			return fail(i, BadText, "id %d, the study's tokenizer has %d ids", id, t.Vocab)
		}
	}
	if i := slices.Index(ids, t.EOS); i >= 0 {
		return fail(i, BadText, "an end of text inside the document from %d to %d: is dtype right?", e.start, e.end)
	}
	text, err := t.Decode(ids)
	if err != nil {
		return fail(0, BadText, "%w", err)
	}
	if !utf8.Valid(text) {
		return fail(0, BadUTF8, "the ids stand for no valid UTF-8 at byte %d of the text", invalid(text))
	}
	d := Document{ID: e.id, Text: string(text), Tokens: ids, Meta: make(map[string]string, len(t.fields))}
	if d.ID == "" {
		sum := sha256.Sum256(text)
		d.ID = hex.EncodeToString(sum[:8])
	}
	for i := range t.fields {
		f := &t.fields[i]
		text, has := f.fromEntry(&e, t.name)
		t.describe(&d, i, text, has)
	}
	return t.document(d, t.placeOf(from, line), t.whereOf(from, line))
}
