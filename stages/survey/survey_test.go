package survey

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ablate/specs"
	"ablate/stages/text"
)

func file(t *testing.T, name, content string) text.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return text.File{Path: path, Name: name}
}

// TestFields: a document counts once for each field, by the kind of its value; nothing that is no
// document counts.
func TestFields(t *testing.T) {
	f := file(t, "a.jsonl", "\xef\xbb\xbf"+`{"text": "ab", "m": {"n": 1, "list": ["x"], "deep": {"t": true}}, "both": "s", "a.b": 1, "none": null}`+"\r\n\r\n"+
		`{"text": "cdef", "m": {"n": "2", "list": [{"x": 1}]}, "both": {"x": []}}`+"\r\n"+
		"{broken\r\n[1]\r\n")
	uses, extents, err := Fields(t.Context(), "jsonl", []text.File{f}, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range uses.Fields() {
		got = append(got, fmt.Sprintf("%s %d/%d/%d/%d/%d %d %v", u.Path, u.Texts, u.Numbers, u.Truths, u.Lists, u.Objects, u.Bytes, u.Odd))
	}
	want := []string{
		"a.b 0/1/0/0/0 0 true", "both 1/0/0/0/1 1 false", "both.x 0/0/0/1/0 0 false", "m 0/0/0/0/2 0 false", "m.deep 0/0/0/0/1 0 false",
		"m.deep.t 0/0/1/0/0 0 false", "m.list 0/0/0/1/1 0 false", "m.n 1/1/0/0/0 1 false", "text 2/0/0/0/0 6 false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if uses.Documents != 2 || extents[0].Share != 1 || extents[0].Documents != 4 {
		t.Errorf("%d documents, extent %+v", uses.Documents, extents[0])
	}
	counts, err := Documents(t.Context(), Options{Format: "jsonl"}, extents[0], func(Document) {})
	if err != nil || counts.Kept != 2 || counts.Dropped["bad line"] != 2 {
		t.Errorf("read: %+v, %v", counts, err)
	}
	if err := Check(t.Context(), Options{Format: "jsonl"}, extents[0]); err == nil || !strings.Contains(err.Error(), "a.jsonl:4") {
		t.Errorf("a run would end with %v", err)
	}
}

// TestBound: of a large file a part is read, the same part for fields and for documents, and its
// share of the file is known.
func TestBound(t *testing.T) {
	var b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&b, "{\"text\": \"document %d of a file that is longer than the bound\"}\n", i)
	}
	f := file(t, "a.jsonl", b.String())
	uses, extents, err := Fields(t.Context(), "jsonl", []text.File{f}, 400_000)
	if err != nil {
		t.Fatal(err)
	}
	e := extents[0]
	if uses.Documents != e.Documents || e.Share < 0.25 || e.Share > 0.5 || e.Documents < 5000 || e.Documents > 8000 {
		t.Errorf("extent %+v", e)
	}
	read := int64(0)
	if _, err := Documents(t.Context(), Options{Format: "jsonl"}, e, func(Document) { read++ }); err != nil || read != e.Documents {
		t.Errorf("%d documents were read, %d looked at: %v", read, e.Documents, err)
	}
}

// TestTables: the tables of several writers have the fields that their columns say.
func TestTables(t *testing.T) {
	paths, err := filepath.Glob("../internal/corpus/parquet/testdata/golden/*.parquet")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no tables: %v", err)
	}
	read := 0
	for _, path := range paths {
		f := text.File{Path: path, Name: filepath.Base(path)}
		uses, extents, err := Fields(t.Context(), "parquet", []text.File{f}, 1<<20)
		if err != nil {
			continue // the test data have tables that no reader can read
		}
		for _, u := range uses.Fields() {
			if u.Documents() > uses.Documents {
				t.Errorf("%s: %s: %d of %d documents", path, u.Path, u.Documents(), uses.Documents)
			}
			if u.Texts == 0 || u.Texts < uses.Documents {
				continue
			}
			counts, err := Documents(context.Background(), Options{Format: "parquet", TextField: u.Path}, extents[0], func(Document) {})
			if err != nil || counts.Read != uses.Documents {
				t.Errorf("%s: %s: %+v, %v", path, u.Path, counts, err)
			}
			read++
		}
	}
	if read == 0 {
		t.Error("no table has a text")
	}
}

func TestTokenizer(t *testing.T) {
	texts := []string{strings.Repeat("the cat sat on the mat and the dog sat on the log ", 50)}
	tok, err := NewTokenizer(texts, 270)
	if err != nil || tok.Vocab != 270 {
		t.Fatalf("%+v, %v", tok, err)
	}
	if n := tok.Count(texts[0]); n >= len(texts[0])/2 || n == 0 {
		t.Errorf("%d tokens of %d bytes", n, len(texts[0]))
	}
	if few, err := NewTokenizer([]string{"ab"}, 4096); err != nil || few.Vocab >= 4096 {
		t.Errorf("of two letters: %+v, %v", few, err)
	}
}

// TestSpeed: a model is trained, and more than nothing a second.
func TestSpeed(t *testing.T) {
	m, ok := specs.Preset("tiny")
	if !ok {
		t.Fatal("no preset tiny")
	}
	m.Vocab = 300
	if speed, err := Speed(m, 1, time.Millisecond); err != nil || !(speed > 0) {
		t.Errorf("%g tokens a second, %v", speed, err)
	}
	m.Heads = 3
	if _, err := Speed(m, 1, time.Millisecond); err == nil {
		t.Error("a model that cannot be is measured")
	}
}
