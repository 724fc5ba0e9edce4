package corpus

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// A scanner checks the JSON of one line and, in the same pass, notes where the values lie that the
// paths lead to. Nothing else of the line is looked at twice, and nothing is copied. It takes what
// RFC 8259 takes, down to maxDepth levels.
type scanner struct {
	line  []byte
	found []span // by the number of the path
}

// A span is a value in the line.
type span struct {
	kind       byte // its first byte, but '0' for numbers; 0: there is none
	escaped    bool // a string with a backslash in it
	ascii      bool // a string without other bytes
	start, end int  // of strings without the quotes
}

// maxDepth bounds the recursion.
const maxDepth = 300

// A node is where paths part: what is to be noted of a value.
type node struct {
	ends  []int // paths that end here
	below []int // paths that end here or below
	keys  []keyed
	items []indexed
}

type keyed struct {
	key string
	to  *node
}

type indexed struct {
	index int
	to    *node
}

// add enters a path as number n.
func (d *node) add(steps []pathStep, n int) {
	d.below = append(d.below, n)
	if len(steps) == 0 {
		d.ends = append(d.ends, n)
		return
	}
	s := steps[0]
	var to *node
	if s.key != "" {
		if to = d.key([]byte(s.key)); to == nil {
			to = &node{}
			d.keys = append(d.keys, keyed{s.key, to})
		}
	} else if to = d.item(s.index); to == nil {
		to = &node{}
		d.items = append(d.items, indexed{s.index, to})
	}
	to.add(steps[1:], n)
}

func (d *node) key(k []byte) *node {
	if d != nil {
		for i := range d.keys {
			if d.keys[i].key == string(k) {
				return d.keys[i].to
			}
		}
	}
	return nil
}

func (d *node) item(n int) *node {
	if d != nil {
		for i := range d.items {
			if d.items[i].index == n {
				return d.items[i].to
			}
		}
	}
	return nil
}

// badSyntax is what is wrong with a line, and where in it.
type badSyntax struct {
	at   int
	what string
}

func (e *badSyntax) Error() string { return e.what }

func syntaxError(at int, what string) error { return &badSyntax{at, what} }

// scan reads one object, from white space to white space. at is where an error is.
func (s *scanner) scan(line []byte, root *node) (at int, err error) {
	s.line = line
	clear(s.found)
	end, err := s.value(s.space(0), root, 0)
	if err == nil {
		if end = s.space(end); end == len(line) {
			return 0, nil
		}
		err = syntaxError(end, "more after its end")
	}
	if bad := (*badSyntax)(nil); errors.As(err, &bad) {
		return bad.at, err
	}
	return len(line), err
}

func (s *scanner) space(i int) int {
	for i < len(s.line) {
		switch s.line[i] {
		case ' ', '\t', '\n', '\r':
			i++
		default:
			return i
		}
	}
	return i
}

var errEnd = errors.New("it ends inside a value")

// value reads the value at i, notes it for the paths of d, which may be nil, and returns its end.
func (s *scanner) value(i int, d *node, depth int) (end int, err error) {
	if i >= len(s.line) {
		return i, errEnd
	}
	v := span{kind: s.line[i], start: i}
	switch v.kind {
	case '{':
		end, err = s.object(i, d, depth+1)
	case '[':
		end, err = s.array(i, d, depth+1)
	case '"':
		v.start = i + 1
		if v.end, v.escaped, v.ascii, err = s.text(i + 1); err != nil {
			return i, err
		}
		end = v.end + 1
	case 't':
		end, err = s.word(i, "true")
	case 'f':
		end, err = s.word(i, "false")
	case 'n':
		end, err = s.word(i, "null")
	default:
		v.kind = '0'
		end, err = s.number(i)
	}
	if err != nil || d == nil {
		return end, err
	}
	if v.kind != '"' {
		v.end = end
	}
	if v.kind == 'n' {
		v = span{}
	}
	for _, n := range d.ends {
		s.found[n] = v
	}
	return end, nil
}

