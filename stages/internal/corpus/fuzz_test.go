package corpus

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzOpen: whatever the bytes of a file are, it is decompressed and read as text or JSON Lines, or
// refused; what is recognised as JSON Lines begins with a line that is an object; and a filter sees
// the content that a file has.
func FuzzOpen(f *testing.F) {
	text := "{\"text\":\"some words\"}\n{\"text\":\"more of them\"}\n"
	for _, c := range packers {
		f.Add([]byte(c.pack(f, text)))
		f.Add([]byte(c.pack(f, "\uFEFFplain text\n") + c.pack(f, "and more")))
	}
	for _, s := range []string{
		text, "\uFEFF" + text, "[{\"text\":\"a\"}]", "{\n \"text\": \"a\"\n}", "\xff\xfea\x00", "a\x00b\x00c\x00d\x00e\x00f\x00g\x00h\x00", "PAR1\x15\x00", "PK\x03\x04", "BZh9 is text",
		"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd", "\x5f\x2a\x4d\x18\xff\xff\xff\xff",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const limit = 1 << 16
		var content string
		read := func(format string) (Counts, error) {
			rd := &reader{name: "f", limit: limit, emit: func(d Document) error {
				if content += d.Text; !utf8.ValidString(d.Text) || d.Text == "" {
					t.Errorf("text %q", d.Text)
				}
				return nil
			}}
			err := rd.read(context.Background(), Options{Format: format, Bad: map[string]string{BadText: Drop, BadLine: Drop}}, bytes.NewReader(data))
			return rd.counts, err
		}
		counts, err := read(FormatText)
		if err == nil && counts.Read != 1 || counts.Kept > 1 {
			t.Errorf("one text: %+v", counts)
		}
		plain, whole := content, err == nil && counts.Kept == 1
		if counts, err = read(FormatJSONL); err == nil && counts.Read < counts.Kept {
			t.Errorf("lines: %+v", counts)
		}
		if format, err := recognise(bytes.NewReader(data), ""); err == nil && format == FormatJSONL && whole && len(plain) < headBytes {
			first, _, _ := strings.Cut(strings.TrimLeft(plain, " \t\r\n"), "\n")
			s := scanner{}
			if _, err := s.scan([]byte(first), &node{}); err != nil {
				t.Errorf("%q is said to be JSON Lines: %v", plain, err)
			}
		}
		if !whole {
			return
		}
		b, closer, err := Stream(bytes.NewReader(data), 1<<12)
		if err != nil {
			return // two bytes are enough of a byte order mark here
		}
		defer closer()
		if got, err := io.ReadAll(b); err != nil || string(got) != plain {
			t.Errorf("a filter reads %q, %v; a file is %q", got, err, plain)
		}
	})
}

// FuzzArray: an array gives the ids that its bytes are, or is refused.
func FuzzArray(f *testing.F) {
	f.Add(arrayOf("abc|de", 2), false, 301)
	f.Add(arrayOf("abc|de", 4), true, 301)
	f.Add(arrayOf("abcdefghijkl|", 4), false, 301)
	f.Add(arrayOf("abcdefghijkl|", 2), true, 301)
	f.Add([]byte(numpyMagic+"\x01\x00\x36\x00{'descr': '<u2', 'fortran_order': False, 'shape': (2,)}\nabcd"), false, 70000)
	f.Fuzz(func(t *testing.T, data []byte, wide bool, vocab int) {
		dtype, width := Uint16, 2
		if wide {
			dtype, width = Uint32, 4
		}
		a, err := openArray(bytes.NewReader(data), int64(len(data)), dtype, vocab)
		if err != nil {
			return
		}
		raw := data[a.head:]
		if a.total != int64(len(raw)/width) || len(raw)%width != 0 {
			t.Fatalf("%d ids of %d bytes", a.total, len(raw))
		}
		ids, err := a.take(nil, a.total, true)
		if err != nil || int64(len(ids)) != a.total {
			t.Fatalf("%d ids of %d, error %v", len(ids), a.total, err)
		}
		for i, id := range ids {
			want := uint32(binary.LittleEndian.Uint16(raw[i*width:]))
			if wide {
				want = binary.LittleEndian.Uint32(raw[i*width:])
			}
			if id != want {
				t.Fatalf("id %d is %d, want %d", i, id, want)
			}
		}
	})
}
