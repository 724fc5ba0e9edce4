// Package ident writes the names that are joined of others, and reads them back: of partitions by
// several fields, of units, of mixtures, of replicates. Identity is held in fields everywhere;
// these names are for people. Two different things never have one joined name, because what a part
// holds of the signs that join is escaped: a percent sign and two capital hexadecimal digits for a
// byte, as in an address of the web. A percent sign needs no quotes in a shell, and a name without
// special signs is as it is.
//
// Words. The name of a partition is what its documents have: the value of a field as it is, or the
// values of several fields, joined by slashes (Join). Its text is the name as a part of longer
// names (Text). A component of a mixture is a partition or one of its units:
//
//	mixture    component + component ...       Biology,2005-2007+Physics/3
//	component  text | unit
//	unit       text , first - last [ # n ]     Biology,2005-2007 Physics,2019-2019#2     a range of the values that order the documents
//	           text / number                   Physics/3
//	replicate  name [ @ n ]                    seq/pairs/Biology+Physics@2
//
// A text holds no plus sign and no sign that does not print; what it ends in never looks like a
// range, a replicate or (in a set of partitions by one field) a number; so the parts of a name
// follow from the name and the number of fields that the set of partitions goes by. What this
// package does not promise: that no two sets of partitions have a partition of one name. The plan
// sees to that.
package ident

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxPartition is how many bytes the name of a partition may have in a study.
const MaxPartition = 1000

// empty is the text of a partition whose name is empty.
const empty = "%"

// Join is the name of a partition by the values of its fields: the value itself of one field; of
// several the values between slashes, with a slash in a value written %2F.
func Join(values []string) string { return join(values, len(values)) }

func join(values []string, fields int) string {
	if fields < 2 {
		return values[0]
	}
	escaped := make([]string, len(values))
	for i, v := range values {
		escaped[i] = escape(v, func(i int) bool { return v[i] == '/' })
	}
	return strings.Join(escaped, "/")
}

// Fields takes the name of a partition apart, in a set of partitions by so many fields. A name that
// a person chose, such as one that others are folded into, may have fewer.
func Fields(name string, fields int) []string {
	if fields < 2 {
		return []string{name}
	}
	values := strings.Split(name, "/")
	for i, v := range values {
		values[i] = Unescape(v)
	}
	return values
}

// Text is the name of a partition as a part of longer names.
func Text(name string, fields int) string {
	values := Fields(name, fields)
	for i, v := range values {
		values[i] = escape(v, func(i int) bool {
			switch c := v[i]; c {
			case '+':
				return true
			case '/':
				return fields > 1
			case ':': // as in the weight of a model, 2:unit/areas/net
				return i > 0 && isDigit(v[i-1])
			}
			return false
		})
	}
	text := strings.Join(values, "/")
	if text == "" {
		return empty
	}
	if at := tail(text, fields); at >= 0 {
		text = text[:at] + hex(text[at]) + text[at+1:]
	}
	return text
}

// ParseText is the name whose text it is.
func ParseText(text string, fields int) (name string, err error) {
	if text != empty {
		values := []string{text}
		if fields > 1 {
			values = strings.Split(text, "/")
		}
		for i, v := range values {
			values[i] = Unescape(v)
		}
		name = join(values, fields)
	}
	if Text(name, fields) != text {
		return "", fmt.Errorf("%q is not written as the name of a partition", text)
	}
	return name, nil
}

// tail is where a text ends in what looks like a unit or a replicate, or -1.
func tail(text string, fields int) int {
	if comma, _ := rangeOf(text); comma >= 0 {
		return comma
	}
	signs := "@"
	if fields < 2 {
		signs = "@/"
	}
	if at := strings.LastIndexAny(text, signs); at >= 0 && isNumber(text[at+1:]) {
		return at
	}
	return -1
}

// Unit tells a unit of a partition from the others.
type Unit struct {
	Number      int    // from 0; -1: it goes by its range
	First, Last string // of a range: finite numbers as the documents have them
	Again       int    // of several units of one range, which one, from 1
}

// Suffix is what follows the text of the partition in the unit's name.
func (u Unit) Suffix() string {
	if u.Number >= 0 {
		return "/" + strconv.Itoa(u.Number)
	}
	suffix := "," + number(u.First) + "-" + number(u.Last)
	if u.Again > 1 {
		suffix += "#" + strconv.Itoa(u.Again)
	}
	return suffix
}

// Label is the unit's name without its partition: 2005-2007 or 3.
func (u Unit) Label() string { return u.Suffix()[1:] }

// ParseUnit takes the name of a unit apart. In a set by several fields a name of fewer slashes than
// these is no unit: units by number of what a person named with fewer, such as a partition that
// others are folded into, are told by the list of partitions only.
func ParseUnit(name string, fields int) (text string, u Unit, ok bool) {
	if comma, r := rangeOf(name); comma >= 0 {
		return name[:comma], r, true
	}
	at := strings.LastIndexByte(name, '/')
	if at < 0 || fields > 1 && strings.Count(name, "/") < fields {
		return "", Unit{}, false
	}
	n, err := strconv.Atoi(name[at+1:])
	if err != nil || strconv.Itoa(n) != name[at+1:] || n < 0 {
		return "", Unit{}, false
	}
	return name[:at], Unit{Number: n}, true
}

