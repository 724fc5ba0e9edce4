package split

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/cache/table"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
	"ablate/stages/text"
)

// twice is two shards; documents 5 and 6 of the second have identities of the first, document 7 one
// of its own shard.
func twice(t *testing.T, tokenizer string) (stagetest.Roles, []tables.DuplicateRow) {
	t.Helper()
	docs := stagetest.SmallCorpus(60, "go", "c")
	docs[45].ID, docs[46].ID, docs[47].ID = docs[3].ID, docs[3].ID, docs[40].ID
	a, b := texts.Tokenized(t, tokenizer, docs[:40]...), texts.Tokenized(t, tokenizer, docs[40:]...)
	in := stagetest.Shards(a, b).Numbered("places", a.Path(kind.OutPlaces), b.Path(kind.OutPlaces))
	return in, []tables.DuplicateRow{{ID: "doc-003", Shard: 1, Row: 5, FirstRow: 3}, {ID: "doc-003", Shard: 1, Row: 6, FirstRow: 3}, {ID: "doc-040", Shard: 1, Row: 7, FirstShard: 1}}
}

// Documents whose identity came before are left out and listed, kept, or an error that says where
// they and the first ones lie.
func TestSplitDuplicates(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	in, want := twice(t, tokenizer)
	p := stagetest.SplitParams(t, tokenizer)
	for _, c := range []struct {
		duplicate string
		documents int64
		listed    []tables.DuplicateRow
	}{{kind.DuplicateDrop, 57, want}, {kind.DuplicateKeep, 60, nil}} {
		p.Duplicate = c.duplicate
		r := stagetest.Run(t, Kind, p, in)
		sizes, err := table.ReadRows[tables.SizeRow](r.Path(kind.OutSizes))
		if err != nil {
			t.Fatal(err)
		}
		documents := int64(0)
		for _, s := range sizes {
			if s.Part != tables.PartDuplicate {
				documents += s.Documents + s.RemovedDocuments
			}
		}
		got, err := table.ReadRows[tables.DuplicateRow](r.Path(kind.OutDuplicates))
		if diff := cmp.Diff(c.listed, got, cmp.AllowUnexported(tables.DuplicateRow{})); diff != "" || err != nil || documents != c.documents {
			t.Errorf("duplicate %q: %d documents, want %d, error %v, listed (-want +got):\n%s", c.duplicate, documents, c.documents, err, diff)
		}
	}
	p.Duplicate = "" // the texts are others, and 3 of 60 are too many
	stagetest.Fail(t, Kind, p, in, `3 of 60 documents have the identity of an earlier document but another text, such as "doc-003" in documents.0 and documents.1; at most 1% are allowed`,
		"bad: {duplicate: keep} keeps these documents, drop leaves them out")
	p.Duplicate = kind.DuplicateError
	stagetest.Fail(t, Kind, p, in, "3 documents have an identity that came before", `"doc-003" of places.1:6 (byte `, "first in places.0:4 (byte ",
		`"doc-040" of places.1:8 (byte `, "first in places.1:1 (the corpus's key bad: {duplicate: drop} leaves them out, keep keeps them)")
}

// Copies of a document are left out without a word of the study, however many they are; so are few
// documents of another text.
func TestSplitCopies(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	p := stagetest.SplitParams(t, tokenizer)
	docs := stagetest.SmallCorpus(120, "go", "c")
	docs[110].ID = docs[3].ID // 1 of 140: another text
	a, b := texts.Tokenized(t, tokenizer, docs...), texts.Tokenized(t, tokenizer, docs[:20]...)
	r := stagetest.Run(t, Kind, p, stagetest.Shards(a, b))
	got, err := table.ReadRows[tables.DuplicateRow](r.Path(kind.OutDuplicates))
	if err != nil || len(got) != 21 {
		t.Errorf("%d documents left out, want 21; error %v", len(got), err)
	}
}

// Of an evaluation set every document is scored, unless the study says otherwise.
func TestTokenizeDuplicates(t *testing.T) {
	a, b := stagetest.SmallCorpus(6, "go"), stagetest.SmallCorpus(4, "go")
	b[3].ID = "other"
	in := stagetest.Roles{"tokenizer": texts.Tokenizer(t)}.Numbered("file", stagetest.WriteLines(t, a...), stagetest.WriteLines(t, b...))
	counted := func(duplicate string) (tables.TokenizeCounts, int) {
		p := stagetest.TokenizeLines
		p.Duplicate = duplicate
		r := stagetest.Run(t, text.Tokenize, p, in)
		counts, err := tables.ReadCounts(r.Path(kind.OutCounts))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := table.ReadRows[tables.DocumentRow](r.Path(kind.OutDocuments))
		if err != nil {
			t.Fatal(err)
		}
		places, err := table.ReadRows[tables.PlaceRow](r.Path(kind.OutPlaces))
		if err != nil || len(places) != len(rows) {
			t.Fatalf("%d places of %d documents, error %v", len(places), len(rows), err)
		}
		last := places[len(places)-1]
		if last.File != 1 || last.Line != 4 || last.Byte == 0 {
			t.Errorf("the last document is at %+v", last)
		}
		return counts, len(rows)
	}
	if c, n := counted(""); c.Read != 10 || c.Kept != 10 || len(c.Dropped) > 0 || n != 10 {
		t.Errorf("%d documents, counts %+v", n, c)
	}
	c, n := counted(kind.DuplicateDrop)
	var size int
	for _, d := range append(a, b[3]) {
		size += len(d.Text)
	}
	if c.Read != 10 || c.Kept != 7 || c.Dropped[tables.DroppedDuplicate] != 3 || n != 7 || c.Bytes != int64(size) {
		t.Errorf("%d documents of %d bytes, counts %+v", n, size, c)
	}
	if len(c.Places) != 3 || c.Places[0].File != 1 || c.Places[0].Line != 1 || c.Places[0].Reason != tables.DroppedDuplicate {
		t.Errorf("places %+v", c.Places)
	}
	p := stagetest.TokenizeLines
	p.Duplicate = kind.DuplicateError
	stagetest.Fail(t, text.Tokenize, p, in, `document "doc-000" of file.1:1 (byte 0) has the same identity as that of file.0:1 (byte 0) (the corpus's key bad`)
}

// Text files are their own places; identities of texts that are alike are alike where the corpus
// brings none.
func TestDuplicatesWithoutIdentities(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	path := stagetest.WriteLines(t, stagetest.Line{Text: stagetest.Prose(1, 30)}, stagetest.Line{Text: stagetest.Prose(2, 30)}, stagetest.Line{Text: stagetest.Prose(1, 30)})
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data = []byte(strings.ReplaceAll(string(data), `"id":"",`, ""))
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	lines := stagetest.TokenizeLines
	lines.Read.Metadata = nil
	r := stagetest.Run(t, text.Tokenize, lines, stagetest.Roles{"tokenizer": tokenizer}.Numbered("file", path))
	p := stagetest.SplitParams(t, tokenizer)
	p.Duplicate, p.By, p.Order = kind.DuplicateError, nil, kind.OrderByID
	stagetest.Fail(t, Kind, p, stagetest.Shards(r).Numbered("places", r.Path(kind.OutPlaces)), "1 documents have an identity", fmt.Sprintf("places.0:3 (byte %d)", strings.LastIndex(strings.TrimSpace(string(data)), "\n")+1))
}
