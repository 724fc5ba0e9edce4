package corpus

import (
	"iter"
	"strings"
	"unicode/utf8"
)

// pieces cuts a text into pieces of at most limit bytes, each as long as it can be: after a blank line where there is one in the second half
// of what fits, else after a line, else after white space, else between two characters. Together they are the text. Where a cut falls
// depends on nothing behind it but the next limit bytes, so that text added at the end changes the last piece and new ones only.
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