// rangeOf finds the range that a name ends in, and the comma before it; -1: there is none.
func rangeOf(name string) (comma int, u Unit) {
	comma = strings.LastIndexByte(name, ',')
	if comma < 0 {
		return -1, u
	}
	span, again, counted := strings.Cut(name[comma+1:], "#")
	u = Unit{Number: -1, Again: 1}
	if counted {
		n, err := strconv.Atoi(again)
		if err != nil || n < 2 || strconv.Itoa(n) != again {
			return -1, u
		}
		u.Again = n
	}
	span = Unescape(span)
	for i := 1; i < len(span)-1; i++ { // at most one dash stands between two numbers: the others are signs, of the numbers or their exponents
		if span[i] == '-' && IsNumber(span[:i]) && IsNumber(span[i+1:]) {
			u.First, u.Last = span[:i], span[i+1:]
			return comma, u
		}
	}
	return -1, u
}

// IsNumber reports whether a text is a finite number as units are ordered and named by: what Go
// reads as one. Words such as "inf" are words.
func IsNumber(text string) bool {
	x, err := strconv.ParseFloat(text, 64)
	return err == nil && !math.IsNaN(x) && !math.IsInf(x, 0)
}

func number(text string) string { return escape(text, func(i int) bool { return text[i] == '+' }) }

// Mixture joins components.
func Mixture(components []string) string { return strings.Join(components, "+") }

// ParseMixture takes a mixture apart.
func ParseMixture(name string) []string { return strings.Split(name, "+") }

// Replicate is the name of the r-th thing of a name, counted from 0: the first has none of its own,
// the second ends in @2.
func Replicate(name string, r int) string {
	if r == 0 {
		return name
	}
	return name + "@" + strconv.Itoa(r+1)
}

// ParseReplicate takes the name of a replicate apart.
func ParseReplicate(name string) (of string, r int) {
	at := strings.LastIndexByte(name, '@')
	if at < 0 || !isNumber(name[at+1:]) {
		return name, 0
	}
	n, err := strconv.Atoi(name[at+1:])
	if err != nil || n < 2 || strconv.Itoa(n) != name[at+1:] {
		return name, 0
	}
	return name[:at], n - 1
}

// Line is any text as one line that prints, such as the name of a file in the name of a step.
func Line(text string) string { return escape(text, func(int) bool { return false }) }

// Files is the name of files by the first of them and how many more there are: a.jsonl, or
// a.jsonl+41. That of one file never ends like that of several.
func Files(first string, more int) string {
	name := Line(first)
	if more > 0 {
		return name + "+" + strconv.Itoa(more)
	}
	if at := strings.LastIndexByte(name, '+'); at >= 0 && isNumber(name[at+1:]) {
		return name[:at] + hex('+') + name[at+1:]
	}
	return name
}

// FirstFile is the name that Files made without how many more files there are.
func FirstFile(name string) string {
	if at := strings.LastIndexByte(name, '+'); at >= 0 && isNumber(name[at+1:]) {
		return name[:at]
	}
	return name
}

// escape writes the bytes that must be escaped: those asked for, percent signs that would read as
// an escape, and what does not print as a part of a line: control characters, ends of lines, space
// at an end, and what is not UTF-8.
func escape(text string, also func(i int) bool) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		must := r == utf8.RuneError && n == 1 || unicode.IsControl(r) || r == '\u2028' || r == '\u2029' ||
			unicode.IsSpace(r) && (i == 0 || i+n == len(text)) || r == '%' && (escaped(text[i:]) || len(text) == 1) || n == 1 && also(i)
		for range n {
			if must {
				b.WriteString(hex(text[i]))
			} else {
				b.WriteByte(text[i])
			}
			i++
		}
	}
	return b.String()
}

func hex(c byte) string { return fmt.Sprintf("%%%02X", c) }

// escaped reports whether a text begins with an escape.
func escaped(text string) bool {
	const digits = "0123456789ABCDEF"
	return len(text) > 2 && text[0] == '%' && strings.IndexByte(digits, text[1]) >= 0 && strings.IndexByte(digits, text[2]) >= 0
}

// Shown is the name of a mixture as a person reads it: without escapes where it has one component,
// so that they tell nothing apart.
func Shown(name string) string {
	if strings.Contains(name, "+") {
		return name
	}
	return Unescape(name)
}

// Unescape takes escapes back; a percent sign that begins none stays.
func Unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if !escaped(text[i:]) {
			b.WriteByte(text[i])
			continue
		}
		v, _ := strconv.ParseUint(text[i+1:i+3], 16, 8) // two digits always are one
		b.WriteByte(byte(v))
		i += 2
	}
	return b.String()
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isNumber reports whether a text is digits.
func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}
