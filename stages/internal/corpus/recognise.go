package corpus

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// headBytes is how much of a file's content is looked at to see what it is.
const headBytes = 4096

// byteOrderMark begins a file in UTF-8 that an editor has marked as such. It is no text.
const byteOrderMark = "\uFEFF"

// open is the way from the bytes of a file to its content, for every format that is read as a
// stream: decompressed, and without a byte order mark, of which marked tells. size is that of the
// buffer.
func open(r io.Reader, size int) (b *bufio.Reader, marked bool, closer func(), err error) {
	raw, release := buffered(r, rawBuffer)
	in, _, closeIn, err := decompress(raw)
	if err != nil {
		release()
		return nil, false, nil, err
	}
	b, releaseIn := buffered(in, size)
	closer = func() {
		releaseIn()
		closeIn()
		release()
	}
	if head, _ := b.Peek(len(byteOrderMark)); string(head) == byteOrderMark { // an error comes again where it belongs
		marked = true
		b.Discard(len(byteOrderMark))
	}
	return b, marked, closer, nil
}

// buffers are readers of each size that nobody uses, *bufio.Reader: making them anew took half of
// the time of reading a file of a kilobyte.
var buffers sync.Map // of int to *sync.Pool

// buffered is a reader with a buffer of so many bytes, or r itself where that has one. What was
// read with it is not to be used after release, which takes effect once.
func buffered(r io.Reader, size int) (b *bufio.Reader, release func()) {
	if b, ok := r.(*bufio.Reader); ok && b.Size() >= size {
		return b, func() {}
	}
	pool, ok := buffers.Load(size)
	if !ok {
		pool, _ = buffers.LoadOrStore(size, &sync.Pool{New: func() any { return bufio.NewReaderSize(nil, size) }})
	}
	b = pool.(*sync.Pool).Get().(*bufio.Reader)
	b.Reset(r)
	return b, sync.OnceFunc(func() {
		b.Reset(nil)
		pool.(*sync.Pool).Put(b)
	})
}

// Stream is open for a filter: a person or a program may send a line and wait for the answer, so no
// more is waited for than it takes to see that the first bytes are no mark of a compression or an
// encoding. What is text in another encoding is an error.
func Stream(r io.Reader, size int) (*bufio.Reader, func(), error) {
	b := bufio.NewReaderSize(r, size)
	for n := 1; n <= longestMagic; n++ {
		head, err := b.Peek(n)
		if err == nil && maybeMarked(head) {
			continue
		}
		if !maybeMarked(head) {
			return b, func() {}, nil
		}
		break
	}
	b, _, closer, err := open(b, size)
	if err != nil {
		return nil, nil, err
	}
	head, _ := b.Peek(4)
	if err := unlike(head, FormatJSONL); err != nil {
		return nil, nil, err
	}
	return b, closer, nil
}

// maybeMarked reports whether bytes may be the first of a compressed content, or of one with a byte
// order mark.
func maybeMarked(head []byte) bool {
	marks := []string{byteOrderMark, "\xff\xfe", "\xfe\xff", "\x00\x00\xfe\xff"}
	for _, c := range compressions {
		marks = append(marks, c.magic)
	}
	for _, m := range marks {
		if n := min(len(head), len(m)); string(head[:n]) == m[:n] {
			return true
		}
	}
	return len(head) < 4 && len(head) > 0 && head[0]>>4 == 5 && string(head[1:]) == skippable[:len(head)-1] || isSkippable(head)
}

// rawBuffer is how much of a file is read at a time.
const rawBuffer = 1 << 16

// A stranger is a content that is not text in UTF-8, and what a person does about it.
type stranger struct {
	name, magic string
	at          int
	remedy      string
}

const (
	unpack    = "unpack it and name the files in it"
	recode    = "decompress it, or compress it with zstd or gzip"
	rows      = "write it as Parquet or JSON Lines"
	otherText = "convert it: iconv -f %s -t UTF-8"
)

