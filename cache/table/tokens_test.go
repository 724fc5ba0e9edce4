package table

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/google/go-cmp/cmp"
)

type document struct {
	id     string
	tokens []uint32
}

// sizes are the bytes, chars and words that writeTokens gives document i.
func sizes(i int) (bytes, chars, words int64) {
	return int64(i) + 1<<40, int64(i) + 1<<33, int64(i)
}

func writeTokens(t testing.TB, vocab int, docs []document) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokens.arrow")
	w, err := CreateTokens(path, vocab)
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range docs {
		b, c, n := sizes(i)
		if err := w.Append(d.id, d.tokens, b, c, n); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func openTokens(t testing.TB, path string) *Tokens {
	t.Helper()
	tok, err := OpenTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tok.Close(); err != nil {
			t.Error(err)
		}
	})
	return tok
}

// documents makes documents of the given lengths.
func documents(vocab int, lengths ...int) []document {
	r := rand.New(rand.NewPCG(uint64(vocab), uint64(len(lengths))))
	docs := make([]document, len(lengths))
	for i, n := range lengths {
		docs[i] = document{id: strings.Repeat("é", i%5) + fmt.Sprint(i), tokens: make([]uint32, n)}
		for j := range docs[i].tokens {
			docs[i].tokens[j] = r.Uint32N(uint32(vocab))
		}
		if n > 0 {
			docs[i].tokens[0] = uint32(vocab - 1)
		}
	}
	return docs
}

func stream(docs []document) []int32 {
	var all []int32
	for _, d := range docs {
		for _, v := range d.tokens {
			all = append(all, int32(v))
		}
	}
	return all
}

func TestTokensRoundTrip(t *testing.T) {
	manyDocs := make([]int, batchDocs+3) // ends a batch by rows
	manyDocs[7], manyDocs[batchDocs+1] = 3, 2
	for _, c := range []struct {
		name    string
		vocab   int
		lengths []int
		batches int
	}{
		{"no document", 100, nil, 0},
		{"empty document", 100, []int{0}, 1},
		{"empty documents", 100, []int{0, 0, 0}, 1},
		{"one token", 2, []int{1}, 1},
		{"odd lengths", 50280, []int{0, 1, 2, 3, 5, 7, 0, 11, 13, 8191, 0}, 1},
		{"largest narrow vocabulary", 1 << 16, []int{3, 1, 17}, 1},
		{"smallest wide vocabulary", 1<<16 + 1, []int{3, 1, 17, 0}, 1},
		{"largest vocabulary", math.MaxInt32, []int{0, 3, 1, 0, 17}, 1},
		{"batches", 50280, []int{0, batchTokens - 1, 0, 1, 0, 1, batchTokens + 5, 0, 0, 9}, 4},
		{"wide batches", 1 << 20, []int{batchTokens, 0, 1, batchTokens, 0}, 3},
		{"many documents", 100, manyDocs, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			docs := documents(c.vocab, c.lengths...)
			all := stream(docs)
			tok := openTokens(t, writeTokens(t, c.vocab, docs))
			if tok.Vocab() != c.vocab || tok.Docs() != len(docs) || tok.Len() != int64(len(all)) || len(tok.batches) != c.batches {
				t.Fatalf("vocab %d, %d docs, %d tokens, %d batches, want %d, %d, %d, %d",
					tok.Vocab(), tok.Docs(), tok.Len(), len(tok.batches), c.vocab, len(docs), len(all), c.batches)
			}
			start := int64(0)
			var got []uint32
			for i, d := range docs {
				b, ch, w := sizes(i)
				if want := (Doc{d.id, len(d.tokens), b, ch, w}); tok.Doc(i) != want {
					t.Fatalf("document %d: %v, want %v", i, tok.Doc(i), want)
				}
				if tok.Start(i) != start {
					t.Fatalf("document %d starts at %d, want %d", i, tok.Start(i), start)
				}
				start += int64(len(d.tokens))
				if got = tok.DocTokens(i, append(got[:0], 77)); got[0] != 77 || !slices.Equal(got[1:], d.tokens) {
					t.Fatalf("document %d: tokens differ", i)
				}
			}
			if tok.Start(len(docs)) != tok.Len() {
				t.Errorf("end is %d, want %d", tok.Start(len(docs)), tok.Len())
			}
			checkRead(t, tok, all)
		})
	}
}

