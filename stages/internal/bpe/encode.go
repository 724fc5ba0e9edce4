package bpe

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// An Encoder encodes with a cache of words of its own; it is for one goroutine. What it returns
// never depends on the cache.
type Encoder struct {
	// SpecialAsText encodes the text of special tokens such as <|endoftext|> like any other text,
	// which is right for documents: a page that mentions the token must not end there. Without it
	// they become their ids, as in the reference implementation. Added tokens that are not special
	// (runs of spaces, |||EMAIL_ADDRESS|||) are matched either way.
	SpecialAsText bool

	t     *Tokenizer
	cache [][2]cacheSlot
	wide  []wideSlot
	// Working memory of mergeShort, kept because clearing it would cost more than most merges.
	ids, ranks [shortWord]uint32
	long       longWord
}

// Encoder returns a new encoder.
func (t *Tokenizer) Encoder() *Encoder {
	return &Encoder{t: t, cache: make([][2]cacheSlot, 1<<cacheBits), wide: make([]wideSlot, 1<<wideBits)}
}

// Encode appends the ids of text to dst. Bytes that are not UTF-8 are read as U+FFFD; a caller who
// must know of them checks before.
func (e *Encoder) Encode(dst []uint32, text string) []uint32 {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	plain := 0
	if e.SpecialAsText {
		plain = 1
	}
	s := e.t.raw[plain].scan(text)
	for at := 0; at < len(text); {
		start, end, id := s.next(at)
		dst = e.normalized(dst, text[at:start], e.t.normalized[plain])
		if id != noID {
			dst = append(dst, id)
		}
		at = end
	}
	return dst
}

// normalized encodes a stretch between added tokens of the raw text.
func (e *Encoder) normalized(dst []uint32, text string, m *matcher) []uint32 {
	if e.t.nfc {
		text = nfc(text)
	}
	s := m.scan(text)
	for at := 0; at < len(text); {
		start, end, id := s.next(at)
		dst = e.words(dst, text[at:start])
		if id != noID {
			dst = append(dst, id)
		}
		at = end
	}
	return dst
}

// words splits a stretch of text without added tokens and encodes each word.
func (e *Encoder) words(dst []uint32, text string) []uint32 {
	next := e.t.split.next
	for i := 0; i < len(text); {
		end := next(text, i)
		dst = e.word(dst, text, i, end)
		i = end
	}
	return dst
}

// The word cache has two tables. The first holds words of up to 15 bytes with up to 3 tokens,
// nearly all of running English, in slots of 32 bytes, which compare without following a pointer;
// two slots share a cache line and a hash. It takes 2 MiB: measured on books and abstracts, a
// quarter of that loses a third of the speed and twice as much gains nothing. The second holds
// words of up to 63 bytes.
const (
	cacheBits = 15
	wideBits  = 14
)

type cacheSlot struct {
	lo, hi uint64 // the bytes of the word, zero-filled, and its length in the highest byte; length 0 is an empty slot
	ids    [3]uint32
	n      uint32
}

type wideSlot struct {
	word []byte
	ids  []uint32
}

func (e *Encoder) word(dst []uint32, text string, i, end int) []uint32 {
	n := end - i
	if n > 15 {
		return e.wideWord(dst, text[i:end])
	}
	lo, hi := pack(text, i, n)
	h := mix(lo, hi)
	set := &e.cache[h>>(64-cacheBits)]
	s := &set[0]
	if s.lo != lo || s.hi != hi {
		if s = &set[1]; s.lo != lo || s.hi != hi {
			return e.enter(dst, text[i:end], set, lo, hi)
		}
	}
	switch s.n {
	case 1:
		return append(dst, s.ids[0])
	case 2:
		return append(dst, s.ids[0], s.ids[1])
	default:
		return append(dst, s.ids[:]...)
	}
}

// enter encodes a word that the first table does not hold, and enters it there if it has few
// tokens; the older of the two goes.
func (e *Encoder) enter(dst []uint32, word string, set *[2]cacheSlot, lo, hi uint64) []uint32 {
	from := len(dst)
	dst = e.cachedWide(dst, word, mix(lo, hi))
	if got := dst[from:]; len(got) <= len(set[0].ids) {
		set[1] = set[0]
		s := &set[0]
		s.lo, s.hi, s.n = lo, hi, uint32(len(got))
		copy(s.ids[:], got)
	}
	return dst
}

// pack reads text[i:i+n], n <= 15, as two little-endian words with n in the highest byte.
func pack(text string, i, n int) (lo, hi uint64) {
	if i+16 > len(text) {
		var b [16]byte
		copy(b[:], text[i:i+n])
		b[15] = byte(n)
		return binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])
	}
	b := unsafe.Slice(unsafe.StringData(text), len(text))[i : i+16 : i+16]
	lo = binary.LittleEndian.Uint64(b[:8])
	if n < 8 {
		return lo & (1<<(8*uint(n)&63) - 1), uint64(n) << 56
	}
	hi = binary.LittleEndian.Uint64(b[8:])
	return lo, hi&(1<<(8*uint(n-8)&63)-1) | uint64(n)<<56
}

// mix hashes 128 bits by one long multiplication; the constants are arbitrary odd numbers with
// about half their bits set.
func mix(lo, hi uint64) uint64 {
	a, b := bits.Mul64(lo^0x9E3779B97F4A7C15, hi^0xD1B54A32D192ED03)
	return a ^ b
}

// wideWord encodes a word of more than 15 bytes.
func (e *Encoder) wideWord(dst []uint32, word string) []uint32 {
	if len(word) >= shortWord {
		return e.mergeLong(dst, word)
	}
	h := uint64(len(word))
	for i := 0; i < len(word); i += 15 {
		lo, hi := pack(word, i, min(15, len(word)-i))
		h = mix(lo^h, hi)
	}
	return e.cachedWide(dst, word, h)
}

func (e *Encoder) cachedWide(dst []uint32, word string, h uint64) []uint32 {
	s := &e.wide[h>>(64-wideBits)]
	if string(s.word) == word {
		return append(dst, s.ids...)
	}
	from := len(dst)
	dst = e.mergeShort(dst, word)
	if len(dst)-from > 3 || len(word) > 15 {
		s.word = append(s.word[:0], word...)
		s.ids = append(s.ids[:0], dst[from:]...)
	}
	return dst
}
