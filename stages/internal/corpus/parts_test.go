package corpus

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

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

func TestPieces(t *testing.T) {
	for _, c := range []struct {
		name, text string
		limit      int64
		want       []string
	}{
		{"no bound", "a b c", 0, []string{"a b c"}},
		{"short", "a b c", 5, []string{"a b c"}},
		{"blank line", "aa\n\nbb\ncc dd", 10, []string{"aa\n\nbb\n", "cc dd"}},
		{"blank line in the second half", "aaaaa\n\nb\ncc dd", 10, []string{"aaaaa\n\n", "b\ncc dd"}},
		{"line", "aaaa bb\ncc dd", 10, []string{"aaaa bb\n", "cc dd"}},
		{"word", "aaaa bb cc dd", 10, []string{"aaaa bb ", "cc dd"}},
		{"character", strings.Repeat("é", 7), 5, []string{"éé", "éé", "éé", "é"}},
		{"replacement character", strings.Repeat("\uFFFD", 3), 7, []string{"\uFFFD\uFFFD", "\uFFFD"}},
		{"character wider than the bound", "😀😀", 2, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := slices.Collect(pieces(c.text, c.limit))
			if c.want != nil {
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Error(diff)
				}
			}
			if joined := strings.Join(got, ""); joined != c.text {
				t.Errorf("the pieces make %q, not %q", joined, c.text)
			}
		})
	}
}

func TestPiecesStayPut(t *testing.T) {
	text := strings.Repeat("some words in a line\nand another\n\n", 40)
	before, after := slices.Collect(pieces(text, 200)), slices.Collect(pieces(text+"and more of it", 200))
	for i := range before[:len(before)-1] {
		if before[i] != after[i] {
			t.Errorf("piece %d changed when text was added at the end", i)
		}
		if !utf8.ValidString(before[i]) || len(before[i]) > 200 {
			t.Errorf("piece %d has %d bytes", i, len(before[i]))
		}
	}
}

func TestReadPieces(t *testing.T) {
	docs, counts, err := read(Options{Format: FormatText, PieceBytes: 8, Metadata: map[string]string{"area": `^([^/]+)/`}}, "go/a.txt", "one two\nthree\n")
	if err != nil {
		t.Fatal(err)
	}
	meta := map[string]string{"area": "go"}
	if diff := cmp.Diff([]Document{{ID: "go/a.txt#0", Text: "one two\n", Meta: meta}, {ID: "go/a.txt#1", Text: "three\n", Meta: meta}}, docs); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Counts{Files: 1, Read: 2, Kept: 2, Bytes: 14}, counts, anyPlaces); diff != "" {
		t.Error(diff)
	}
}

// No identity of a piece is that of a whole document or of another's piece, whatever the identities
// are, and each can be read back.
func TestPieceIDs(t *testing.T) {
	ids := []string{"a", "a#", "a##", "a#0", "a#1", "a##1", "a###1", "a#1#0", "a#x", "#", "#0", "0", "", "a#1#", "a#12", "a1"}
	of := map[string]string{}
	enter := func(id, what string) {
		if other, ok := of[id]; ok {
			t.Errorf("%q is %s and %s", id, other, what)
		}
		of[id] = what
	}
	for _, id := range ids {
		enter(wholeID(id), "whole "+id)
		for n := range 13 {
			enter(pieceID(id, n), fmt.Sprintf("piece %d of %s", n, id))
		}
	}
	for id, want := range map[string]string{"a": "a#0", "a#": "a###0", "a#1": "a#1#0"} {
		if got := pieceID(id, 0); got != want {
			t.Errorf("piece 0 of %q is %q, want %q", id, got, want)
		}
	}
	for id, want := range map[string]string{"a": "a", "a#": "a#", "a#1": "a##1", "a-1": "a-1"} {
		if got := wholeID(id); got != want {
			t.Errorf("%q alone is %q, want %q", id, got, want)
		}
	}
	docs, _, err := read(Options{Format: FormatJSONL, PieceBytes: 4}, "f", `{"id":"a","text":"one two"}`+"\n"+`{"id":"a#1","text":"two"}`+"\n")
	var got []string
	for _, d := range docs {
		got = append(got, d.ID)
	}
	if diff := cmp.Diff([]string{"a#0", "a#1", "a##1"}, got); diff != "" || err != nil {
		t.Errorf("error %v, identities (-want +got):\n%s", err, diff)
	}
}
