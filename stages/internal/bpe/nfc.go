package bpe

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// nfc returns the canonical composition of text as the reference library makes it, which differs in
// two ways from x/text: that keeps to the Stream-Safe Text Format, which breaks up more than 30
// combining marks in a row by U+034F, and it knows the marks of Unicode 15, where the reference has
// older tables. Where either counts the text is composed here, character by character.
func nfc(text string) string {
	if i := inert(text); i == len(text) {
		return text
	}
	if norm.NFC.IsNormalString(text) {
		return text
	}
	// Text that is composed by the younger tables is so by the older ones too: with fewer marks
	// there is less to order and to join.
	if strings.ContainsFunc(text, young) {
		return composePlain(text)
	}
	const joiner = "\u034f"
	out := norm.NFC.String(text)
	if strings.Count(out, joiner) != strings.Count(text, joiner) {
		return composePlain(text)
	}
	return out
}

// inert returns the length of the prefix that no normalization can touch: characters below U+0300
// are all composed already and combine with nothing before them.
func inert(text string) int {
	for i := range len(text) {
		if text[i] >= 0xCC { // the first byte of U+0300
			return i
		}
	}
	return len(text)
}

// composePlain is NFC by definition (Unicode Standard, section 3.11, D117): decompose, order marks
// by combining class, compose each with its starter unless blocked. Slow; used only for what the
// library would break up.
func composePlain(text string) string {
	var chars []rune
	for _, c := range text {
		if young(c) {
			chars = append(chars, c)
			continue
		}
		for _, d := range norm.NFD.String(string(c)) {
			chars = append(chars, d)
		}
	}
	for i := 0; i < len(chars); {
		if ccc(chars[i]) == 0 {
			i++
			continue
		}
		j := i
		for j < len(chars) && ccc(chars[j]) != 0 {
			j++
		}
		slices.SortStableFunc(chars[i:j], func(a, b rune) int { return int(ccc(a)) - int(ccc(b)) })
		i = j
	}
	out := chars[:0]
	starter := -1    // index in out
	last := uint8(0) // combining class of the character before, where it lies behind the starter
	for _, c := range chars {
		k := ccc(c)
		adjacent := starter >= 0 && starter == len(out)-1
		if starter >= 0 && (adjacent || last < k) && !young(c) {
			if joined := norm.NFC.String(string([]rune{out[starter], c})); utf8.RuneCountInString(joined) == 1 {
				out[starter], _ = utf8.DecodeRuneInString(joined)
				continue
			}
		}
		if k == 0 {
			starter = len(out)
		}
		last = k
		out = append(out, c)
	}
	return string(out)
}

// ccc is the canonical combining class.
func ccc(c rune) uint8 {
	if young(c) {
		return 0
	}
	return norm.NFD.PropertiesString(string(c)).CCC()
}

func young(c rune) bool { return unicode.Is(youngMarks, c) }

// youngMarks has the combining class 0 in the reference library (0.23.3) and joins nothing: found
// by ordering each character there among marks of all classes. U+11930 and U+11938 are here because
// the one only joins to the other since Unicode 13.
var youngMarks = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x7fd, 0x7fd, 1}, {0x898, 0x89f, 1}, {0x8ca, 0x8d3, 1}, {0x9fe, 0x9fe, 1}, {0xc3c, 0xc3c, 1}, {0xd3b, 0xd3c, 1},
		{0xeba, 0xeba, 1}, {0x1715, 0x1715, 1}, {0x1abf, 0x1ace, 1}, {0x1df6, 0x1dfa, 1}, {0xa82c, 0xa82c, 1},
	},
	R32: []unicode.Range32{
		{0x10d24, 0x10d27, 1}, {0x10eab, 0x10eac, 1}, {0x10efd, 0x10eff, 1}, {0x10f46, 0x10f50, 1}, {0x10f82, 0x10f85, 1},
		{0x11070, 0x11070, 1}, {0x1133b, 0x1133b, 1}, {0x1145e, 0x1145e, 1}, {0x11839, 0x1183a, 1}, {0x11930, 0x11930, 1},
		{0x11938, 0x11938, 1}, {0x1193d, 0x1193e, 1}, {0x11943, 0x11943, 1}, {0x119e0, 0x119e0, 1}, {0x11a34, 0x11a34, 1},
		{0x11a47, 0x11a47, 1}, {0x11a99, 0x11a99, 1}, {0x11d42, 0x11d42, 1}, {0x11d44, 0x11d45, 1}, {0x11d97, 0x11d97, 1},
		{0x11f41, 0x11f42, 1}, {0x16ff0, 0x16ff1, 1}, {0x1e08f, 0x1e08f, 1}, {0x1e130, 0x1e136, 1}, {0x1e2ae, 0x1e2ae, 1},
		{0x1e2ec, 0x1e2ef, 1}, {0x1e4ec, 0x1e4ef, 1},
	},
}
