package corpus

import (
	"iter"
	"strings"
)

// Ways to cut a text into paragraphs.
const (
	ParagraphLine  = "line"  // each line is one: the rule of the paper and of Dolma's decontamination
	ParagraphBlank = "blank" // lines of white space separate them
)

// Paragraphs yields the paragraphs of text without the white space around them; empty ones are passed over. mode is
// ParagraphLine or ParagraphBlank, which the caller has checked.
func Paragraphs(text, mode string) iter.Seq[string] {
	if mode != ParagraphLine && mode != ParagraphBlank {
		panic("internal error: paragraph mode " + mode)
	}
	return func(yield func(string) bool) {
		start := 0 // of the paragraph that is being gathered
		for at := 0; at < len(text); {
			end, next := len(text), len(text)
			if n := strings.IndexByte(text[at:], '\n'); n >= 0 {
				end, next = at+n, at+n+1
			}
			if mode == ParagraphLine || strings.TrimSpace(text[at:end]) == "" {
				if p := strings.TrimSpace(text[start:end]); p != "" && !yield(p) {
					return
				}
				start = next
			}
			at = next
		}
		if p := strings.TrimSpace(text[start:]); p != "" {
			yield(p)
		}
	}
}