var strangers = []stranger{
	{"a zip archive", "PK\x03\x04", 0, unpack},
	{"an empty zip archive", "PK\x05\x06", 0, unpack},
	{"a tar archive", "ustar", 257, unpack},
	{"a 7z archive", "7z\xbc\xaf\x27\x1c", 0, unpack},
	{"a rar archive", "Rar!\x1a\x07", 0, unpack},
	{"compressed with compress (.Z)", "\x1f\x9d", 0, recode},
	{"compressed with lzma (.lzma)", "\x5d\x00\x00", 0, recode},
	{"compressed with lzip", "LZIP\x01", 0, recode},
	{"compressed with lzop", "\x89LZO\x00\r\n\x1a\n", 0, recode},
	{"compressed with Snappy", "\xff\x06\x00\x00sNaPpY", 0, recode},
	{"an Arrow file", "ARROW1\x00\x00", 0, rows},
	{"an Avro file", "Obj\x01", 0, rows},
	{"an HDF5 file", "\x89HDF\r\n\x1a\n", 0, rows},
	{"a SQLite database", "SQLite format 3\x00", 0, rows},
	{"a pickle of Python", "\x80\x04\x95", 0, rows},
	{"a PDF file", "%PDF-", 0, "take the text out of it"},
	{"text in UTF-32", "\xff\xfe\x00\x00", 0, fmt.Sprintf(otherText, "UTF-32")},
	{"text in UTF-32", "\x00\x00\xfe\xff", 0, fmt.Sprintf(otherText, "UTF-32")},
	{"text in UTF-16", "\xff\xfe", 0, fmt.Sprintf(otherText, "UTF-16")},
	{"text in UTF-16", "\xfe\xff", 0, fmt.Sprintf(otherText, "UTF-16")},
}

// Magics of formats that are read.
const (
	parquetMagic = "PAR1"
	// numpyMagic begins a file of NumPy (numpy.lib.format); behind it are two bytes of the version,
	// the length of a header and the header, a dictionary as Python writes it.
	numpyMagic = "\x93NUMPY"
)

// unlike says what a content is that begins like this, and what to do, where it is not of the
// format it is read as; nil: it may be.
func unlike(head []byte, format string) error {
	switch {
	case bytes.HasPrefix(head, []byte(parquetMagic)) && format != FormatTable && parquetFollows(head):
		return errors.New("the file is a Parquet file: give format: parquet")
	case bytes.HasPrefix(head, []byte(numpyMagic)) && format != FormatToken:
		return errors.New("the file is an array of NumPy: if it holds ids of the study's tokenizer, give format: tokens and dtype")
	}
	if c := compressionOf(head); c != nil {
		if format == FormatText || format == FormatJSONL {
			return fmt.Errorf("the file is compressed twice, inside with %s: decompress it once", c.name)
		}
		return fmt.Errorf("the file is compressed with %s, and a file of format %s is read as it lies: decompress it", c.name, format)
	}
	for _, s := range strangers {
		if len(head) < s.at+len(s.magic) || string(head[s.at:s.at+len(s.magic)]) != s.magic || s.at > 0 && bytes.IndexByte(head[:s.at], 0) < 0 {
			continue
		}
		if format == FormatToken && len(s.magic) < 4 {
			continue // ids may begin like this
		}
		return fmt.Errorf("the file is %s, not of format %s: %s", s.name, format, s.remedy)
	}
	if format != FormatToken && alternates(head) {
		return fmt.Errorf("every other byte of the file is zero, as in text in UTF-16 without a byte order mark: convert it: iconv -f UTF-16LE (or UTF-16BE) -t UTF-8")
	}
	return nil
}

// parquetFollows tells a Parquet file from a text that begins with the four letters: its pages have
// headers in binary.
func parquetFollows(head []byte) bool {
	return bytes.ContainsFunc(head[:min(len(head), 64)], func(r rune) bool { return r < '\t' })
}

// alternates reports text in UTF-16 that is ASCII for the most part: zeros at every other byte, and
// at no byte between.
func alternates(head []byte) bool {
	var zeros [2]int
	for i, c := range head {
		if c == 0 {
			zeros[i%2]++
		}
	}
	most, least := max(zeros[0], zeros[1]), min(zeros[0], zeros[1])
	return len(head) >= 16 && least == 0 && most >= len(head)/2*9/10
}

// StrangerError says that a content is of no format that is read.
type StrangerError struct {
	err  error
	line int // where that shows; 0: in the whole file
}

func (e *StrangerError) Error() string { return e.err.Error() }

