package corpus

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// repeated is n copies of a text, compressed: as few members or frames as a file may have, one
// after the other.
func repeated(t *testing.T, format, text string, n int) []byte {
	t.Helper()
	var one bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&one)
	if format == "zstd" {
		z, err := zstd.NewWriter(&one)
		if err != nil {
			t.Fatal(err)
		}
		w = z
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.Repeat(one.Bytes(), n)
}

// allocated is how many bytes f allocates in all, whether they are let go or not.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// live is how many bytes are in use.
func live() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A small file that inflates to 2 GB without end of line ends at the longest line, with its name
// and line; nothing behind it is inflated, and memory is what that line takes.
func TestCompressedBombOfOneLine(t *testing.T) {
	const mb = 1 << 20
	for _, format := range []string{"gzip", "zstd"} {
		bomb := repeated(t, format, strings.Repeat("x", 16*mb), 128)
		for _, c := range []struct{ format, want string }{
			{FormatJSONL, "corpus: f.jsonl:3 (byte 4): the line has more than 4194304 bytes: is this a file of JSON Lines?"},
			{FormatText, "corpus: f.jsonl: a document may have 4194304 bytes"},
		} {
			t.Run(format+" "+c.format, func(t *testing.T) {
				start := repeated(t, format, "{}\n\n", 1)
				in := &counted{r: io.MultiReader(bytes.NewReader(start), bytes.NewReader(bomb))}
				var err error
				used := allocated(func() {
					rd := &reader{name: "f.jsonl", limit: 4 * mb, emit: func(Document) error { return nil }}
					err = rd.read(context.Background(), Options{Format: c.format, Bad: map[string]string{BadText: Drop}}, in)
				})
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want %q", err, c.want)
				}
				// A slice that grows by doubling, or by a quarter as large ones do, copies itself a
				// few times.
				if used > 64*mb || in.n > int64(len(bomb))/2 {
					t.Errorf("%d bytes allocated and %d of %d read for a line of %d", used, in.n, len(bomb), 4*mb)
				}
			})
		}
	}
}

// counted counts the bytes that are read.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// A small file that inflates to many lines is read one by one: memory is that of a line, however
// many there are.
func TestCompressedBombOfManyLines(t *testing.T) {
	const mb = 1 << 20
	document := `{"text":"` + strings.Repeat("y", 64<<10) + `"}` + "\n"
	blank := strings.Repeat(" ", 64<<10) + "\n"
	for _, format := range []string{"gzip", "zstd"} {
		t.Run(format, func(t *testing.T) {
			bomb := repeated(t, format, document+strings.Repeat(blank, 15), 64) // 64 MiB
			base, most, docs := live(), uint64(0), 0
			counts, err := Read(context.Background(), Options{Format: FormatJSONL}, "f", bytes.NewReader(bomb), func(Document) error {
				if docs++; docs%16 == 0 {
					most = max(most, live())
				}
				return nil
			})
			if err != nil || docs != 64 || counts.Read != 64 || counts.Bytes != 64*64<<10 {
				t.Errorf("%d documents, %+v, error %v", docs, counts, err)
			}
			if most > base+16*mb {
				t.Errorf("%d bytes in use while %d inflate to 64 MiB, %d before", most, len(bomb), base)
			}
		})
	}
}

// What a frame or member says of itself takes no memory before it is true.
func TestCompressedHeaders(t *testing.T) {
	const magic = "\x28\xb5\x2f\xfd"
	for _, c := range []struct {
		name, content, want string
	}{
		{"window of 2 TiB", magic + "\x00\xf8" + "\x01\x00\x00", "zstd: window size exceeded: the file asks for more memory than the 128 MiB that are granted: compress it again with --long=27 or less"},
		{"content of an exabyte", magic + "\xe0\x00\x00\x00\x00\x00\x00\x00\x10" + "\x01\x00\x00", "zstd: "},
		{"content of an exabyte in a window", magic + "\xc0\x50\x00\x00\x00\x00\x00\x00\x00\x10" + "\x01\x00\x00", "zstd: "},
		{"block of 2 MiB", magic + "\x00\x50" + "\xff\xff\xff", "zstd: "},
		{"skippable frame of 4 GiB", magic + "\x00\x50\x09\x00\x00x" + "\x50\x2a\x4d\x18\xff\xff\xff\xff", "zstd: "},
		{"unknown dictionary", magic + "\x03\x50\x01\x02\x03\x04" + "\x01\x00\x00", "zstd: "},
		{"extra field of 64 KiB", "\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\x03\xff\xff", "gzip: "},
		{"name without end", "\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03" + strings.Repeat("n", 1<<20), "gzip: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			var err error
			used := allocated(func() {
				_, err = Read(context.Background(), Options{Format: FormatJSONL}, "f", strings.NewReader(c.content), func(Document) error { return nil })
			})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "corpus: f") {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if used > 8<<20 {
				t.Errorf("%d bytes were allocated for %d", used, len(c.content))
			}
			if c.name == "window of 2 TiB" && !errors.Is(err, zstd.ErrWindowSizeExceeded) {
				t.Errorf("error %v is not the decoder's", err)
			}
		})
	}
}
