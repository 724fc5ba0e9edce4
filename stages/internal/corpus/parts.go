package corpus

import (
	"iter"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Ways to cut a text into paragraphs.
const (
	ParagraphLine  = "line"  // each line is one: the rule of the paper and of Dolma's decontamination
	ParagraphBlank = "blank" // lines of white space separate them
)

// Paragraphs yields the paragraphs of text in the form in which they are compared, and how many
// bytes of text each takes without the white space around it; empty ones are passed over. mode is
// ParagraphLine or ParagraphBlank, which the caller has checked.
//
// The same paragraph comes from texts that differ only in what no reader sees: the sort of line
// ends (LF, CR LF, CR), white space around lines, how many characters a line between paragraphs
// has, a byte order mark, an end of text with or without a newline, and whether an accent is a
// character of its own (Unicode's form NFC). The text itself, which is trained and evaluated on,
// stays as it is.
func Paragraphs(text, mode string) iter.Seq2[string, int] {
	if mode != ParagraphLine && mode != ParagraphBlank {
		panic("internal error: paragraph mode " + mode)
	}
	return func(yield func(string, int) bool) {
		var lines []string // of the paragraph that is being gathered, trimmed
		start := 0         // where it begins
		emit := func(end int) bool {
			if len(lines) == 0 {
				return true
			}
			size := len(trim(text[start:end]))
			p := lines[0]
			if len(lines) > 1 {
				p = strings.Join(lines, "\n")
			}
			lines = lines[:0]
			return yield(norm.NFC.String(p), size)
		}
		ends := lineEnds{text: text, lf: -1, cr: -1}
		for at := 0; at < len(text); {
			end, next := ends.after(at)
			if line := trim(text[at:end]); line != "" {
				if len(lines) == 0 {
					start = at
				}
				lines = append(lines, line)
			} else if !emit(at) {
				return
			}
			if mode == ParagraphLine && !emit(end) {
				return
			}
			at = next
		}
		emit(len(text))
	}
}

// lineEnds finds the ends of lines. It looks at each byte once for either sign, however the lines
// end.
type lineEnds struct {
	text   string
	lf, cr int // the next ones behind the last line, where that is known; len(text): there is none
}

// after is where the line at at ends, and where the next one begins.
func (l *lineEnds) after(at int) (end, next int) {
	next1 := func(known int, c byte) int {
		if known >= at {
			return known
		}
		if n := strings.IndexByte(l.text[at:], c); n >= 0 {
			return at + n
		}
		return len(l.text)
	}
	l.lf, l.cr = next1(l.lf, '\n'), next1(l.cr, '\r')
	end = min(l.lf, l.cr)
	if l.lf == l.cr+1 {
		return end, end + 2
	}
	return end, min(end+1, len(l.text))
}

// trim takes white space off both ends, and byte order marks, which are in the midst of texts that
// were joined from files.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '\uFEFF' })
}

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
