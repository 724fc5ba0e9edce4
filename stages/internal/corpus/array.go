package corpus

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Types of the ids in an array. Bytes are little-endian.
const (
	Uint16 = "uint16"
	Uint32 = "uint32"
)

// An array reads the ids of a file, one after the other: ids and nothing else, as Dolma writes them
// (its .npy have no header: allenai/dolma, python/dolma/tokenizer/memmap_writer.py), or behind the
// header that NumPy itself writes.
type array struct {
	in    io.Reader
	width int   // bytes of an id
	head  int64 // bytes before the first id
	total int64 // ids
	at    int64 // ids handed out

	raw  []byte
	room []uint32
	next []uint32 // decoded and not handed out: a part of room
}

// arrayBuffer is how many ids are decoded at a time.
const arrayBuffer = 1 << 14

func openArray(in io.Reader, size int64, dtype string, vocab int) (*array, error) {
	width := 2
	switch dtype {
	case Uint16:
	case Uint32:
		width = 4
	default:
		return nil, fmt.Errorf("ids of type %q: want %s or %s", dtype, Uint16, Uint32)
	}
	b := bufio.NewReaderSize(in, arrayBuffer*width)
	a := &array{in: b, width: width, raw: make([]byte, arrayBuffer*width), room: make([]uint32, arrayBuffer)}
	start, _ := b.Peek(headBytes) // an error comes again where it belongs
	if err := unlike(start, FormatToken); err != nil {
		return nil, err
	}
	if isText(start) {
		return nil, errors.New("the file begins with text, not with ids in binary: is its format jsonl or text?")
	}
	shape, head, err := numpyHeader(b, width)
	if err != nil {
		return nil, err
	}
	a.head = head
	bytes := size - head
	if odd := bytes % int64(width); odd != 0 {
		return nil, fmt.Errorf("%d bytes are no whole number of ids of type %s: the last one is cut off at byte %d", bytes, dtype, size-odd)
	}
	a.total = bytes / int64(width)
	if head > 0 && shape != a.total {
		return nil, fmt.Errorf("the NumPy header says %d ids, the file has %d", shape, a.total)
	}
	start, _ = b.Peek(arrayBuffer * width)
	return a, wrongWidth(start, width, vocab)
}

