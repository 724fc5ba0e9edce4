package corpus

import (
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Where documents are cut, an identity tells a piece from a whole document, and both from any
// other: a piece has # and its number, from 0, behind the identity of its document. So that no
// identity of a whole document looks like that, signs # at the end of a document's own identity, or
// before digits at its end, are doubled. An even number of signs before the digits is thus a
// document's own, an odd number a piece's.

// pieceID is the identity of piece number of a document.
func pieceID(id string, number int) string {
	signs := len(id) - len(strings.TrimRight(id, "#"))
	return id + id[len(id)-signs:] + "#" + strconv.Itoa(number)
}

// wholeID is the identity of a document that is not cut, among others that may be.
func wholeID(id string) string {
	front := strings.TrimRight(id, "0123456789")
	if len(front) == len(id) {
		return id
	}
	signs := len(front) - len(strings.TrimRight(front, "#"))
	return front + front[len(front)-signs:] + id[len(front):]
}

// pieces cuts a text into pieces of at most limit bytes, each as long as it can be: after a blank
// line where there is one in the second half of what fits, else after a line, else after white
// space, else between two characters. Together they are the text. Where a cut falls depends on
// nothing behind it but the next limit bytes, so that text added at the end changes the last piece
// and new ones only.
func pieces(text string, limit int64) iter.Seq[string] {
	return func(yield func(string) bool) {
		for limit > 0 && int64(len(text)) > limit {
			cut := pieceEnd(text[:limit])
			if !yield(text[:cut]) {
				return
			}
			text = text[cut:]
		}
		yield(text)
	}
}

// pieceEnd says how much of window, which ends in mid-text, is the next piece.
func pieceEnd(window string) int {
	half := len(window) / 2
	for _, end := range []string{"\n\n", "\n", " "} {
		if i := strings.LastIndex(window[half:], end); i >= 0 {
			return half + i + len(end)
		}
	}
	// A character has at most four bytes; the last one may be cut.
	for cut := len(window); cut > max(0, len(window)-utf8.UTFMax); cut-- {
		if r, size := utf8.DecodeLastRuneInString(window[:cut]); r != utf8.RuneError || size == 3 {
			return cut
		}
	}
	return len(window)
}
