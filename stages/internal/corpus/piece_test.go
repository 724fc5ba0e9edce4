package corpus

import (
	"fmt"
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
