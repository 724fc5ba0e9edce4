package bpe

import (
	"sync"
	"unicode"
	"unicode/utf8"
)

// A splitRule says where the next word of s that begins at i ends (i < len(s), result > i). s is
// valid UTF-8; the end of s counts as the end of the text for the look-ahead of the rule, as in the
// reference implementation, which splits each stretch between added tokens on its own.
type splitRule struct {
	name    string
	pattern string // the regular expression that the code follows, and by which Load recognises the rule
	next    func(s string, i int) int
}

var (
	splitGPT2 = &splitRule{"GPT-2", `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`, nextGPT2}
	// The split of tiktoken's cl100k_base, which dolma2 uses.
	splitCL100K = &splitRule{"cl100k", `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`, nextCL100K}
)

// Classes of characters: \p{L}, \p{N}, \s (White_Space) and the rest. They are disjoint.
const (
	classOther = iota
	classLetter
	classNumber
	classSpace
)

// asciiClass answers for bytes below utf8.RuneSelf; classAbove marks bytes that begin a longer
// character.
const classAbove = 4

var asciiClass = func() (t [256]uint8) {
	for b := range t {
		if b < utf8.RuneSelf {
			t[b] = slowClass(rune(b))
		} else {
			t[b] = classAbove
		}
	}
	return t
}()

// bmpClass holds the classes of U+0000 to U+FFFF, one byte each: a search of the range tables per
// character halves the speed on text outside ASCII.
var bmpClass = sync.OnceValue(func() *[1 << 16]uint8 {
	t := new([1 << 16]uint8)
	mark := func(table *unicode.RangeTable, class uint8) {
		for _, r := range table.R16 {
			for c := uint32(r.Lo); c <= uint32(r.Hi); c += uint32(r.Stride) {
				t[c] = class
			}
		}
	}
	mark(unicode.L, classLetter)
	mark(unicode.N, classNumber)
	mark(unicode.White_Space, classSpace)
	mark(youngLetters, classLetter)
	return t
})

func slowClass(c rune) uint8 {
	switch {
	case unicode.Is(unicode.L, c):
		return classLetter
	case unicode.Is(unicode.N, c):
		return classNumber
	case unicode.Is(unicode.White_Space, c):
		return classSpace
	case unicode.Is(youngLetters, c):
		return classLetter
	case unicode.Is(youngNumbers, c):
		return classNumber
	}
	return classOther
}

// Letters and numbers are those of Unicode 16, as in the reference library. These came after
// Unicode 15.0, which Go 1.26 has; no number of them is below U+10000.
var (
	youngLetters = &unicode.RangeTable{
		R16: []unicode.Range16{{0x1c89, 0x1c8a, 1}, {0xa7cb, 0xa7cd, 1}, {0xa7da, 0xa7dc, 1}},
		R32: []unicode.Range32{
			{0x105c0, 0x105f3, 1}, {0x10d4a, 0x10d65, 1}, {0x10d6f, 0x10d85, 1}, {0x10ec2, 0x10ec4, 1}, {0x11380, 0x11389, 1},
			{0x1138b, 0x1138b, 1}, {0x1138e, 0x1138e, 1}, {0x11390, 0x113b5, 1}, {0x113b7, 0x113b7, 1}, {0x113d1, 0x113d1, 1},
			{0x113d3, 0x113d3, 1}, {0x11bc0, 0x11be0, 1}, {0x13460, 0x143fa, 1}, {0x16100, 0x1611d, 1}, {0x16d40, 0x16d6c, 1},
			{0x18cff, 0x18cff, 1}, {0x1e5d0, 0x1e5ed, 1}, {0x1e5f0, 0x1e5f0, 1}, {0x2ebf0, 0x2ee5d, 1},
		},
	}
	youngNumbers = &unicode.RangeTable{
		R32: []unicode.Range32{
			{0x10d40, 0x10d49, 1}, {0x116d0, 0x116e3, 1}, {0x11bf0, 0x11bf9, 1}, {0x16130, 0x16139, 1}, {0x16d70, 0x16d79, 1},
			{0x1ccf0, 0x1ccf9, 1}, {0x1e5f1, 0x1e5fa, 1},
		},
	}
)

