package parquet

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// wishesFor are wishes for all columns of a file that can be read.
func wishesFor(f *File) []Column {
	var all []Column
	for _, name := range f.Columns() {
		if c := (Column{Path: strings.Split(name, ".")}); f.Check(c) == nil {
			all = append(all, c)
		}
	}
	return all
}

// readEverything reads all columns of a file, whatever it is: its rows come in order and all of
// them, or there is an error. sum changes with every value.
func readEverything(data []byte) (rows int64, sum uint64, err error) {
	f, err := New(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return 0, 0, err
	}
	wishes := wishesFor(f)
	err = f.Rows(context.Background(), wishes, func(row int64, cells []Cell) error {
		if rows++; row != rows || len(cells) != len(wishes) {
			return fmt.Errorf("row %d after %d of %d cells", row, rows-1, len(cells))
		}
		if rows > 1<<17 {
			return errMany
		}
		for _, c := range cells {
			for i := 0; i < len(c.Text); i++ {
				sum = sum*31 + uint64(c.Text[i])
			}
		}
		return nil
	})
	if err == nil && len(wishes) > 0 && rows != f.NumRows() {
		err = fmt.Errorf("%d rows and no error, the footer says %d", rows, f.NumRows())
		panic(err)
	}
	return rows, sum, err
}

var errMany = errors.New("more rows than a test waits for")

// allocated is how many bytes f allocates in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func goldenFiles(t testing.TB) []string {
	files, err := filepath.Glob("testdata/golden/*.parquet")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d files, error %v", len(files), err)
	}
	return files
}

func readFile(t testing.TB, path string) []byte {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// mostMemory bounds what reading a damaged file of a few kilobytes allocates in all. A page of 2 KB
// of zstd may stand for 64 MB.
const mostMemory = 96 << 20

// hurt reads a damaged file in bounded memory and time.
func hurt(t *testing.T, what string, data []byte) error {
	t.Helper()
	var err error
	began := time.Now()
	if used := allocated(func() { _, _, err = readEverything(data) }); used > mostMemory {
		t.Errorf("%s: %d bytes were allocated for a file of %d (error %v)", what, used, len(data), err)
	}
	if d := time.Since(began); d > 20*time.Second { // far above what any machine needs, far below for ever
		t.Errorf("%s: reading took %v (error %v)", what, d, err)
	}
	return err
}

// A byte changed anywhere ends in an error or in all of the rows. In a short run every seventh byte
// is.
func TestFlippedBits(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, path := range goldenFiles(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			data := readFile(t, path)
			step := max(1, len(data)/600)
			failed, flips := 0, 0
			for at := 0; at < len(data); at += step {
				was := data[at]
				data[at] ^= 1 << (at * 5 % 8)
				if err := hurt(t, fmt.Sprintf("byte %d", at), data); err != nil {
					failed++
				}
				data[at] = was
				flips++
			}
			if failed == 0 {
				t.Error("no flip is an error")
			}
			t.Logf("of %d flips %d are errors", flips, failed)
		})
	}
	if now := runtime.NumGoroutine(); now > before {
		t.Errorf("%d goroutines, before %d", now, before)
	}
}

// A file that is cut short is an error, and so is one whose head is gone.
func TestTruncated(t *testing.T) {
	for _, path := range goldenFiles(t) {
		data := readFile(t, path)
		for n := 0; n < len(data); n += max(1, len(data)/100) {
			if err := hurt(t, fmt.Sprintf("%s: %d bytes", path, n), data[:n]); err == nil {
				t.Errorf("%s: %d bytes of %d are read", path, n, len(data))
			}
			if n > 0 {
				hurt(t, fmt.Sprintf("%s: without %d bytes", path, n), data[n:])
			}
		}
	}
}

// With checksums no change of a page is read.
func TestChecksums(t *testing.T) {
	data := readFile(t, "testdata/golden/checksums.parquet")
	_, want, err := readEverything(data)
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	sums := 0
	for at := range int(f.end) {
		data[at] ^= 0x10
		_, sum, err := readEverything(data)
		data[at] ^= 0x10
		if err != nil && strings.Contains(err.Error(), "checksum") && strings.Contains(err.Error(), "the file is damaged") {
			sums++
		} else if err == nil && sum != want { // statistics in headers may change
			t.Errorf("byte %d: other values and no error", at)
		}
	}
	if sums < int(f.end)/2 {
		t.Errorf("of %d changes %d are told by checksums", f.end, sums)
	}
}