func (s *scanner) object(i int, d *node, depth int) (int, error) {
	if depth > maxDepth {
		return i, syntaxError(i, "more than 300 levels")
	}
	if i = s.space(i + 1); i < len(s.line) && s.line[i] == '}' {
		return i + 1, nil
	}
	for {
		if i >= len(s.line) {
			return i, errEnd
		}
		if s.line[i] != '"' {
			return i, syntaxError(i, "no key in quotes")
		}
		end, escaped, _, err := s.text(i + 1)
		if err != nil {
			return i, err
		}
		var to *node
		if d != nil && len(d.keys) > 0 {
			key := s.line[i+1 : end]
			if escaped {
				key, _ = unescape(nil, key)
			}
			if to = d.key(key); to != nil {
				for _, n := range to.below { // the last of several values counts, with all that is in it
					s.found[n] = span{}
				}
			}
		}
		if i = s.space(end + 1); i >= len(s.line) {
			return i, errEnd
		}
		if s.line[i] != ':' {
			return i, syntaxError(i, "no colon after a key")
		}
		if i, err = s.value(s.space(i+1), to, depth); err != nil {
			return i, err
		}
		if i = s.space(i); i >= len(s.line) {
			return i, errEnd
		}
		switch s.line[i] {
		case '}':
			return i + 1, nil
		case ',':
			i = s.space(i + 1)
		default:
			return i, syntaxError(i, "neither , nor } after a value")
		}
	}
}

func (s *scanner) array(i int, d *node, depth int) (int, error) {
	if depth > maxDepth {
		return i, syntaxError(i, "more than 300 levels")
	}
	if i = s.space(i + 1); i < len(s.line) && s.line[i] == ']' {
		return i + 1, nil
	}
	for n := 0; ; n++ {
		var err error
		if i, err = s.value(i, d.item(n), depth); err != nil {
			return i, err
		}
		if i = s.space(i); i >= len(s.line) {
			return i, errEnd
		}
		switch s.line[i] {
		case ']':
			return i + 1, nil
		case ',':
			i = s.space(i + 1)
		default:
			return i, syntaxError(i, "neither , nor ] after a value")
		}
	}
}

func (s *scanner) word(i int, w string) (int, error) {
	if len(s.line)-i < len(w) || string(s.line[i:i+len(w)]) != w {
		return i, syntaxError(i, "no value")
	}
	return i + len(w), nil
}

// number reads -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
func (s *scanner) number(i int) (int, error) {
	start := i
	digits := func() bool {
		from := i
		for i < len(s.line) && s.line[i]-'0' <= 9 {
			i++
		}
		return i > from
	}
	is := func(any string) bool {
		if i < len(s.line) && bytes.IndexByte([]byte(any), s.line[i]) >= 0 {
			i++
			return true
		}
		return false
	}
	is("-")
	if !is("0") && !digits() {
		return start, syntaxError(start, "no value")
	}
	if is(".") && !digits() {
		return start, syntaxError(start, "a number without digits after its point")
	}
	if is("eE") {
		is("+-")
		if !digits() {
			return start, syntaxError(start, "a number without digits in its exponent")
		}
	}
	return i, nil
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// text finds the quote that ends the string at i. Eight bytes at a time: for bytes below 0x80,
// (x - n) &^ x has the high bit of the first byte that is less than n, and of none before it.
func (s *scanner) text(i int) (end int, escaped, ascii bool, err error) {
	line := s.line
	var high uint64
	for {
		for len(line)-i >= 8 {
			x := binary.LittleEndian.Uint64(line[i:])
			quote, slash := x^('"'*ones), x^('\\'*ones)
			stop := ((quote-ones)&^quote | (slash-ones)&^slash | (x-0x20*ones)&^x) & highs
			if stop != 0 {
				n := bits.TrailingZeros64(stop) / 8
				high |= x & (1<<(8*n) - 1)
				i += n
				break
			}
			high |= x
			i += 8
		}
		if i >= len(line) {
			return i, false, false, errEnd
		}
		switch c := line[i]; {
		case c == '"':
			return i, escaped, high&highs == 0, nil
		case c == '\\':
			escaped = true
			n, err := s.escape(i)
			if err != nil {
				return i, false, false, err
			}
			i += n
		case c < 0x20:
			return i, false, false, syntaxError(i, fmt.Sprintf("control character %#02x in a string", c))
		default:
			high |= uint64(c)
			i++
		}
	}
}

// escape returns the length of the escape at i.
func (s *scanner) escape(i int) (int, error) {
	if i+1 >= len(s.line) {
		return 0, errEnd
	}
	switch s.line[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, nil
	case 'u':
		if _, ok := escapedUnit(s.line[i:]); ok {
			return 6, nil
		}
	}
	return 0, syntaxError(i, "unknown escape")
}