// checkRead reads the whole, and stretches at every small offset, round every batch and at random,
// with guards.
func checkRead(t *testing.T, tok *Tokens, all []int32) {
	t.Helper()
	read := func(from, n int) {
		t.Helper()
		const guard = -12345
		dst := make([]int32, n+2)
		dst[0], dst[n+1] = guard, guard
		tok.Read(dst[1:n+1], int64(from))
		if dst[0] != guard || dst[n+1] != guard {
			t.Fatalf("read of %d from %d wrote outside", n, from)
		}
		if !slices.Equal(dst[1:n+1], all[from:from+n]) {
			t.Fatalf("read of %d from %d differs", n, from)
		}
	}
	read(0, len(all))
	for from := 0; from <= min(20, len(all)); from++ {
		for n := 0; n <= min(20, len(all)-from); n++ {
			read(from, n)
		}
	}
	for _, b := range tok.batches {
		for from := max(0, int(b.first)-5); from <= min(len(all), int(b.first)+5); from++ {
			for n := 0; n <= min(12, len(all)-from); n++ {
				read(from, n)
			}
		}
	}
	r := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		from := r.IntN(len(all) + 1)
		read(from, r.IntN(min(10_000, len(all)-from)+1))
	}
}

// The view of ours must show what Arrow's own reader shows, in a file with batches of all kinds.
func TestTokensAsArrowReadsThem(t *testing.T) {
	for _, vocab := range []int{50280, 1 << 17} {
		t.Run(fmt.Sprint(vocab), func(t *testing.T) {
			path := writeTokens(t, vocab, documents(vocab, 3, 0, batchTokens, 1, 2, 0, 0, batchTokens+1, 0, 5))
			docs, stream := arrowTokens(t, readFile(t, path))
			tok := openTokens(t, path)
			if tok.Docs() != len(docs) || tok.Len() != int64(len(stream)) {
				t.Fatalf("%d docs, %d tokens, want %d, %d", tok.Docs(), tok.Len(), len(docs), len(stream))
			}
			for i, want := range docs {
				if d := cmp.Diff(want, tok.Doc(i)); d != "" {
					t.Errorf("document %d differs (-arrow +ours):\n%s", i, d)
				}
			}
			got := make([]int32, tok.Len())
			tok.Read(got, 0)
			if !slices.Equal(got, stream) {
				t.Error("tokens differ")
			}
		})
	}
}

func arrowTokens(t testing.TB, data []byte) (docs []Doc, stream []int32) {
	t.Helper()
	r, err := ipc.NewFileReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for k := range r.NumRecords() {
		rec, err := r.RecordAt(k)
		if err != nil {
			t.Fatal(err)
		}
		list := rec.Column(1).(*array.List)
		for i := range int(rec.NumRows()) {
			from, to := list.ValueOffsets(i)
			docs = append(docs, Doc{
				rec.Column(0).(*array.String).Value(i), int(to - from), rec.Column(2).(*array.Int64).Value(i),
				rec.Column(3).(*array.Int64).Value(i), rec.Column(4).(*array.Int64).Value(i)})
		}
		switch v := list.ListValues().(type) {
		case *array.Uint16:
			for _, x := range v.Uint16Values() {
				stream = append(stream, int32(x))
			}
		case *array.Uint32:
			for _, x := range v.Uint32Values() {
				stream = append(stream, int32(x))
			}
		default:
			t.Fatalf("tokens are %T", v)
		}
	}
	return docs, stream
}

func TestTokensSameBytes(t *testing.T) {
	docs := documents(50280, 5, 0, batchTokens, 3)
	a, b := readFile(t, writeTokens(t, 50280, docs)), readFile(t, writeTokens(t, 50280, docs))
	if !bytes.Equal(a, b) {
		t.Error("same documents, other bytes")
	}
}

func TestTokenWriterRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, vocab := range []int{-1, 0, math.MaxInt32 + 1} {
		if _, err := CreateTokens(filepath.Join(dir, "v"), vocab); err == nil || !strings.Contains(err.Error(), fmt.Sprint(vocab)) {
			t.Errorf("vocabulary of %d: error %v", vocab, err)
		}
	}
	if _, err := CreateTokens(filepath.Join(dir, "none", "x"), 10); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing folder: %v, want %v", err, os.ErrNotExist)
	}
	path := filepath.Join(dir, "x")
	w, err := CreateTokens(path, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, id     string
		tokens       []uint32
		bytes, words int64
		want         string
	}{
		{"token", "a", []uint32{1, 10}, 0, 0, "token 1 is 10, vocabulary has 10"},
		{"id", "\xff", nil, 0, 0, "UTF-8"},
		{"long id", strings.Repeat("a", maxIDBytes+1), nil, 0, 0, "at most"},
		{"bytes", "a", nil, -1, 0, "-1 bytes"},
		{"words", "a", nil, 0, -1, "-1 words"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := w.Append(c.id, c.tokens, c.bytes, 0, c.words); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	if err := w.Append("kept", []uint32{9}, 1, 1, 1); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	if err := w.Append("late", nil, 0, 0, 0); err == nil {
		t.Error("append after close: no error")
	}
	// Nothing of what was refused is in the file.
	tok := openTokens(t, path)
	if want := (Doc{"kept", 1, 1, 1, 1}); tok.Docs() != 1 || tok.Doc(0) != want {
		t.Errorf("%d documents, first %v, want only %v", tok.Docs(), tok.Doc(0), want)
	}
}

func TestTokenWriterReportsFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skipf("needs the full device of Linux: %v", err)
	}
	w, err := CreateTokens("/dev/full", 10)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Append("a", []uint32{1}, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	if first, second := w.Close(), w.Close(); first == nil || first != second {
		t.Errorf("close: %v, then %v, want the same error", first, second)
	}
}