// withFooter puts another footer into a file.
func withFooter(data []byte, begin int64, footer []byte) []byte {
	out := append(bytes.Clone(data[:begin]), footer...)
	return append(binary.LittleEndian.AppendUint32(out, uint32(len(footer))), magic...)
}

// Sizes that a file of a few kilobytes states take no memory: each byte of the footer and of the
// pages' headers becomes the number 2^31-1 once, 2^40, and the head of a long list.
func TestSizesAreNotTakenOnTrust(t *testing.T) {
	wild := map[string]string{"2^31-1": "\xfe\xff\xff\xff\x0f", "2^40": "\x80\x80\x80\x80\x80\x40", "a list of 2^31-1": "\xfc\xff\xff\xff\xff\x07", "a list of 10^8": "\xfc\x80\xc2\xd7\x2f"}
	for _, name := range []string{"int96", "split", "nothing"} {
		data := readFile(t, "testdata/golden/"+name+".parquet")
		f, err := New(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		footer := data[f.end : len(data)-tail]
		for word, value := range wild {
			for at := range footer {
				changed := append(append(bytes.Clone(footer[:at]), value...), footer[at+1:]...)
				hurt(t, fmt.Sprintf("%s: %s at byte %d of the footer", name, word, at), withFooter(data, f.end, changed))
			}
			for at := range f.end {
				hurt(t, fmt.Sprintf("%s: %s at byte %d", name, word, at), append(append(bytes.Clone(data[:at]), value...), data[min(at+int64(len(value)), int64(len(data))):]...))
			}
		}
	}
}

// FuzzFile: reading any bytes comes to an end, the same one each time, in memory that the file's
// size bounds.
func FuzzFile(f *testing.F) {
	for _, path := range goldenFiles(f) {
		if data := readFile(f, path); len(data) < 10000 {
			f.Add(data)
		}
	}
	f.Add([]byte("PAR1\x00\x00\x00\x00PAR1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var rows int64
		var sum uint64
		var err error
		used := allocated(func() { rows, sum, err = readEverything(data) })
		if used > 128<<20+1<<15*uint64(len(data)) && !errors.Is(err, errMany) {
			t.Errorf("%d bytes were allocated for a file of %d (error %v)", used, len(data), err)
		}
		if rows2, sum2, err2 := readEverything(data); rows2 != rows || sum2 != sum || fmt.Sprint(err2) != fmt.Sprint(err) {
			t.Errorf("%d rows and error %v, then %d and %v", rows, err, rows2, err2)
		}
	})
}

// FuzzPage: the same of what is in one page, behind its header, in each encoding and for each type.
func FuzzPage(f *testing.F) {
	for encoding := range uint8(len(encodingNames)) {
		f.Add(encoding, uint8(physicalBytes), uint8(encoding), []byte("\x80\x01\x04\x05\x02\x02\x03\x00\x00\x00abc\x07\xff"))
		f.Add(encoding, uint8(physicalInt64), uint8(4), []byte("\x80\x01\x04\x05\x02\x02\x03\x00\x00\x00abc\x07\xff"))
	}
	f.Fuzz(func(t *testing.T, encoding, physical, n uint8, data []byte) {
		sizes := []int{0, 4, 8, 12, 4, 8, 0, 5}
		p := int(physical) % len(sizes)
		words, err := newDictionary(data, int64(p), sizes[p], int64(n))
		if err != nil {
			words = nil
		}
		d, err := newDecoder(int64(encoding), int64(p), sizes[p], data, int64(n), words)
		if err != nil {
			return
		}
		for range 1000 {
			v, err := d.next()
			if err != nil {
				return
			}
			if want := max(sizes[p], 1); len(v) != want && p != physicalBytes {
				t.Fatalf("a value of %d bytes, want %d", len(v), want)
			}
			if len(v) > len(data) && sizes[p] == 0 && p != physicalBoolean {
				t.Fatalf("a value of %d bytes in a page of %d", len(v), len(data))
			}
		}
	})
}
