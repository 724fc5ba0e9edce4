package parquet

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// compressed is text in each codec, in all the forms in which it is written.
func compressed(t testing.TB, text []byte) map[string][]byte {
	var gz, br, frame bytes.Buffer
	w := gzip.NewWriter(&gz)
	b := brotli.NewWriter(&br)
	l := lz4.NewWriter(&frame)
	for _, w := range []interface {
		Write([]byte) (int, error)
		Close() error
	}{w, b, l} {
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	block := func(text []byte) []byte {
		out := make([]byte, lz4.CompressBlockBound(len(text)))
		n, err := lz4.CompressBlock(text, out, nil)
		if err != nil || n == 0 {
			t.Fatal(n, err)
		}
		return out[:n]
	}
	var hadoop []byte
	for _, part := range [][]byte{text[:len(text)/3], text[len(text)/3:]} {
		packed := block(part)
		hadoop = binary.BigEndian.AppendUint32(hadoop, uint32(len(part)))
		hadoop = append(binary.BigEndian.AppendUint32(hadoop, uint32(len(packed))), packed...)
	}
	return map[string][]byte{
		"0 none": text, "1 snappy": snappy.Encode(nil, text), "2 gzip": gz.Bytes(), "4 brotli": br.Bytes(), "5 Hadoop's LZ4": hadoop, "5 LZ4 in frames": frame.Bytes(),
		"5 LZ4 as a block": block(text), "6 zstd": z.EncodeAll(text, nil), "7 LZ4": block(text),
	}
}

func TestCodecs(t *testing.T) {
	text := []byte(strings.Repeat("some text, and more of it; ", 500))
	for name, packed := range compressed(t, text) {
		t.Run(name, func(t *testing.T) {
			c, err := newCodec(int64(name[0] - '0'))
			if err != nil {
				t.Fatal(err)
			}
			for _, room := range [][]byte{nil, make([]byte, 10), make([]byte, 1<<20)} {
				if got, err := c.decompress(room, packed, len(text)); err != nil || !bytes.Equal(got, text) {
					t.Errorf("%d bytes, error %v", len(got), err)
				}
			}
			for _, size := range []int{0, 1, len(text) - 1, len(text) + 1} {
				if got, err := c.decompress(nil, packed, size); err == nil {
					t.Errorf("%d bytes are %d", len(text), len(got))
				}
			}
			// A size that the bytes cannot stand for takes no memory.
			if used := allocated(func() { _, err = c.decompress(nil, packed[:min(len(packed), 100)], mostPage) }); err == nil || used > 8<<20 {
				t.Errorf("%d bytes allocated, error %v", used, err)
			}
			for n := range min(len(packed), 300) {
				if got, err := c.decompress(nil, packed[:n], len(text)); err == nil && !(strings.HasSuffix(name, "frames") && bytes.Equal(got, text)) { // the marks after a frame may be gone
					t.Errorf("%d bytes of %d give %d", n, len(packed), len(got))
				}
			}
		})
	}
}

// Of a bomb no more is unpacked than the page says.
func TestBombs(t *testing.T) {
	for name, packed := range compressed(t, make([]byte, 64<<20)) {
		if name == "0 none" {
			continue
		}
		c, err := newCodec(int64(name[0] - '0'))
		if err != nil {
			t.Fatal(err)
		}
		if used := allocated(func() { _, err = c.decompress(nil, packed, 1000) }); err == nil || used > 16<<20 {
			t.Errorf("%s: %d bytes allocated, error %v", name, used, err)
		}
	}
}

func TestUnknownCodecsAndEncodings(t *testing.T) {
	for id, want := range map[int64]string{
		3:  "compressed with LZO: write it again with ZSTD, SNAPPY, GZIP, BROTLI, LZ4_RAW or without compression",
		11: "compressed with number 11: write it again with",
	} {
		if _, err := newCodec(id); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	for _, c := range []struct {
		encoding, physical int64
		size               int
		want               string
	}{
		{4, physicalInt32, 4, "values of encoding BIT_PACKED: want PLAIN, a dictionary's, RLE, BYTE_STREAM_SPLIT or one of the DELTA encodings"},
		{12, physicalInt32, 4, "values of encoding number 12: want"},
		{encodingDelta, physicalDouble, 8, "values of type DOUBLE cannot be of encoding DELTA_BINARY_PACKED"},
		{encodingDictionary, physicalBytes, 0, "the page has places in a dictionary, and there is none before it"},
	} {
		if _, err := newDecoder(c.encoding, c.physical, c.size, []byte{1, 2, 3}, 1, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}