func TestReadOutsidePanics(t *testing.T) {
	tok := openTokens(t, writeTokens(t, 10, documents(10, 3, 4)))
	for _, c := range []struct {
		name string
		call func()
	}{
		{"read before", func() { tok.Read(make([]int32, 1), -1) }},
		{"read beyond", func() { tok.Read(make([]int32, 8), 0) }},
		{"read after", func() { tok.Read(make([]int32, 0), 8) }},
		{"read far after", func() { tok.Read(make([]int32, 5), math.MaxInt64) }},
		{"document before", func() { tok.Doc(-1) }},
		{"document after", func() { tok.DocTokens(2, nil) }},
		{"start after", func() { tok.Start(3) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer func() {
				if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), "table: ") {
					t.Errorf("panic %v, want one of this package", r)
				}
			}()
			c.call()
		})
	}
}

func TestReadDoesNotAllocate(t *testing.T) {
	for _, vocab := range []int{50280, 1 << 17} {
		tok := openTokens(t, writeTokens(t, vocab, documents(vocab, 1000, batchTokens, 1000)))
		dst := make([]int32, 4000)
		if n := testing.AllocsPerRun(100, func() { tok.Read(dst, 999); tok.Read(dst, batchTokens-3000) }); n != 0 {
			t.Errorf("vocabulary of %d: %v allocations, want none", vocab, n)
		}
	}
}

func TestConcurrentReaders(t *testing.T) {
	docs := documents(50280, 1000, batchTokens, 77, 3000)
	all := stream(docs)
	tok := openTokens(t, writeTokens(t, 50280, docs))
	var wait sync.WaitGroup
	for g := range 8 {
		wait.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(g)))
			dst := make([]int32, 5000)
			for range 200 {
				from := r.IntN(len(all) - len(dst))
				tok.Read(dst, int64(from))
				if !slices.Equal(dst, all[from:from+len(dst)]) {
					t.Errorf("read from %d differs", from)
					return
				}
				i := r.IntN(len(docs))
				if d := tok.Doc(i); d.ID != docs[i].id || d.Tokens != len(docs[i].tokens) {
					t.Errorf("document %d: %v", i, d)
				}
			}
		})
	}
	wait.Wait()
}

// The layout that ARTIFACTS.md states.
func TestTokensLayout(t *testing.T) {
	data := readFile(t, writeTokens(t, 300, []document{{"ab", []uint32{1, 2, 299}}, {"", nil}, {"c", []uint32{7}}}))
	le := binary.LittleEndian
	pad := func(b []byte) []byte { return append(b, make([]byte, -len(b)&7)...) }
	int64s := func(v ...uint64) (b []byte) {
		for _, x := range v {
			b = le.AppendUint64(b, x)
		}
		return pad(b)
	}
	var body []byte
	body = append(body, pad([]byte{0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0})...)
	body = append(body, pad([]byte("abc"))...)
	body = append(body, pad([]byte{0, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0})...)
	body = append(body, pad([]byte{1, 0, 2, 0, 299 & 255, 1, 7, 0})...)
	body = append(body, int64s(1<<40, 1<<40+1, 1<<40+2)...)
	body = append(body, int64s(1<<33, 1<<33+1, 1<<33+2)...)
	body = append(body, int64s(0, 1, 2)...)
	footer := len(data) - ipcTail - int(le.Uint32(data[len(data)-ipcTail:]))
	if got := data[footer-len(body) : footer]; !bytes.Equal(got, body) {
		t.Errorf("body is\n% x\nwant\n% x", got, body)
	}
	if !strings.HasPrefix(string(data), "ARROW1\x00\x00\xff\xff\xff\xff") || !strings.HasSuffix(string(data), "ARROW1") {
		t.Errorf("file begins with %q and ends with %q", data[:12], data[len(data)-6:])
	}
}