// isText reports bytes that are all of printable ASCII, which many ids in binary never are.
func isText(start []byte) bool {
	const enough = 64
	for _, c := range start {
		if (c < ' ' || c > '~') && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return len(start) >= enough
}

// wrongWidth says which type the ids have by all appearances, where that is not the stated one of
// so many bytes. An array without a header does not say, and one that is read with half the width
// gives ids of 0, and texts, without an error.
func wrongWidth(start []byte, width, vocab int) error {
	n := len(start) / width
	at := func(i int) uint32 {
		if width == 2 {
			return uint32(binary.LittleEndian.Uint16(start[2*i:]))
		}
		return binary.LittleEndian.Uint32(start[4*i:])
	}
	const few = 6 // ids from which on a pattern is none by chance
	if n < few {
		return nil
	}
	var zeros, of [4]int
	beyond := 0
	for i := range n {
		of[i%4]++
		if at(i) == 0 {
			zeros[i%4]++
		}
		if int64(at(i)) >= int64(vocab) {
			beyond++
		}
	}
	mostly := func(i int) bool { return zeros[i] > 0 && 2*zeros[i] >= of[i] }
	hardly := func(i int) bool { return 10*zeros[i] < of[i] }
	const as64 = "the array looks like one of ids of 64 bits, which are not read: numpy.load(...).astype(numpy.uint32) makes them %s"
	switch {
	case width == 2 && hardly(0) && mostly(1) && mostly(2) && mostly(3):
		return fmt.Errorf("three of four ids are 0: "+as64, Uint32)
	case width == 2 && hardly(0) && mostly(1) && hardly(2) && mostly(3):
		return fmt.Errorf("every other id is 0, as if ids of 32 bits were read as %s: say dtype: %s", Uint16, Uint32)
	case width == 4 && hardly(0) && mostly(1) && hardly(2) && mostly(3):
		return fmt.Errorf("every other id is 0: "+as64, Uint32)
	case width == 4 && 2*beyond > n:
		fit := true // as ids of half the width
		for i := range 2 * n {
			fit = fit && int(binary.LittleEndian.Uint16(start[2*i:])) < vocab
		}
		if fit {
			return fmt.Errorf("%d of the first %d ids are beyond the tokenizer's %d, and none is if they have 16 bits: say dtype: %s", beyond, n, vocab, Uint16)
		}
	}
	return nil
}

var (
	numpyType  = regexp.MustCompile(`'descr': *'([^']*)'`)
	numpyShape = regexp.MustCompile(`'shape': *\(([0-9]+),?\)`)
)

// numpyHeader reads over the header of b, if it has one, and returns the number of ids that it
// states and its length.
func numpyHeader(b *bufio.Reader, width int) (shape, head int64, err error) {
	start, err := b.Peek(12)
	if err != nil && err != io.EOF {
		return 0, 0, fmt.Errorf("read the first bytes: %w", err)
	}
	if len(start) < 10 || string(start[:6]) != numpyMagic || start[6] < 1 || start[6] > 3 {
		return 0, 0, nil
	}
	from, length := 10, int(binary.LittleEndian.Uint16(start[8:]))
	if start[6] > 1 {
		if len(start) < 12 {
			return 0, 0, fmt.Errorf("the NumPy header is cut off")
		}
		from, length = 12, int(min(1<<20, binary.LittleEndian.Uint32(start[8:])))
	}
	const longest = 1 << 16
	if length > longest {
		return 0, 0, fmt.Errorf("a NumPy header of more than %d bytes", longest)
	}
	text := make([]byte, from+length)
	if _, err := io.ReadFull(b, text); err != nil {
		return 0, 0, fmt.Errorf("read the NumPy header: %w", err)
	}
	header := string(text[from:])
	want := fmt.Sprintf("<u%d", width)
	if m := numpyType.FindStringSubmatch(header); m == nil || m[1] != want {
		return 0, 0, fmt.Errorf("NumPy header %q: want ids of type %s, as the corpus's key dtype says", strings.TrimSpace(header), want)
	}
	m := numpyShape.FindStringSubmatch(header)
	if m == nil {
		return 0, 0, fmt.Errorf("NumPy header %q: want one dimension", strings.TrimSpace(header))
	}
	if shape, err = strconv.ParseInt(m[1], 10, 64); err != nil {
		return 0, 0, fmt.Errorf("NumPy header: shape %s: %w", m[1], err)
	}
	return shape, int64(len(text)), nil
}

// byteOf is where an id lies in the file.
func (a *array) byteOf(id int64) int64 { return a.head + id*int64(a.width) }

// fill decodes more ids where none are left. At the end of the array there stay none.
func (a *array) fill() error {
	if len(a.next) > 0 || a.at == a.total {
		return nil
	}
	n := int(min(int64(len(a.room)), a.total-a.at))
	raw := a.raw[:n*a.width]
	if k, err := io.ReadFull(a.in, raw); err != nil {
		return fmt.Errorf("read at byte %d: %w", a.byteOf(a.at)+int64(k), err)
	}
	a.next = a.room[:n]
	for i := range a.next {
		if a.width == 2 {
			a.next[i] = uint32(binary.LittleEndian.Uint16(raw[2*i:]))
		} else {
			a.next[i] = binary.LittleEndian.Uint32(raw[4*i:])
		}
	}
	return nil
}

// take appends the next n ids, which there are, to dst. Without keep they are passed over.
func (a *array) take(dst []uint32, n int64, keep bool) ([]uint32, error) {
	for n > 0 {
		if err := a.fill(); err != nil {
			return dst, err
		}
		k := int(min(n, int64(len(a.next))))
		if keep {
			dst = append(dst, a.next[:k]...)
		}
		a.next = a.next[k:]
		a.at += int64(k)
		n -= int64(k)
	}
	return dst, nil
}

// until appends the ids before the next id end, which is passed over, or before the end of the
// array. Of more than limit none are kept; n is how many there were.
func (a *array) until(dst []uint32, end uint32, limit int64) (_ []uint32, n int64, err error) {
	for {
		if err := a.fill(); err != nil || len(a.next) == 0 {
			return dst, n, err
		}
		k := slices.Index(a.next, end)
		found := k >= 0
		if !found {
			k = len(a.next)
		}
		if n += int64(k); n > limit {
			dst = nil
		} else {
			dst = append(dst, a.next[:k]...)
		}
		if found {
			k++
		}
		a.next = a.next[k:]
		a.at += int64(k)
		if found {
			return dst, n, nil
		}
	}
}
