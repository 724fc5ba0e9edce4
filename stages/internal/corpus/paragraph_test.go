package corpus

import (
	"iter"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// only are the paragraphs without their sizes.
func only(of iter.Seq2[string, int]) (list []string) {
	for p := range of {
		list = append(list, p)
	}
	return list
}

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
		{"CRLF", "a\r\nb\r\n\r\nc\r\n", []string{"a", "b", "c"}, []string{"a\nb", "c"}},
		{"indented", "  a\n    b\n", []string{"a", "b"}, []string{"a\nb"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.line, only(Paragraphs(c.text, ParagraphLine))); diff != "" {
				t.Errorf("line (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.blank, only(Paragraphs(c.text, ParagraphBlank))); diff != "" {
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
