package text

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/cache/table"
	"ablate/stages/internal/corpus"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

var texts = stagetest.Texts{Train: Tokenizer, Tokenize: Tokenize}

func TestChooseText(t *testing.T) {
	docs := []candidate{{hash: [16]byte{3}, number: 0, bytes: 10}, {hash: [16]byte{1}, number: 1, bytes: 4}, {hash: [16]byte{2}, number: 2, bytes: 6}}
	for _, c := range []struct {
		limit int64
		want  []int64
	}{
		{0, []int64{0, 0, 0}},
		{3, []int64{0, 3, 0}},
		{4, []int64{0, 4, 0}},
		{9, []int64{0, 4, 5}},
		{20, []int64{10, 4, 6}},
		{99, []int64{10, 4, 6}},
	} {
		if diff := cmp.Diff(c.want, chooseText(docs, c.limit)); diff != "" {
			t.Errorf("limit %d, - want, + got:\n%s", c.limit, diff)
		}
	}
}

func TestFirstBytesKeepsCharactersWhole(t *testing.T) {
	for n, want := range []string{"", "a", "a", "aé", "aé.", "aé."} {
		if got := firstBytes("aé.", int64(n)); got != want {
			t.Errorf("firstBytes(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestTokenizerDependsOnDocumentsNotOnFiles(t *testing.T) {
	docs := stagetest.SmallCorpus(40, "go", "c")
	p := kind.TokenizerParams{Vocab: 300, MinFrequency: 2, Bytes: 4000, Read: stagetest.ReadLines}
	one := stagetest.Run(t, Tokenizer, p, stagetest.Roles{}.Numbered("file", stagetest.WriteLines(t, docs...)))
	two := stagetest.Run(t, Tokenizer, p, stagetest.Roles{}.Numbered("file", stagetest.WriteLines(t, docs[25:]...), stagetest.WriteLines(t, docs[:25]...)))
	stagetest.SameOutputs(t, one, two)
	if v := stagetest.LoadTokenizer(t, one.Path(kind.OutTokenizer)).Vocab(); v < 257 || v > 300 {
		t.Errorf("vocabulary of %d, want 257 to 300", v)
	}
	p.Bytes = 1 << 20
	if cmp.Equal(one.Outputs(t), stagetest.Run(t, Tokenizer, p, stagetest.Roles{}.Numbered("file", stagetest.WriteLines(t, docs...))).Outputs(t)) {
		t.Error("4000 bytes and all of them give the same tokenizer")
	}
	stagetest.Fail(t, Tokenizer, p, stagetest.Roles{}.Numbered("file", stagetest.WriteLines(t, stagetest.Line{ID: "x"})), "no document with text")
}

func TestTokenize(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	long := strings.TrimSpace(stagetest.Prose(99, 15))
	docs := []stagetest.Line{
		{ID: "one", Text: long + "\n\nshort\n  " + long + "  \n" + stagetest.Prose(98, 14), Area: "go", Year: "2001"},
		{ID: "void", Text: ""},
		{ID: "é", Text: "naïve <|endoftext|> text", Area: "c"},
	}
	r := texts.Tokenized(t, tokenizer, docs...)
	tok := stagetest.LoadTokenizer(t, tokenizer)
	tokens, err := table.OpenTokens(r.Path(kind.OutTokens))
	if err != nil {
		t.Fatal(err)
	}
	defer tokens.Close()
	rows, err := table.ReadRows[tables.DocumentRow](r.Path(kind.OutDocuments))
	if err != nil {
		t.Fatal(err)
	}
	kept := []stagetest.Line{docs[0], docs[2]}
	if tokens.Docs() != 2 || len(rows) != 2 {
		t.Fatalf("%d documents and %d rows, want 2", tokens.Docs(), len(rows))
	}
	eos, err := tok.EOS()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range kept {
		ids := tokens.DocTokens(i, nil)
		text, err := tok.Decode(ids)
		if err != nil || string(text) != want.Text {
			t.Errorf("document %d decodes to %q, %v, want %q", i, text, err, want.Text)
		}
		for _, id := range ids {
			if id == eos {
				t.Errorf("document %d holds EOS", i)
			}
		}
		year, absent := want.Year, []string(nil)
		if year == "" {
			year, absent = "NA", []string{"year"}
		}
		wantRow := tables.DocumentRow{
			ID: want.ID, Tokens: int64(len(ids)), Bytes: int64(len(want.Text)), Chars: int64(len([]rune(want.Text))),
			Words: int64(len(strings.Fields(want.Text))), Names: []string{"area", "year"}, Values: []string{want.Area, year}, Absent: absent,
		}
		if diff := cmp.Diff(wantRow, rows[i], cmp.AllowUnexported(tables.DocumentRow{})); diff != "" {
			t.Errorf("document %d, - want, + got:\n%s", i, diff)
		}
	}
	paragraphs, err := table.ReadRows[tables.ParagraphRow](r.Path(kind.OutParagraphs))
	if err != nil {
		t.Fatal(err)
	}
	got, err := tables.Fingerprints(paragraphs[0].Hashes)
	if err != nil {
		t.Fatal(err)
	}
	want := []tables.Fingerprint{tables.FingerprintOf(long), tables.FingerprintOf(strings.TrimSpace(stagetest.Prose(98, 14)))}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paragraphs of one, - want, + got:\n%s", diff)
	}
	if n := rows[1].Tokens; n < 13 || len(paragraphs[1].Hashes) != 2 {
		t.Errorf("a document of one paragraph of %d tokens has %d half hashes, want 2 of 13 tokens or more", n, len(paragraphs[1].Hashes))
	}
	var counts tables.TokenizeCounts
	b, err := os.ReadFile(r.Path(kind.OutCounts))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &counts); err != nil {
		t.Fatal(err)
	}
	wantCounts := tables.TokenizeCounts{
		Files: 1, Read: 3, Kept: 2, Dropped: map[string]int64{"empty": 1}, Bytes: int64(len(docs[0].Text) + len(docs[2].Text)),
		Tokens: tokens.Len(), Metadata: []string{"area", "year"}, Absent: map[string]int64{"year": 1},
		Places: counts.Places,
	}
	if len(counts.Places) != 1 || counts.Places[0].Line != 2 || counts.Places[0].Reason != "empty" {
		t.Errorf("places %+v, want the empty text of line 2", counts.Places)
	}
	if diff := cmp.Diff(wantCounts, counts); diff != "" {
		t.Errorf("counts, - want, + got:\n%s", diff)
	}
}

func TestTokenizeOnAnyNumberOfThreads(t *testing.T) {
	in := stagetest.Roles{"tokenizer": texts.Tokenizer(t)}.Numbered("file", stagetest.WriteLines(t, stagetest.SmallCorpus(200, "go", "c")...))
	var first stagetest.Result
	for _, threads := range []int{1, 2, 5} {
		job := stagetest.NewJob(t, stagetest.TokenizeLines, in)
		job.Threads = threads
		if err := tokenize(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		if threads == 1 {
			first = stagetest.Result(job.Dir)
		}
		stagetest.SameOutputs(t, first, stagetest.Result(job.Dir))
	}
}

func TestTokenizeTextFiles(t *testing.T) {
	var paths []string
	for i, text := range []string{"package net\n", "package math\n"} {
		path := filepath.Join(t.TempDir(), fmt.Sprint(i))
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	p := kind.TokenizeParams{Paragraph: "line", MinTokens: 13, Read: kind.Read{
		Format: "text", Metadata: map[string]string{"area": "^([^/]+)/"}, Absent: "NA", Names: []string{"net/a.go", "b.go"},
	}}
	r := stagetest.Run(t, Tokenize, p, stagetest.Roles{"tokenizer": texts.Tokenizer(t)}.Numbered("file", paths...))
	rows, err := table.ReadRows[tables.DocumentRow](r.Path(kind.OutDocuments))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range rows {
		got = append(got, row.ID+" "+row.Values[0])
	}
	if diff := cmp.Diff([]string{"net/a.go net", "b.go NA"}, got); diff != "" {
		t.Errorf("- want, + got:\n%s", diff)
	}
}

func TestTokenizeNamesABrokenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte("{\"id\": \"a\", \"text\": \"b\"}\nnot json\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	stagetest.Fail(t, Tokenize, stagetest.TokenizeLines, stagetest.Roles{"tokenizer": texts.Tokenizer(t)}.Numbered("file", path), "file.0", "2")
}

// The short cut of atLeast must agree with counting.
func TestAtLeast(t *testing.T) {
	e := stagetest.LoadTokenizer(t, texts.Tokenizer(t)).Encoder()
	e.SpecialAsText = true
	for _, text := range []string{"", "a", "the model reads", "the-model-reads-a-page-of-text-and-then", "a b c d e f g h i j k l m n", "日本語のテキスト", "a\u00a0b\u2003c  d", stagetest.Prose(3, 12)} {
		for p := range corpus.Paragraphs(text, corpus.ParagraphLine) {
			n := len(e.Encode(nil, p))
			for want := range 30 {
				if got, _ := atLeast(e, p, want, nil); got != (n >= want) {
					t.Errorf("atLeast(%q, %d) = %v, it has %d tokens", p, want, got, n)
				}
			}
		}
	}
}

type parquetLine struct {
	version `col:"-"`
	Body    string   `col:"body" doc:"text"`
	Area    []string `col:"area" doc:"areas"`
	Year    int64    `col:"year" doc:"year"`
}

// The rows of a Parquet file and the lines of a JSONL file that say the same give the same tokens
// and documents.
func TestTokenizeParquet(t *testing.T) {
	var rows []parquetLine
	var lines strings.Builder
	for i := range 300 {
		r := parquetLine{Body: stagetest.Prose(i, 20), Area: []string{"go", "c"}[:i%3], Year: int64(1900 + i)}
		if i%7 == 0 {
			r.Body = ""
		}
		rows = append(rows, r)
		b, err := json.Marshal(map[string]any{"body": r.Body, "area": r.Area, "year": r.Year})
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(b, '\n'))
	}
	dir := t.TempDir()
	parquet, jsonl := filepath.Join(dir, "p"), filepath.Join(dir, "j")
	if err := table.WriteRows(parquet, rows); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(jsonl, []byte(lines.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	p := kind.TokenizeParams{Paragraph: "line", MinTokens: 13, Read: kind.Read{
		Format: "jsonl", Text: "body", ID: "id", Metadata: map[string]string{"area": "area[0]", "year": "year"}, Absent: "NA",
	}}
	want := stagetest.Run(t, Tokenize, p, stagetest.Roles{"tokenizer": texts.Tokenizer(t)}.Numbered("file", jsonl))
	p.Read.Format = "parquet"
	got := stagetest.Run(t, Tokenize, p, stagetest.Roles{"tokenizer": texts.Tokenizer(t)}.Numbered("file", parquet))
	a, b := want.Outputs(t), got.Outputs(t)
	for _, name := range []string{kind.OutCounts, kind.OutPlaces} { // rows are not lines
		delete(a, name)
		delete(b, name)
	}
	if diff := cmp.Diff(a, b); diff != "" || len(a) != 4 {
		t.Errorf("outputs (-jsonl +parquet):\n%.500s", diff)
	}
	p.Read.Metadata["area"] = "aria"
	stagetest.Fail(t, Tokenize, p, stagetest.Roles{"tokenizer": texts.Tokenizer(t)}.Numbered("file", parquet), "no column aria", "body, area")
	p.Read.Metadata, p.Read.Text = nil, "area" // of metadata the first element counts; of a text it would lose the rest
	for format, path := range map[string]string{"jsonl": jsonl, "parquet": parquet} {
		p.Read.Format, p.Read.Bad = format, map[string]string{"text": "drop"}
		if format == "jsonl" {
			p.Read.Bad = map[string]string{"text": "error"}
		}
		stagetest.Fail(t, Tokenize, p, stagetest.Roles{"tokenizer": texts.Tokenizer(t)}.Numbered("file", path),
			`field "area" is of type array, want a string: name the field that holds the text with the corpus's key text`)
	}
	p.Read.Format, p.Read.Text, p.Read.Bad = "parquet", "body", map[string]string{"empty": "error"}
	stagetest.Fail(t, Tokenize, p, stagetest.Roles{"tokenizer": texts.Tokenizer(t)}.Numbered("file", parquet), "file.0: row 1", "has no text")
}

type version struct{}

func (version) TableVersion() string { return "1" }
