package corpus

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// maxWindow bounds the memory of a decoder, whatever a file asks for: 128 MiB is what `zstd --long`
// writes (window log 27), and larger windows need an explicit option of the zstd command as well.
// `xz -9` writes 64 MiB.
const maxWindow = 128 << 20

// A core inflates about 200 MB of English text a second from gzip and 500 from zstd, and reads 600
// to 1200 MB of JSON Lines: whoever may choose stores zstd. xz and bzip2 give 30 to 100.

// A compression is known by the first bytes of a file, never by its name: none of them can begin a
// text in UTF-8 or a line of JSON.
type compression struct {
	name, magic string
	open        func(b *bufio.Reader) (io.Reader, func(), error)
}

var compressions = []compression{
	{"gzip", "\x1f\x8b", openGzip},
	{"zstd", "\x28\xb5\x2f\xfd", openZstd},
	{"xz", "\xfd7zXZ\x00", openXZ},
	{"bzip2", "BZh", openBzip2},
	{"lz4", "\x04\x22\x4d\x18", openLZ4},
	{"lz4", "\x02\x21\x4c\x18", openLZ4}, // the legacy format, as the Linux kernel has it
}

// skippable begins a frame without content, of zstd as well as of LZ4: sixteen values of the first
// byte, then the length (RFC 8878, 3.1.2). pzstd writes one before each frame.
const skippable = "\x2a\x4d\x18"

// longestMagic is how many bytes compressionOf looks at.
const longestMagic = 10

// compressionOf returns the compression that a file with these first bytes has; nil: none.
func compressionOf(head []byte) *compression {
	for i := range compressions {
		c := &compressions[i]
		if !bytes.HasPrefix(head, []byte(c.magic)) {
			continue
		}
		if c.name != "bzip2" {
			return c
		}
		// Three letters may begin a text. Behind them are the size of the blocks and the start of a
		// block, or of the end of an empty file.
		if len(head) >= 10 && '1' <= head[3] && head[3] <= '9' && (string(head[4:10]) == "1AY&SY" || string(head[4:10]) == "\x17\x72\x45\x38\x50\x90") {
			return c
		}
	}
	return nil
}

func isSkippable(head []byte) bool {
	return len(head) >= 4 && head[0]>>4 == 5 && string(head[1:4]) == skippable
}

// decompress puts a decoder over b, where the first bytes say which. name is its name; "" for b
// itself. The closer releases the decoder, not what b reads from.
func decompress(b *bufio.Reader) (in io.Reader, name string, closer func(), err error) {
	nothing := func() {}
	for skipped := false; ; skipped = true {
		head, err := b.Peek(longestMagic)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, "", nil, fmt.Errorf("read the first bytes: %w", err)
		}
		if isSkippable(head) {
			if err := skipFrame(b, head); err != nil {
				return nil, "", nil, err
			}
			continue
		}
		c := compressionOf(head)
		switch {
		case c != nil:
			z, closer, err := c.open(b)
			if err != nil {
				return nil, "", nil, decoding(c.name, err)
			}
			return &named{format: c.name, in: z}, c.name, closer, nil
		case skipped && len(head) > 0:
			return nil, "", nil, fmt.Errorf("zstd or lz4: %q follows a skippable frame, want a frame", head)
		case skipped:
			return b, "zstd", nothing, nil // no frame but skippable ones: no content
		}
		return b, "", nothing, nil
	}
}

// skipFrame passes over a skippable frame.
func skipFrame(b *bufio.Reader, head []byte) error {
	if len(head) < 8 {
		return fmt.Errorf("zstd or lz4: a skippable frame is cut off: %w", io.ErrUnexpectedEOF)
	}
	for rest := 8 + int64(binary.LittleEndian.Uint32(head[4:])); rest > 0; {
		n, err := b.Discard(int(min(rest, 1<<20)))
		if rest -= int64(n); err != nil && rest > 0 {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("zstd or lz4: read a skippable frame: %w", err)
		}
	}
	return nil
}

func openGzip(b *bufio.Reader) (io.Reader, func(), error) {
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, nil, err
	}
	z.Multistream(false)
	return &members{z: z, b: b}, func() { z.Close() }, nil
}

// members reads the members of a gzip file one after the other, and zeros behind a member as
// nothing: tapes and object stores that fill up blocks leave some, and gzip itself and Python pass
// over them.
type members struct {
	z *gzip.Reader
	b *bufio.Reader
}

func (m *members) Read(p []byte) (int, error) {
	for {
		n, err := m.z.Read(p)
		if err != io.EOF || n > 0 {
			if err == io.EOF {
				err = nil // told by the next call
			}
			return n, err
		}
		if err := m.next(); err != nil {
			return 0, err
		}
	}
}

// next goes on to the next member.
func (m *members) next() error {
	zeros := int64(0)
	for {
		c, err := m.b.ReadByte()
		if err != nil {
			return err
		}
		if c != 0 {
			break
		}
		zeros++
	}
	if err := m.b.UnreadByte(); err != nil {
		return err
	}
	if head, _ := m.b.Peek(2); string(head) != "\x1f\x8b" {
		return fmt.Errorf("behind the last member and %d zeros lie bytes that are no gzip, beginning with %q: gzip itself ignores them; `gzip -dc FILE | gzip > NEW` leaves them out", zeros, head)
	}
	if err := m.z.Reset(m.b); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	m.z.Multistream(false)
	return nil
}

func openZstd(b *bufio.Reader) (io.Reader, func(), error) {
	z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, nil, err
	}
	return z, z.Close, nil
}

// openXZ refuses a dictionary of more than maxWindow, which the library would allocate: that of the
// first block, which those behind it share in all files that xz itself writes.
func openXZ(b *bufio.Reader) (io.Reader, func(), error) {
	const streamHeader, filterLZMA2 = 12, 0x21
	head, _ := b.Peek(streamHeader + 64)
	if len(head) > streamHeader && head[streamHeader] != 0 { // 0: an index, there is no block
		for i := streamHeader + 2; i+2 < len(head); i++ { // behind the block's size and flags: sizes, then filters
			if head[i] != filterLZMA2 || head[i+1] != 1 {
				continue
			}
			size, err := lzma.DecodeDictCap(head[i+2])
			if err == nil && size > maxWindow {
				return nil, nil, fmt.Errorf("the file asks for a dictionary of %d bytes, %d MiB are granted: compress it again with xz -9 or less", size, maxWindow>>20)
			}
			break
		}
	}
	z, err := xz.NewReader(b)
	return z, func() {}, err
}

func openBzip2(b *bufio.Reader) (io.Reader, func(), error) { return bzip2.NewReader(b), func() {}, nil }

func openLZ4(b *bufio.Reader) (io.Reader, func(), error) { return lz4.NewReader(b), func() {}, nil }

// named says in errors which decoder failed, and says so for good: some decoders go on behind an
// error, amid what is no text.
type named struct {
	format string
	in     io.Reader
	err    error
}

func (n *named) Read(p []byte) (int, error) {
	if n.err != nil {
		return 0, n.err
	}
	k, err := n.in.Read(p)
	if err != nil && err != io.EOF {
		err = decoding(n.format, err)
	}
	n.err = err
	return k, err
}

// decoding is an error of a decoder, in words that help.
func decoding(format string, err error) error {
	if errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return fmt.Errorf("%s: %w: the file asks for more memory than the %d MiB that are granted: compress it again with --long=27 or less", format, err, maxWindow>>20)
	}
	return fmt.Errorf("%s: %w", format, err)
}
