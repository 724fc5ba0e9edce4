package table

import (
	"bytes"
	"reflect"
	"slices"
	"testing"
	"unsafe"
)

// aligned copies data to an address that is a multiple of 8, as a mapping is.
func aligned(data []byte) []byte {
	words := make([]int64, len(data)/8+1)
	b := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), 8*len(words))[:len(data):len(data)]
	copy(b, data)
	return b
}

// FuzzTokens: whatever the bytes, parsing returns, and what it accepts can be read to the end.
func FuzzTokens(f *testing.F) {
	for _, vocab := range []int{300, 1 << 17} {
		f.Add(readFile(f, writeTokens(f, vocab, documents(vocab, 0, 1, 5))))
	}
	f.Add(readFile(f, writeTokens(f, 2, nil)))
	f.Fuzz(func(t *testing.T, data []byte) {
		layout, batches, err := parseTokens(aligned(data))
		if err != nil {
			return
		}
		tok := &Tokens{vocab: layout.vocab, batches: batches}
		if n := len(batches); n > 0 {
			last := &batches[n-1]
			tok.docs, tok.length = last.firstDoc+last.docs(), last.first+int64(last.tokens())
		}
		readAll(tok)
	})
}

// FuzzRows: whatever the bytes, reading returns, and what it accepts is written and read back as it
// is.
func FuzzRows(f *testing.F) {
	layout, err := layoutOf(reflect.TypeFor[everyType]())
	if err != nil {
		f.Fatal(err)
	}
	for _, n := range []int{0, 1, 12} {
		f.Add(readFile(f, writeRows(f, someRows(n))))
	}
	read := func(data []byte) ([]everyType, error) {
		var rows []everyType
		err := readParquet(bytes.NewReader(data), int64(len(data)), layout, reflect.ValueOf(&rows).Elem(), nil)
		return rows, err
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := read(data)
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := writeParquet(&out, layout, reflect.ValueOf(rows)); err != nil {
			return // strings of the file are not UTF-8
		}
		again, err := read(out.Bytes())
		if err != nil || len(again) != len(rows) {
			t.Fatalf("%d rows, %v, want %d", len(again), err, len(rows))
		}
		for i := range rows {
			if a, b := again[i], rows[i]; a.ID != b.ID || a.Tokens != b.Tokens || a.Small != b.Small || a.Good != b.Good ||
				!slices.Equal(a.Hashes, b.Hashes) || !slices.Equal(a.Names, b.Names) || !slices.Equal(a.Ends, b.Ends) {
				t.Fatalf("row %d: %v, want %v", i, a, b)
			}
		}
	})
}