// classAt returns the class of the character at i and its width in bytes.
func classAt(s string, i int) (class uint8, width int) {
	if k := asciiClass[s[i]]; k != classAbove {
		return k, 1
	}
	c, n := utf8.DecodeRuneInString(s[i:])
	if c < 1<<16 {
		return bmpClass()[c], n
	}
	return slowClass(c), n
}

// runEnd returns the end of the run of the given class that begins at or before i.
func runEnd(s string, i int, class uint8) int {
	for i < len(s) {
		k := asciiClass[s[i]]
		if k == class {
			i++
			continue
		}
		if k != classAbove {
			break
		}
		k, n := classAt(s, i)
		if k != class {
			break
		}
		i += n
	}
	return i
}

// spaceEnd ends the run of white space that begins at i by `\s+(?!\S)|\s+`: all of it at the end of
// the text, otherwise all but its last character, unless it has only one.
func spaceEnd(s string, i int) int {
	end, last := i, i
	for end < len(s) {
		k, n := classAt(s, end)
		if k != classSpace {
			break
		}
		last = end
		end += n
	}
	if end == len(s) || last == i {
		return end
	}
	return last
}

func nextGPT2(s string, i int) int {
	b := s[i]
	if b == '\'' {
		if n := contraction(s[i+1:], false); n > 0 {
			return i + 1 + n
		}
	}
	class, width := classAt(s, i)
	if b == ' ' && i+1 < len(s) {
		if k, n := classAt(s, i+1); k != classSpace {
			return runEnd(s, i+1+n, k)
		}
	}
	if class == classSpace {
		return spaceEnd(s, i)
	}
	return runEnd(s, i+width, class)
}

func nextCL100K(s string, i int) int {
	b := s[i]
	if b == '\'' {
		if n := contraction(s[i+1:], true); n > 0 {
			return i + 1 + n
		}
	}
	class, width := classAt(s, i)
	switch class {
	case classLetter:
		return runEnd(s, i+width, classLetter)
	case classNumber:
		for range 2 { // at most three
			if i+width == len(s) {
				break
			}
			k, n := classAt(s, i+width)
			if k != classNumber {
				break
			}
			width += n
		}
		return i + width
	}
	after := uint8(classSpace) // the class behind the first character; the end of the text counts as space
	if i+width < len(s) {
		after, _ = classAt(s, i+width)
	}
	if after == classLetter && b != '\r' && b != '\n' {
		return runEnd(s, i+width, classLetter)
	}
	if class == classOther || b == ' ' && after == classOther {
		end := runEnd(s, i+width, classOther)
		for end < len(s) && (s[end] == '\r' || s[end] == '\n') {
			end++
		}
		return end
	}
	// `\s*[\r\n]+`: up to the last line end of the run, where there is one.
	for end := runEnd(s, i, classSpace); end > i; end-- {
		if c := s[end-1]; c == '\r' || c == '\n' {
			return end
		}
	}
	return spaceEnd(s, i)
}

// contraction returns the length of s, t, re, ve, m, ll or d at the start of s, 0 where there is
// none. fold ignores case as Unicode does, so that U+017F (long s) counts as s.
func contraction(s string, fold bool) int {
	if s == "" {
		return 0
	}
	a, b := s[0], byte(0)
	if len(s) > 1 {
		b = s[1]
	}
	if fold {
		if a == 0xC5 && b == 0xBF { // U+017F
			return 2
		}
		a, b = lower(a), lower(b)
	}
	switch a {
	case 's', 't', 'm', 'd':
		return 1
	case 'r', 'v':
		if b == 'e' {
			return 2
		}
	case 'l':
		if b == 'l' {
			return 2
		}
	}
	return 0
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + ('a' - 'A')
	}
	return b
}
