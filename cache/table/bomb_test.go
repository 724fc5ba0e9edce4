package table

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// allocated is how many bytes f allocates in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// What a token file of a few kilobytes says of its lengths takes no memory: each word of it is a
// terabyte once.
func TestOpenTokensTakesNoSizeOnTrust(t *testing.T) {
	data := readFile(t, writeTokens(t, 300, documents(300, 3, 0, 5)))
	path := filepath.Join(t.TempDir(), "wild")
	for at := 0; at+8 <= len(data); at += 4 {
		for _, v := range []uint64{1 << 40, 1<<63 - 1, 1<<63 - 8, 1 << 63, 1<<64 - 8} {
			wild := bytes.Clone(data)
			binary.LittleEndian.PutUint64(wild[at:], v)
			var err error
			if used := allocated(func() { err = openBytes(t, path, wild) }); used > 1<<20 {
				t.Errorf("%#x at byte %d: %d bytes were allocated (error %v)", v, at, used, err)
			}
		}
	}
}

// parquetFooter is where the footer of a Parquet file begins and ends.
func parquetFooter(data []byte) (begin, end int) {
	end = len(data) - 8
	return end - int(binary.LittleEndian.Uint32(data[end:])), end
}

// withFooter puts another footer into a Parquet file.
func withFooter(data, footer []byte) []byte {
	begin, _ := parquetFooter(data)
	out := append(bytes.Clone(data[:begin]), footer...)
	return append(binary.LittleEndian.AppendUint32(out, uint32(len(footer))), "PAR1"...)
}

// What a table of a few kilobytes says of its lengths takes no memory: at each byte of its footer,
// which is Thrift's compact protocol, stands the number 2^31-1 or 2^40 once, and once the head of a
// list of so many.
func TestReadRowsTakesNoSizeOnTrust(t *testing.T) {
	data := readFile(t, writeRows(t, someRows(5)))
	layout, err := layoutOf(reflect.TypeFor[everyType]())
	if err != nil {
		t.Fatal(err)
	}
	begin, end := parquetFooter(data)
	for name, wild := range map[string]string{
		"2^31-1": "\xff\xff\xff\xff\x07", "2^40": "\x80\x80\x80\x80\x80\x20", "a list of 2^31-1": "\xfc\xff\xff\xff\xff\x07", "a list of 10^8": "\xfc\x80\xc2\xd7\x2f",
	} {
		for at := begin; at < end; at++ {
			footer := append(append(bytes.Clone(data[begin:at]), wild...), data[at+1:end]...)
			file := withFooter(data, footer)
			var rows []everyType
			var err error
			used := allocated(func() {
				err = readParquet(bytes.NewReader(file), int64(len(file)), layout, reflect.ValueOf(&rows).Elem(), nil)
			})
			if used > 4<<20 {
				t.Fatalf("%s at byte %d of the footer: %d bytes were allocated for a file of %d (error %v)", name, at-begin, used, len(file), err)
			}
		}
	}
	for _, size := range []uint32{1 << 31, 1<<32 - 1, uint32(len(data)), uint32(len(data)) - 11} {
		wild := bytes.Clone(data)
		binary.LittleEndian.PutUint32(wild[end:], size)
		var rows []everyType
		var err error
		used := allocated(func() {
			err = readParquet(bytes.NewReader(wild), int64(len(wild)), layout, reflect.ValueOf(&rows).Elem(), nil)
		})
		if err == nil || used > 1<<20 {
			t.Errorf("footer of %d bytes: %d were allocated, error %v", size, used, err)
		}
	}
}

