package corpus

import (
	"iter"
	"strings"
	"unicode"

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
