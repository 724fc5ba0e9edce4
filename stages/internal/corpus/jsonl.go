package corpus

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/valyala/fastjson"
)

// parse reads one line. valid is false where a string that the document needs is not Unicode; what is no JSON object, or an object without
// the text, is an error.
func (c *compiled) parse(line []byte) (d Document, valid bool, err error) {
	line = bytes.TrimSpace(line)
	if line[0] != '{' {
		return d, false, fmt.Errorf("a line must be a JSON object, this one begins with %q: is this a file of JSON Lines?", line[:min(len(line), 16)])
	}
	line = c.markSurrogates(line)
	// The parser bounds the depth but takes much that is not JSON (unknown escapes, control characters); the validator is strict but recurses
	// without a bound. So both, in this order.
	v, err := c.parser.ParseBytes(line)
	if err == nil {
		err = fastjson.ValidateBytes(line)
	}
	if err != nil {
		return d, false, fmt.Errorf("the line is no JSON object: %s", brief(err))
	}
	text := c.text.find(v)
	if text == nil {
		return d, false, fmt.Errorf("no field %q for the text: name the field that holds it with the corpus's key text", c.text.source)
	}
	if text.Type() != fastjson.TypeString {
		return d, false, fmt.Errorf("field %q is of type %s, want a string: name the field that holds the text with the corpus's key text", c.text.source, text.Type())
	}
	raw := text.GetStringBytes()
	valid = utf8.Valid(raw)
	d.Text = string(raw)
	if d.ID, err = scalar(c.id, v, ""); err != nil {
		return d, false, err
	}
	if d.ID == "" {
		sum := sha256.Sum256(raw)
		d.ID = hex.EncodeToString(sum[:8])
	}
	valid = valid && utf8.ValidString(d.ID)
	d.Meta = make(map[string]string, len(c.fields))
	for _, f := range c.fields {
		if d.Meta[f.name], err = scalar(f.path, v, c.absent); err != nil {
			return d, false, err
		}
		valid = valid && utf8.ValidString(d.Meta[f.name])
	}
	return d, valid, nil
}

// brief keeps the parser's reason without the rest of the line that it quotes.
func brief(err error) string {
	why, _, _ := strings.Cut(err.Error(), "; unparsed tail")
	if len(why) > 200 {
		why = why[:200] + "..."
	}
	return strconv.QuoteToGraphic(why)
}

// scalar renders the value at a path as a string.
func scalar(p fieldPath, v *fastjson.Value, absent string) (string, error) {
	x := p.find(v)
	for x != nil && x.Type() == fastjson.TypeArray {
		a := x.GetArray()
		if len(a) == 0 || a[0].Type() == fastjson.TypeNull {
			return absent, nil
		}
		x = a[0]
	}
	if x == nil {
		return absent, nil
	}
	switch x.Type() {
	case fastjson.TypeString:
		return string(x.GetStringBytes()), nil
	case fastjson.TypeNumber:
		n, err := canonical(string(x.MarshalTo(nil)))
		if err != nil {
			return "", fmt.Errorf("field %q: %w", p.source, err)
		}
		return n, nil
	case fastjson.TypeTrue:
		return "true", nil
	case fastjson.TypeFalse:
		return "false", nil
	}
	return "", fmt.Errorf("field %q is an object, want a string, a number or an array of them: name a field inside it", p.source)
}

// maxDigits bounds the canonical form of numbers such as 1e999999.
const maxDigits = 64

// canonical writes a JSON number in plain decimal: no exponent, no zeros that say nothing, no sign of zero. It works on the digits, so
// that whole numbers beyond 2^53 keep theirs.
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

// markSurrogates replaces each escape of half a surrogate pair by the byte FF, which is not UTF-8, so that the check of the text finds
// it: the parser would pass it on as the six characters of the escape, which a text may hold in its own right.
func (c *compiled) markSurrogates(line []byte) []byte {
	if !hasSurrogate(line) {
		return line
	}
	out := c.scratch[:0]
	for i := 0; i < len(line); {
		if line[i] != '\\' || i+1 == len(line) {
			out = append(out, line[i])
			i++
			continue
		}
		unit, ok := escapedUnit(line[i:])
		switch {
		case !ok || unit&0xF800 != 0xD800: // any other escape, two bytes of it: the rest is plain
			out = append(out, line[i], line[i+1])
			i += 2
		case unit < 0xDC00 && isLow(line[i+6:]):
			out = append(out, line[i:i+12]...)
			i += 12
		default:
			out = append(out, 0xFF)
			i += 6
		}
	}
	c.scratch = out
	return out
}

func hasSurrogate(line []byte) bool {
	return bytes.Contains(line, []byte(`\ud`)) || bytes.Contains(line, []byte(`\uD`))
}

func isLow(s []byte) bool {
	unit, ok := escapedUnit(s)
	return ok && unit&0xFC00 == 0xDC00
}

// escapedUnit reads \uXXXX at the start of s.
func escapedUnit(s []byte) (uint64, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(s[2:6]), 16, 16)
	return unit, err == nil
}