// Recognise says of what format a file is by its content: FormatTable, FormatToken, FormatJSONL, or
// FormatText where nothing speaks for another. textField is the field of JSON Lines that holds the
// text. A content that is certainly none of these is an error.
//
// A file is JSON Lines if its first line is an object, and so is the line behind it as far as it is
// looked at, or, if there is no other, the field of the text is a string. Source code and prose are
// none. What is of no format that is read is a *StrangerError.
func Recognise(path, textField string) (format string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	format, err = recognise(f, textField)
	var stranger *StrangerError
	switch {
	case errors.As(err, &stranger) && stranger.line > 0:
		return "", fmt.Errorf("%s:%d: %w", path, stranger.line, err)
	case err != nil:
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return format, nil
}

// heads are buffers for the first bytes of files: a plan looks at each of many small ones.
var heads = sync.Pool{New: func() any { return new([headBytes]byte) }}

func recognise(r io.Reader, textField string) (format string, err error) {
	buf := heads.Get().(*[headBytes]byte)
	defer heads.Put(buf)
	n, err := io.ReadFull(r, buf[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", fmt.Errorf("read the first bytes: %w", err)
	}
	head := buf[:n]
	if compressionOf(head) != nil || isSkippable(head) {
		b, _, closer, err := open(io.MultiReader(bytes.NewReader(head), r), headBytes)
		if err != nil {
			return "", err
		}
		defer closer()
		inside, err := b.Peek(headBytes)
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		head = inside
		for _, whole := range []struct{ name, magic string }{{"a Parquet file", parquetMagic}, {"an array of NumPy", numpyMagic}} {
			if bytes.HasPrefix(head, []byte(whole.magic)) {
				return "", &StrangerError{err: fmt.Errorf("the file is %s inside a compressed one: decompress it, since such files are read as they lie", whole.name)}
			}
		}
	}
	switch {
	case bytes.HasPrefix(head, []byte(parquetMagic)) && parquetFollows(head):
		return FormatTable, nil
	case bytes.HasPrefix(head, []byte(numpyMagic)):
		return FormatToken, nil
	}
	if err := unlike(head, FormatText); err != nil {
		return "", &StrangerError{err: err}
	}
	lines, err := linesOfJSON(head, len(head) == headBytes, textField)
	if err != nil {
		blank := len(head) - len(bytes.TrimLeft(bytes.TrimPrefix(head, []byte(byteOrderMark)), " \t\r\n"))
		return "", &StrangerError{err, 1 + bytes.Count(head[:blank], []byte("\n"))}
	}
	if lines {
		return FormatJSONL, nil
	}
	return FormatText, nil
}

// jsonLines says how JSON becomes JSON Lines.
const jsonLines = "`jq -c . FILE` writes JSON Lines, `jq -c '.[]' FILE` those of an array"

// linesOfJSON reports whether a content that begins like this is JSON Lines. cut: there is more of
// it. An array of objects is an error.
func linesOfJSON(head []byte, cut bool, textField string) (bool, error) {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte(byteOrderMark)), " \t\r\n")
	if len(head) == 0 || head[0] != '{' && head[0] != '[' {
		return false, nil
	}
	text, err := parsePath(or(textField, "text"))
	if err != nil {
		return false, err
	}
	var root node
	root.add(text.steps, 0)
	s := scanner{line: head, found: make([]span, 1)}
	// ends reports whether the line is a value and nothing else (whole), or may become one where it
	// is cut off (good).
	ends := func() (good, whole bool) {
		end, err := s.value(0, &root, 0)
		var bad *badSyntax
		torn := cut && (errors.Is(err, errEnd) || errors.As(err, &bad) && bad.at >= len(s.line)-6) // inside true or an escape
		whole = err == nil && len(bytes.TrimSpace(s.line[end:])) == 0
		return whole || torn, whole
	}
	if head[0] == '[' {
		inner := bytes.TrimLeft(head[1:], " \t\r\n")
		if len(inner) == 0 || inner[0] != '{' {
			return false, nil
		}
		if good, _ := ends(); good {
			return false, errors.New("the file is a JSON array, and JSON Lines have an object a line: " + jsonLines)
		}
		return false, nil
	}
	line, rest, more := bytes.Cut(head, []byte("\n"))
	if s.line = line; !more {
		good, whole := ends()
		return good && (!whole || s.found[0].kind == '"'), nil
	}
	cut, more = false, cut
	if _, whole := ends(); !whole {
		return false, nil
	}
	if rest = bytes.TrimLeft(rest, " \t\r\n"); len(rest) == 0 {
		return s.found[0].kind == '"' || more, nil
	}
	if rest[0] != '{' {
		return false, nil
	}
	cut = more && bytes.IndexByte(rest, '\n') < 0
	s.line, _, _ = bytes.Cut(rest, []byte("\n"))
	good, _ := ends()
	return good, nil
}