// A schema must be a tree of the elements that are there, and no deeper than any table's is.
func TestCheckFooter(t *testing.T) {
	element := func(children int) string { // name "a", and children where there are some
		if children == 0 {
			return "\x48\x01a\x00"
		}
		return "\x48\x01a\x15" + string(binary.AppendVarint(nil, int64(children))) + "\x00"
	}
	list := func(elements ...string) string {
		return "\x15\x02\x19\xfc" + string(binary.AppendUvarint(nil, uint64(len(elements)))) + strings.Join(elements, "") + "\x00"
	}
	deep := slices.Repeat([]string{element(1)}, deepest+1)
	for _, c := range []struct{ name, footer, want string }{
		{"two columns", list(element(2), element(0), element(0)), ""},
		{"a column in a column", list(element(2), element(1), element(0), element(0)), ""},
		{"children that are not there", list(element(3), element(0), element(0)), "element 0 of the schema has 3 children, 2 elements follow"},
		{"two thousand million children", list(element(1), element(1<<31-1), element(0)), "element 1 of the schema has 2147483647 children"},
		{"fewer than no children", list(element(-1)), "has -1 children"},
		{"an element too many", list(element(1), element(0), element(0)), "element 2 of the schema is in none"},
		{"deep", list(append(deep[:deepest-1:deepest-1], element(0))...), ""},
		{"too deep", list(append(deep, element(0))...), "more than 64 deep"},
		{"lists in lists", "\x19" + strings.Repeat("\x19", 100) + "\x00", "lists within lists more than 64 deep"},
		{"structs in structs", "\x1c" + strings.Repeat("\x1c", 100), "structs within structs more than 64 deep"},
		{"a map of too many", "\x1b\xff\xff\xff\xff\x0f\x88\x00", "map of 4294967295"},
		{"text of too many", "\x18\xff\xff\xff\xff\x0f\x00", "it ends inside a value"},
		{"an unknown type", "\x1e\x00", "value of type 14"},
		{"nothing", "", "it ends inside a value"},
		{"a number without end", "\x16" + strings.Repeat("\xff", 20), "it ends inside a value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := withFooter([]byte("PAR1\x00\x00\x00\x00PAR1"), []byte(c.footer))
			err := checkFooter(bytes.NewReader(file), int64(len(file)))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	for file, want := range map[string]string{
		"PAR1": "4 bytes, a Parquet file has at least 12", "PAR1\x00\x00\x00\x00PARE": "encrypted", "PAR1\x00\x00\x00\x00PAR2": "cut short",
		"PAR1\x01\x00\x00\x00PAR1": "footer of 1 bytes, the file has 0 for it",
	} {
		if err := checkFooter(strings.NewReader(file), int64(len(file))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", file, err, want)
		}
	}
}

// A footer of gigabytes that is there, in a sparse file, is not read.
func TestGiantFooter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	const size = 6 << 30
	f, err := os.Create(path)
	if err == nil {
		_, err = f.WriteAt([]byte("\x00\x00\x00\xc0PAR1"), size-8)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Skip("no sparse files here:", err)
	}
	used := allocated(func() { _, err = ReadRows[everyType](path) })
	if err == nil || !strings.Contains(err.Error(), "footer of 3221225472 bytes, at most 268435456") || used > 1<<20 {
		t.Errorf("%d bytes allocated, error %v", used, err)
	}
}

// FuzzFooter: whatever the footer of a table, reading comes to an end, at a cost that the size of
// the file bounds.
func FuzzFooter(f *testing.F) {
	data := readFile(f, writeRows(f, someRows(5)))
	layout, err := layoutOf(reflect.TypeFor[everyType]())
	if err != nil {
		f.Fatal(err)
	}
	begin, end := parquetFooter(data)
	f.Add(data[begin:end])
	f.Add([]byte("\x15\x02\x19\x3c\x48\x01a\x15\x04\x00\x48\x01b\x00\x48\x01c\x00\x16\x02\x19\x0c\x00"))
	f.Fuzz(func(t *testing.T, footer []byte) {
		file := withFooter(data, footer)
		var rows []everyType
		var err error
		used := allocated(func() {
			err = readParquet(bytes.NewReader(file), int64(len(file)), layout, reflect.ValueOf(&rows).Elem(), nil)
		})
		if used > 64<<20+64*uint64(len(file)) {
			t.Errorf("%d bytes were allocated for a file of %d (error %v)", used, len(file), err)
		}
	})
}
