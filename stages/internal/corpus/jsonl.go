package corpus

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// parse reads one line.
func (rd *reader) parse(line []byte) (d Document, f *fault) {
	trimmed := bytes.TrimSpace(line)
	if d, f = rd.object(trimmed); f != nil && f.at >= 0 {
		f.at += bytes.IndexByte(line, trimmed[0])
	}
	return d, f
}

func (rd *reader) object(line []byte) (d Document, f *fault) {
	c := rd.compiled
	if line[0] != '{' {
		hint := "is this a file of JSON Lines?"
		if line[0] == '[' {
			hint = "is the file a JSON array? " + jsonLines
		}
		return d, faultf(BadLine, "a line must be a JSON object, this one begins with %q: %s", line[:min(len(line), 16)], hint)
	}
	if at, err := c.scan.scan(line, &c.root); err != nil {
		if errors.Is(err, errEnd) && len(line) == 1 {
			return d, faultf(BadLine, "the line is no JSON object: %w: is the file one value over several lines? %s", err, jsonLines).by(at)
		}
		return d, faultf(BadLine, "the line is no JSON object: %w", err).by(at)
	}
	text := c.scan.found[0]
	switch text.kind {
	case '"':
	case 0:
		return d, faultf(BadText, "no field %q for the text: name the field that holds it with the corpus's key text", c.text.source)
	default:
		return d, faultf(BadText, "field %q is of type %s, want a string: name the field that holds the text with the corpus's key text", c.text.source, typeNames[text.kind]).by(text.start)
	}
	// A line may have several faults; that of the text counts, and it is told with the identity
	// where there is one.
	id, _, f := c.scalar(1, c.id)
	d.ID = id
	var bad *fault
	if d.Text, bad = c.string(text, c.text); bad != nil || f != nil {
		return d, first(bad, f)
	}
	if d.ID == "" {
		sum := sha256.Sum256([]byte(d.Text))
		d.ID = hex.EncodeToString(sum[:8])
	}
	d.Meta = make(map[string]string, len(c.fields))
	for i, m := range c.fields {
		text, has, f := c.scalar(2+i, m.path)
		if f != nil {
			return d, f
		}
		rd.describe(&d, i, text, has)
	}
	return d, nil
}

func first(a, b *fault) *fault {
	if a != nil {
		return a
	}
	return b
}

var typeNames = map[byte]string{'{': "object", '[': "array", '0': "number", 't': "true", 'f': "false"}

// string takes the string v, to which path p led, out of the line.
func (c *compiled) string(v span, p fieldPath) (string, *fault) {
	raw := c.scan.line[v.start:v.end]
	if !v.ascii && !validUTF8(raw) { // escapes are ASCII
		return "", faultf(BadUTF8, "field %q is not valid UTF-8", p.source).by(v.start + invalid(raw))
	}
	if !v.escaped {
		return string(raw), nil
	}
	var lone int
	if c.scratch, lone = unescape(c.scratch[:0], raw); lone >= 0 {
		return "", faultf(BadSurrogate, "field %q has an escape of half a surrogate pair, which is no character", p.source).by(v.start + lone)
	}
	return string(c.scratch), nil
}

// scalar renders the value that path n, p, led to as a string, where there is one.
func (c *compiled) scalar(n int, p fieldPath) (text string, has bool, f *fault) {
	v := c.scan.found[n]
	for v.kind == '[' {
		inner := scanner{line: c.scan.line, found: make([]span, 1)}
		first := inner.space(v.start + 1)
		if inner.line[first] == ']' {
			return "", false, nil
		}
		if _, err := inner.value(first, &node{ends: []int{0}}, 0); err != nil {
			return "", false, faultf(BadLine, "%w", err)
		}
		v = inner.found[0]
	}
	text = string(c.scan.line[v.start:v.end])
	switch v.kind {
	case 0:
		return "", false, nil
	case '"':
		text, f := c.string(v, p)
		return text, true, f
	case '{':
		return "", false, faultf(BadLine, "field %q is an object, want a string, a number or an array of them: name a field inside it", p.source).by(v.start)
	case '0':
		number, err := canonical(text)
		if err != nil {
			return "", false, faultf(BadLine, "field %q: %w", p.source, err).by(v.start)
		}
		return number, true, nil
	}
	return text, true, nil
}

// maxDigits bounds the canonical form of numbers such as 1e999999.
const maxDigits = 64

// canonical writes a JSON number in plain decimal: no exponent, no zeros that say nothing, no sign
// of zero. It works on the digits, so that whole numbers beyond 2^53 keep theirs.
func canonical(number string) (string, error) {
	s, sign := strings.CutPrefix(number, "-")
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return "0", nil
	}
	exp := 0
	if exponent != "" {
		var err error
		if exp, err = strconv.Atoi(exponent); err != nil {
			exp = 1 << 30
		}
	}
	point := len(digits) - len(fraction) + exp // digits before the decimal point
	digits = strings.TrimRight(digits, "0")
	if point > maxDigits || len(digits)-point > maxDigits || len(digits) > maxDigits {
		return "", fmt.Errorf("number %.40s needs more than %d digits: write it as a string", number, maxDigits)
	}
	var out string
	switch {
	case point <= 0:
		out = "0." + strings.Repeat("0", -point) + digits
	case point >= len(digits):
		out = digits + strings.Repeat("0", point-len(digits))
	default:
		out = digits[:point] + "." + digits[point:]
	}
	if sign {
		out = "-" + out
	}
	return out, nil
}

// unescape appends to out what raw, the checked inside of a JSON string, stands for. Half of a
// surrogate pair, which is no character, becomes U+FFFD; lone is where the first such escape
// begins, -1 if there is none.
func unescape(out, raw []byte) (_ []byte, lone int) {
	lone = -1
	for whole := len(raw); ; {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 {
			return append(out, raw...), lone
		}
		out = append(out, raw[:i]...)
		if c := raw[i+1]; c != 'u' {
			out = append(out, escaped[c])
			raw = raw[i+2:]
			continue
		}
		unit, _ := escapedUnit(raw[i:])
		raw = raw[i+6:]
		if utf16.IsSurrogate(unit) {
			low, _ := escapedUnit(raw)
			if unit = utf16.DecodeRune(unit, low); unit == utf8.RuneError {
				if lone < 0 {
					lone = whole - len(raw) - 6
				}
			} else {
				raw = raw[6:]
			}
		}
		out = utf8.AppendRune(out, unit)
	}
}

// escaped is what a byte after a backslash stands for.
var escaped = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escapedUnit reads \uXXXX at the start of s.
func escapedUnit(s []byte) (unit rune, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	for _, c := range s[2:6] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20-'a' <= 5:
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		unit = unit<<4 | rune(c)
	}
	return unit, true
}

// validUTF8 is utf8.Valid for text in which other characters than ASCII are few: the library's goes
// byte by byte after the first of them.
func validUTF8(s []byte) bool {
	for len(s) >= 8 {
		if x := binary.LittleEndian.Uint64(s) & highs; x != 0 {
			s = s[bits.TrailingZeros64(x)/8:]
			n := 0
			for n < len(s) && s[n] >= utf8.RuneSelf {
				n++
			}
			if !utf8.Valid(s[:n]) {
				return false
			}
			s = s[n:]
			continue
		}
		s = s[8:]
	}
	return utf8.Valid(s)
}
