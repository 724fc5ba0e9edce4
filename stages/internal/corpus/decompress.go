package corpus

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds the memory of the zstd decoder, whatever a file asks for: 128 MiB is what `zstd --long` writes (window log 27), and
// larger windows need an explicit option of the zstd command as well.
const maxWindow = 128 << 20

// A core inflates about 200 MB of English text a second from gzip and 500 from zstd, and reads 600 to 1200 MB of JSON Lines: whoever may
// choose stores zstd.

// decompress looks at the first bytes of r, never at a name: neither gzip's nor zstd's can begin a text in UTF-8 or a line of JSON.
// The closer releases the decoder, not r.
func decompress(r io.Reader) (io.Reader, func(), error) {
	b := bufio.NewReaderSize(r, 1<<16)
	magic, err := b.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("read the first bytes: %w", err)
	}
	switch {
	case len(magic) >= 2 && magic[0] == 0x1f && magic[1] == 0x8b:
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, nil, fmt.Errorf("gzip: %w", err)
		}
		return named{"gzip", z}, func() { z.Close() }, nil
	case string(magic) == "\x28\xb5\x2f\xfd":
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, nil, fmt.Errorf("zstd: %w", err)
		}
		return named{"zstd", z}, z.Close, nil
	}
	return b, func() {}, nil
}

// named says in errors which decoder failed.
type named struct {
	format string
	io.Reader
}

func (n named) Read(p []byte) (int, error) {
	k, err := n.Reader.Read(p)
	switch {
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		err = fmt.Errorf("%s: %w: the file asks for more memory than the %d MiB that are granted: compress it again with --long=27 or less", n.format, err, maxWindow>>20)
	case err != nil && err != io.EOF:
		err = fmt.Errorf("%s: %w", n.format, err)
	}
	return k, err
}
