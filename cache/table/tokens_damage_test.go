package table

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// openBytes opens data as a token file and, if that works, reads all of it: nothing may panic or
// leave the file.
func openBytes(t testing.TB, path string, data []byte) error {
	t.Helper()
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	tok, err := OpenTokens(path)
	if err != nil {
		if !strings.Contains(err.Error(), path) {
			t.Errorf("error %q does not name the file", err)
		}
		return err
	}
	defer tok.Close()
	readAll(tok)
	return nil
}

func readAll(tok *Tokens) {
	dst := make([]int32, 1000)
	for at := int64(0); at < tok.Len(); at += int64(len(dst)) {
		tok.Read(dst[:min(int64(len(dst)), tok.Len()-at)], at)
	}
	var doc []uint32
	for i := range tok.Docs() {
		doc = tok.DocTokens(i, doc[:0])
		_ = tok.Doc(i)
	}
}

func TestOpenTokensDamaged(t *testing.T) {
	for _, vocab := range []int{300, 1 << 17} {
		t.Run(fmt.Sprint(vocab), func(t *testing.T) {
			data := readFile(t, writeTokens(t, vocab, documents(vocab, 0, 1, 700, 0, 33)))
			path := filepath.Join(t.TempDir(), "damaged")
			damage(t, data, 97, func(what string, data []byte, truncated bool) {
				if err := openBytes(t, path, data); err == nil && truncated {
					t.Errorf("%s: no error", what)
				}
			})
		})
	}
}

// Every 32-bit word of the metadata takes values that are wrong in the ways offsets and lengths
// are.
func TestOpenTokensWildNumbers(t *testing.T) {
	data := readFile(t, writeTokens(t, 300, documents(300, 3, 0, 5)))
	path := filepath.Join(t.TempDir(), "wild")
	for at := 0; at+4 <= len(data); at += 4 {
		for _, v := range []uint32{0, 1, 7, 8, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff, uint32(len(data)), uint32(at)} {
			wild := bytes.Clone(data)
			binary.LittleEndian.PutUint32(wild[at:], v)
			_ = openBytes(t, path, wild) // what counts is that it returns
		}
	}
}

func TestOpenTokensRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	good := readFile(t, writeTokens(t, 300, documents(300, 3)))
	replaceMeta := func(old, new string) []byte { return bytes.ReplaceAll(good, []byte(old), []byte(new)) }
	schema := tokenSchema(300)
	with := func(change func(f []arrow.Field) []arrow.Field, opts ...ipc.Option) []byte {
		meta := schema.Metadata()
		s := arrow.NewSchema(change(slices.Clone(schema.Fields())), &meta)
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		w, err := ipc.NewFileWriter(f, append(opts, ipc.WithSchema(s))...)
		if err == nil {
			b := array.NewRecordBuilder(memory.DefaultAllocator, s)
			for _, c := range b.Fields() {
				c.AppendEmptyValue()
				c.AppendNull()
			}
			err = errors.Join(w.Write(b.NewRecord()), w.Close(), f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		return readFile(t, path)
	}
	same := func(f []arrow.Field) []arrow.Field { return f }
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "0 bytes, an Arrow IPC file has at least 18"},
		{"text", []byte(strings.Repeat("text ", 10)), "not an Arrow IPC file"},
		{"another table", replaceMeta(tokensKind+"\x00", "tokenz\x00"), "not a token file"},
		{"another version", replaceMeta("\x01\x00\x00\x001\x00", "\x01\x00\x00\x007\x00"), `version "7", this program reads "1": run the step`},
		{"vocabulary", replaceMeta("300", "3x0"), "want a number"},
		{"wide vocabulary", replaceMeta("\x03\x00\x00\x00300\x00", "\x03\x00\x00\x00999\x00"), ""},
		{"column name", replaceMeta("chars", "charz"), `column 3 is "charz int64"`},
		{"signed", with(func(f []arrow.Field) []arrow.Field { f[1].Type = arrow.ListOf(arrow.PrimitiveTypes.Int16); return f }), "list<int16>"},
		{"nested", with(func(f []arrow.Field) []arrow.Field { f[1].Type = arrow.ListOf(f[1].Type); return f }), "type 12"},
		{"column type", with(func(f []arrow.Field) []arrow.Field { f[2].Type = arrow.PrimitiveTypes.Float64; return f }), "type 3"},
		{"column more", with(func(f []arrow.Field) []arrow.Field { return append(f, f[2]) }), "6 columns, want 5"},
		{"nulls", with(same), "1 nulls"},
		{"compressed", with(same, ipc.WithZstd()), "compressed, want uncompressed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := openBytes(t, path, c.data)
			if c.want == "" {
				if err != nil {
					t.Errorf("error %v, want none", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	if _, err := OpenTokens(path + ".none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v, want %v", err, os.ErrNotExist)
	}
	if _, err := OpenTokens(t.TempDir()); err == nil {
		t.Error("directory: no error")
	}
}
