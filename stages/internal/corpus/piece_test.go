package corpus

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

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
