package bpe

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// nfc returns the canonical composition of text. The library's own String keeps to the Stream-Safe Text Format: it breaks
// up more than 30 combining marks in a row by U+034F, which plain NFC (and the reference tokenizer) does not. Where that happened the
// text is composed here, character by character.
func nfc(text string) string {
	if i := inert(text); i == len(text) {
		return text
	}
	if norm.NFC.IsNormalString(text) {
		return text
	}
	const joiner = "\u034f"
	out := norm.NFC.String(text)
	if strings.Count(out, joiner) != strings.Count(text, joiner) {
		return composePlain(text)
	}
	return out
}

// inert returns the length of the prefix that no normalization can touch: characters below U+0300 are all composed
// already and combine with nothing before them.
func inert(text string) int {
	for i := range len(text) {
		if text[i] >= 0xCC { // the first byte of U+0300
			return i
		}
	}
	return len(text)
}

// composePlain is NFC by definition (Unicode Standard, section 3.11, D117): decompose, order marks by combining class, compose each
// with its starter unless blocked. Slow; used only for what the library would break up.
func composePlain(text string) string {
	var chars []rune
	for _, c := range text {
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
		if starter >= 0 && (adjacent || last < k) {
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

func ccc(c rune) uint8 { return norm.NFD.PropertiesString(string(c)).CCC() }
