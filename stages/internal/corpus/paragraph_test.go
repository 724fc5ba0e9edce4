package corpus

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParagraphs(t *testing.T) {
	for _, c := range []struct {
		name, text  string
		line, blank []string
	}{
		{"empty", "", nil, nil},
		{"white space", " \n\t\n\u3000", nil, nil},
		{"one", "a b", []string{"a b"}, []string{"a b"}},
		{"two lines", "a\nb\n", []string{"a", "b"}, []string{"a\nb"}},
		{"blank line", "a\nb\n\nc", []string{"a", "b", "c"}, []string{"a\nb", "c"}},
		{"blank line of white space", "a\n \t\nb", []string{"a", "b"}, []string{"a", "b"}},
		{"many blank lines", "\n\na\n\n\n\nb\n\n", []string{"a", "b"}, []string{"a", "b"}},
		{"CRLF", "a\r\nb\r\n\r\nc\r\n", []string{"a", "b", "c"}, []string{"a\r\nb", "c"}},
		{"indented", "  a\n    b\n", []string{"a", "b"}, []string{"a\n    b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.line, slices.Collect(Paragraphs(c.text, ParagraphLine))); diff != "" {
				t.Errorf("line (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.blank, slices.Collect(Paragraphs(c.text, ParagraphBlank))); diff != "" {
				t.Errorf("blank (-want +got):\n%s", diff)
			}
		})
	}
	for _, mode := range []string{ParagraphLine, ParagraphBlank} {
		for p := range Paragraphs("a\n\nb\n\nc", mode) {
			if p != "a" {
				t.Errorf("%s: %q after the loop was left", mode, p)
			}
			break
		}
	}
}
