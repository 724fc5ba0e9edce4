package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Codecs (CompressionCodec of parquet.thrift).
const (
	codecNone   = 0
	codecSnappy = 1
	codecGzip   = 2
	codecBrotli = 4
	codecLZ4    = 5 // as Hadoop frames it
	codecZstd   = 6
	codecLZ4Raw = 7
)

var codecNames = []string{"UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW"}

// mostRatio bounds how many bytes a compressed byte can stand for, so that the size that a page
// states is believed only as far as its bytes reach: a copy of 64 bytes takes two or three in
// Snappy; a length grows by 255 a byte in LZ4; a block of zstd that repeats a byte is 4 bytes for
// 128 KiB. What gzip and Brotli unpack grows as it comes, and needs no bound.
var mostRatio = map[int64]int64{codecNone: 1, codecSnappy: 64, codecLZ4: 256, codecLZ4Raw: 256, codecZstd: 1 << 15}

// A codec decompresses pages.
type codec struct {
	id   int64
	zstd *zstd.Decoder
}

func newCodec(id int64) (*codec, error) {
	c := &codec{id: id}
	switch id {
	case codecNone, codecSnappy, codecGzip, codecBrotli, codecLZ4, codecLZ4Raw:
		return c, nil
	case codecZstd:
		var err error
		// With one decoder at a time the library starts no goroutines.
		c.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxWindow(1<<31))
		return c, err
	}
	return nil, fmt.Errorf("compressed with %s: write it again with ZSTD, SNAPPY, GZIP, BROTLI, LZ4_RAW or without compression", nameOf(codecNames, id))
}

// codecs are those in use.
type codecs []*codec

func (all *codecs) get(id int64) (*codec, error) {
	for _, c := range *all {
		if c.id == id {
			return c, nil
		}
	}
	c, err := newCodec(id)
	if err == nil {
		*all = append(*all, c)
	}
	return c, err
}

func (all codecs) close() {
	for _, c := range all {
		if c.zstd != nil {
			c.zstd.Close()
		}
	}
}

// decompress returns the size bytes that src stands for, in room where they fit. What a library
// does to damaged bytes, a panic too, is an error.
func (c *codec) decompress(room, src []byte, size int) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
		if err != nil {
			err = fmt.Errorf("decompress %s: %w", nameOf(codecNames, c.id), err)
		}
	}()
	if ratio, ok := mostRatio[c.id]; ok && int64(size) > ratio*int64(len(src))+64 {
		return nil, fmt.Errorf("%d bytes cannot stand for %d", len(src), size)
	}
	frame := c.id == codecLZ4 && len(src) >= 4 && binary.LittleEndian.Uint32(src) == frameLZ4
	switch {
	case c.id == codecNone:
		out = src
	case frame:
		if out, err = readAll(lz4.NewReader(bytes.NewReader(src)), room, size); err != nil {
			return nil, err
		}
	case c.id == codecGzip:
		in, err := gzip.NewReader(bytes.NewReader(src))
		if err != nil {
			return nil, err
		}
		out, err = readAll(in, room, size)
		if err != nil {
			return nil, err
		}
	case c.id == codecBrotli:
		if out, err = readAll(brotli.NewReader(bytes.NewReader(src)), room, size); err != nil {
			return nil, err
		}
	default:
		if cap(room) < size {
			room = make([]byte, size)
		}
		if out, err = c.into(room[:size:size], src); err != nil {
			return nil, err
		}
	}
	if len(out) != size {
		return nil, fmt.Errorf("%d bytes, the page's header says %d", len(out), size)
	}
	return out, nil
}

// into decompresses all at once.
func (c *codec) into(dst, src []byte) ([]byte, error) {
	switch c.id {
	case codecSnappy:
		if n, err := snappy.DecodedLen(src); err != nil {
			return nil, err
		} else if n != len(dst) {
			return nil, fmt.Errorf("%d bytes, the page's header says %d", n, len(dst))
		}
		return snappy.Decode(dst, src)
	case codecZstd:
		return c.zstd.DecodeAll(src, dst[:0])
	case codecLZ4:
		if out, err := hadoopLZ4(dst, src); err == nil {
			return out, nil
		}
	}
	if len(src) == 0 && len(dst) == 0 {
		return dst, nil
	}
	n, err := lz4.UncompressBlock(src, dst)
	return dst[:max(n, 0)], err
}

// frameLZ4 begins a frame of LZ4, which Arrow wrote before its version 0.15.
const frameLZ4 = 0x184D2204

// hadoopLZ4 decompresses blocks with their lengths, unpacked and packed, before them, four bytes
// each with the highest first.
func hadoopLZ4(dst, src []byte) ([]byte, error) {
	at := 0
	for len(src) > 0 {
		if len(src) < 8 {
			return nil, io.ErrUnexpectedEOF
		}
		size, packed := uint64(binary.BigEndian.Uint32(src)), uint64(binary.BigEndian.Uint32(src[4:]))
		src = src[8:]
		if size > uint64(len(dst)-at) || packed > uint64(len(src)) {
			return nil, errors.New("a block that is longer than its page")
		}
		n, err := lz4.UncompressBlock(src[:packed], dst[at:at+int(size)])
		if err != nil {
			return nil, err
		}
		if uint64(n) != size {
			return nil, fmt.Errorf("a block of %d bytes, want %d", n, size)
		}
		src, at = src[packed:], at+n
	}
	return dst[:at], nil
}

// readAll reads size bytes, taking memory as they come, and makes sure that no more follow.
func readAll(in io.Reader, room []byte, size int) ([]byte, error) {
	out := room[:0]
	for len(out) < size {
		if len(out) == cap(out) {
			out = append(out, 0)[:len(out)]
		}
		n, err := in.Read(out[len(out):min(cap(out), size)])
		out = out[:len(out)+n]
		if err == io.EOF && len(out) < size {
			return out, nil
		}
		if err != nil && err != io.EOF {
			return out, err
		}
	}
	var more [1]byte
	if n, err := io.ReadFull(in, more[:]); n > 0 {
		return nil, fmt.Errorf("more bytes than the %d that the page's header says", size)
	} else if err != io.EOF {
		return nil, err
	}
	return out, nil
}
