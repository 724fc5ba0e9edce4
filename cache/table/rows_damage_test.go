package table

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// shortWriter fails after some bytes, as a full disk does.
type shortWriter struct{ left int }

func (w *shortWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		n := w.left
		w.left = 0
		return n, io.ErrShortWrite
	}
	w.left -= len(p)
	return len(p), nil
}

func TestWriteRowsReportsFullDisk(t *testing.T) {
	rows := someRows(100)
	size := len(readFile(t, writeRows(t, rows)))
	layout, err := layoutOf(reflect.TypeFor[everyType]())
	if err != nil {
		t.Fatal(err)
	}
	for room := 0; room < size; room += 7 {
		if err := writeParquet(&shortWriter{room}, layout, reflect.ValueOf(rows)); err == nil {
			t.Fatalf("%d bytes of %d: no error", room, size)
		}
		if err := writeCSV(&shortWriter{room % 100}, layout, reflect.ValueOf(rows)); err == nil {
			t.Fatalf("csv, %d bytes: no error", room%100)
		}
	}
	if err := writeParquet(&shortWriter{size}, layout, reflect.ValueOf(rows)); err != nil {
		t.Errorf("%d bytes of %d: %v", size, size, err)
	}
}

// damage calls try with a file truncated at every step-th byte, and with bytes flipped.
func damage(t *testing.T, data []byte, step int, try func(what string, data []byte, truncated bool)) {
	t.Helper()
	for n := 0; n < len(data); n += step {
		try(fmt.Sprintf("truncated to %d of %d", n, len(data)), data[:n], true)
	}
	r := rand.New(rand.NewPCG(2, 3))
	for i := range data {
		// Both ends hold the metadata; in between a sample.
		if i > 600 && i < len(data)-2500 && r.IntN(50) != 0 {
			continue
		}
		flipped := bytes.Clone(data)
		if i%2 == 0 {
			flipped[i] ^= 1 << r.IntN(8)
		} else {
			flipped[i] = byte(r.Uint32())
		}
		try(fmt.Sprintf("byte %d of %d set to %#x", i, len(data), flipped[i]), flipped, false)
	}
}

func TestReadRowsDamaged(t *testing.T) {
	for _, n := range []int{20, compressRows} {
		t.Run(fmt.Sprint(n), func(t *testing.T) { testReadRowsDamaged(t, n) })
	}
}

func testReadRowsDamaged(t *testing.T, rows int) {
	data := readFile(t, writeRows(t, someRows(rows)))
	path := filepath.Join(t.TempDir(), "damaged")
	damage(t, data, 97, func(what string, data []byte, truncated bool) {
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		// A flipped bit of a value goes unnoticed; what counts is that nothing panics, and no
		// truncation does.
		if _, err := ReadRows[everyType](path); err == nil && truncated {
			t.Errorf("%s: no error", what)
		}
	})
}
