package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Digest is the SHA-256 of the bytes of a file.
type Digest [sha256.Size]byte

// Key is the SHA-256 of a list of key inputs; see [KeyOf].
type Key [sha256.Size]byte

// KeyInput is one labelled value that decides what a step produces.
type KeyInput struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// keyFormat is the first line under every key. A change of how key inputs are written is a change
// of this line, so that no old key can be met again.
const keyFormat = "ablate key 1\n"

// KeyOf hashes the key inputs in the order given. The bytes are in FORMAT.md, section 3: one line
// per key input, each label and value after its length.
func KeyOf(keyInputs []KeyInput) Key {
	b := keyTexts.Get().(*[]byte)
	*b = appendKeyText((*b)[:0], keyInputs)
	k := Key(sha256.Sum256(*b))
	if cap(*b) <= mostKeyText {
		keyTexts.Put(b)
	}
	return k
}

// keyTexts holds buffers for the texts of keys, of which a rerun writes two a step. The few that
// are as long as a comparison of thousands of mixtures are not kept.
var keyTexts = sync.Pool{New: func() any { return new([]byte) }}

const mostKeyText = 1 << 20

// appendKeyText writes the bytes that a key is the hash of.
func appendKeyText(b []byte, keyInputs []KeyInput) []byte {
	b = append(b, keyFormat...)
	for _, in := range keyInputs {
		b = strconv.AppendInt(b, int64(len(in.Label)), 10)
		b = append(b, ':')
		b = append(b, in.Label...)
		b = append(b, ' ')
		b = strconv.AppendInt(b, int64(len(in.Value)), 10)
		b = append(b, ':')
		b = append(b, in.Value...)
		b = append(b, '\n')
	}
	return b
}

// DigestOf is the digest of bytes held in memory.
func DigestOf(b []byte) Digest { return sha256.Sum256(b) }

// ParseDigest reads the 64 lower-case hexadecimal digits that String writes.
func ParseDigest(s string) (Digest, error) {
	d, err := parseHash(s)
	if err != nil {
		return Digest{}, fmt.Errorf("cache: digest %w", err)
	}
	return d, nil
}

// ParseKey reads the 64 lower-case hexadecimal digits that String writes.
func ParseKey(s string) (Key, error) {
	k, err := parseHash(s)
	if err != nil {
		return Key{}, fmt.Errorf("cache: key %w", err)
	}
	return k, nil
}

// String is the digest as 64 lower-case hexadecimal digits.
func (d Digest) String() string {
	var b [2 * len(d)]byte
	hex.Encode(b[:], d[:])
	return string(b[:])
}

// Short is the first 8 digits, for people.
func (d Digest) Short() string { return hex.EncodeToString(d[:4]) }

// IsZero says whether d was never set.
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText writes the digest as String does.
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Digest) UnmarshalText(text []byte) error {
	h, err := ParseDigest(string(text))
	if err == nil {
		*d = h
	}
	return err
}

// String is the key as 64 lower-case hexadecimal digits.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// Short is the first 8 digits, for people.
func (k Key) Short() string { return hex.EncodeToString(k[:4]) }

// IsZero says whether k was never set.
func (k Key) IsZero() bool { return k == Key{} }

// MarshalText writes the key as String does.
func (k Key) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, k[:]), nil }

// UnmarshalText reads what MarshalText wrote.
func (k *Key) UnmarshalText(text []byte) error {
	h, err := ParseKey(string(text))
	if err == nil {
		*k = h
	}
	return err
}

// parseHash is strict about case, because names of files are compared as text.
func parseHash(s string) (h [sha256.Size]byte, err error) {
	if len(s) != 2*len(h) {
		return h, fmt.Errorf("%s: has %d characters, want %d", clip(s), len(s), 2*len(h))
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return h, fmt.Errorf("%s: character %d is %q, want a lower-case hexadecimal digit", clip(s), i+1, c)
		}
	}
	_, err = hex.Decode(h[:], []byte(s))
	return h, err
}

// clip quotes a text that may be long or hostile, for a message.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return strconv.QuoteToASCII(s[:most]) + "..."
	}
	return strconv.QuoteToASCII(s)
}

// Printable is a text from a file that another may have written, fit for a terminal: what does not
// print stands as an escape, as \n or \u202e.
func Printable(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) && utf8.ValidString(s) {
		return s
	}
	q := strconv.Quote(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

// PrintableLines is Printable of a text of several lines, line by line.
func PrintableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Printable(line)
	}
	return strings.Join(lines, "\n")
}
