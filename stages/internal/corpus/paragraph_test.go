package corpus

import (
	"iter"
	"slices"
	"strings"
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

// The same paragraphs come from every form of the same text.
func TestParagraphsOfOneText(t *testing.T) {
	text := "The keeper of the caf\u00e9\nlit the lamp.\n\nThe ships came home.\n"
	for _, c := range []struct{ name, text string }{
		{"CR LF", strings.ReplaceAll(text, "\n", "\r\n")},
		{"CR", strings.ReplaceAll(text, "\n", "\r")},
		{"byte order mark", "\uFEFF" + text},
		{"byte order mark of a file that was joined", strings.Replace(text, "The ships", "\uFEFFThe ships", 1)},
		{"blanks at the ends of lines", strings.ReplaceAll(text, "\n", " \t\n")},
		{"no-break space at the ends of lines", strings.ReplaceAll(text, "\n", "\u00a0\n")},
		{"indented", "  " + strings.ReplaceAll(text, "\n", "\n\t")},
		{"no newline at the end", strings.TrimSpace(text)},
		{"more blank lines", "\n\n" + strings.ReplaceAll(text, "\n\n", "\n\n \n\n") + "\n\n"},
		{"accents of their own", strings.ReplaceAll(text, "\u00e9", "e\u0301")},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, mode := range []string{ParagraphLine, ParagraphBlank} {
				if diff := cmp.Diff(only(Paragraphs(text, mode)), only(Paragraphs(c.text, mode))); diff != "" {
					t.Errorf("%s (-want +got):\n%s", mode, diff)
				}
			}
		})
	}
}

// A size is what the paragraph takes of the text as it is, so that shares of a text mean the same
// in every form of it.
func TestParagraphSizes(t *testing.T) {
	for text, want := range map[string][2]int{"  a \r\n\tb \r\n\r\ncc": {6, 2}, "a\nb\n\ncc": {3, 2}, "a\rb\r\rcc\r": {3, 2}} {
		var got []int
		for _, size := range Paragraphs(text, ParagraphBlank) {
			got = append(got, size)
		}
		if !slices.Equal(got, want[:]) {
			t.Errorf("%q: sizes %d, want %d", text, got, want)
		}
	}
}
