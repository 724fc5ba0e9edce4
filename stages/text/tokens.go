package text

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"ablate/stages/internal/bpe"
	"ablate/stages/internal/corpus"
)

// A TokenStream turns lines of JSON into lines of JSON, in one pass and on one core. Lines of white
// space only are passed over. What it reads may be compressed and begin with a byte order mark, as
// files of a corpus may.
type TokenStream struct {
	// SpecialAsText encodes <|endoftext|> and its like as any other text, as documents of a corpus
	// are. Without it they become their ids.
	SpecialAsText bool

	tok *bpe.Tokenizer
}

// maxStreamLine bounds a line in bytes; what is longer is no document but a mistake. It is the
// bound of a corpus.
const maxStreamLine = 256 << 20

// OpenTokenStream reads a tokenizer.json.
func OpenTokenStream(path string) (*TokenStream, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	tok, err := bpe.Load(f)
	if err != nil {
		return nil, fmt.Errorf("tokenizer %s: %w", path, err)
	}
	return &TokenStream{tok: tok}, nil
}

// Encode reads objects with a text, and writes an array of ids for each. What is not Unicode in a
// text is read as U+FFFD.
func (s *TokenStream) Encode(in io.Reader, out io.Writer) error {
	e := s.tok.Encoder()
	e.SpecialAsText = s.SpecialAsText
	var ids []uint32
	return eachLine(in, out, func(dst, line []byte) ([]byte, error) {
		// A map, because keys of a struct would match in any case.
		var object map[string]json.RawMessage
		if line[0] != '{' {
			return nil, fmt.Errorf("%.40q: want an object with the key \"text\"", line)
		}
		if err := json.Unmarshal(line, &object); err != nil {
			return nil, err
		}
		raw, ok := object["text"]
		if !ok {
			return nil, errors.New("the object has no key \"text\"")
		}
		var text *string // nil for null
		if err := json.Unmarshal(raw, &text); err != nil || text == nil {
			return nil, fmt.Errorf("\"text\" is %.40q, want a string", raw)
		}
		ids = e.Encode(ids[:0], *text)
		dst = append(dst, '[')
		for i, id := range ids {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = strconv.AppendUint(dst, uint64(id), 10)
		}
		return append(dst, ']'), nil
	})
}

// Decode reads arrays of ids, and writes an object with the text of each. Where ids end inside a
// character the text has U+FFFD.
func (s *TokenStream) Decode(in io.Reader, out io.Writer) error {
	var encoded bytes.Buffer
	enc := json.NewEncoder(&encoded)
	enc.SetEscapeHTML(false)
	return eachLine(in, out, func(dst, line []byte) ([]byte, error) {
		var ids []uint32
		if err := json.Unmarshal(line, &ids); err != nil || ids == nil {
			return nil, fmt.Errorf("%.40q: want an array of ids, which are whole numbers", line)
		}
		text, err := s.tok.Decode(ids)
		if err != nil {
			return nil, err
		}
		encoded.Reset()
		if err := enc.Encode(struct {
			Text string `json:"text"`
		}{string(text)}); err != nil {
			return nil, err
		}
		return append(dst, bytes.TrimSuffix(encoded.Bytes(), []byte("\n"))...), nil
	})
}

// eachLine writes what turn appends for each line. Whenever no more input is there yet, what was
// written goes out, so that a program can send a line and wait for the answer.
func eachLine(in io.Reader, out io.Writer, turn func(dst, line []byte) ([]byte, error)) error {
	r, closer, err := corpus.Stream(in, 1<<20)
	if err != nil {
		return err
	}
	defer closer()
	w := bufio.NewWriterSize(out, 1<<20)
	var line, dst []byte
	for number := 1; ; number++ {
		var err error
		line, err = longLine(r, line[:0])
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("line %d: %w", number, errors.Join(err, w.Flush()))
		}
		if trimmed := bytes.TrimSpace(line); len(trimmed) > 0 {
			var mistake error
			if dst, mistake = turn(dst[:0], trimmed); mistake != nil {
				return fmt.Errorf("line %d: %w", number, errors.Join(mistake, w.Flush()))
			}
			if _, err := w.Write(append(dst, '\n')); err != nil {
				return err
			}
		}
		if err != nil {
			return w.Flush()
		}
		if r.Buffered() == 0 {
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
}

// longLine reads up to and with the next newline, into buf.
func longLine(r *bufio.Reader, buf []byte) ([]byte, error) {
	for {
		part, err := r.ReadSlice('\n')
		buf = append(buf, part...)
		if len(buf) > maxStreamLine {
			return buf, fmt.Errorf("more than %d bytes: is this JSON Lines?", maxStreamLine)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return buf, err
		}
	}
}
