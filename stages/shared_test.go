package stages

import (
	"os"
	"path/filepath"
	"testing"

	"ablate/stages/kind"
)

// sharedData finds the folder of corpora beside the checkout.
func sharedData(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("ABLATE_SHARED")
	if dir != "" {
		return filepath.Join(dir, "data")
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; here = filepath.Dir(here) {
		dir := filepath.Join(here, "shared", "data")
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
		if here == filepath.Dir(here) {
			t.Skip("no corpora: set ABLATE_SHARED to the folder that holds data/small (one JSON object a line: id, text, metadata.field, metadata.year)")
		}
	}
}

var readDolma = kind.Read{
	Format: "jsonl", Text: "text", ID: "id", Absent: "NA", Metadata: map[string]string{"field": "metadata.field", "year": "metadata.year"},
}

// Real text through tokenizer, tokenize and split: every document is accounted for, and decontamination against the held-out documents
// finds what abstracts and books repeat.
func TestSmallCorpora(t *testing.T) {
	data := filepath.Join(sharedData(t), "small")
	files := []string{filepath.Join(data, "arxiv-abstracts.jsonl.gz"), filepath.Join(data, "proposals.jsonl.gz")}
	tokenizer := runKind(t, kind.Tokenizer, kind.TokenizerParams{Vocab: 1024, MinFrequency: 2, Bytes: 1 << 20, Read: readDolma}, roles{}.numbered("file", files...)).
		path(kind.OutTokenizer)
	tokenize := tokenizeLines
	tokenize.Read = readDolma
	var parts []result
	var documents, tokens int64
	for _, f := range files {
		r := runKind(t, kind.Tokenize, tokenize, roles{"tokenizer": tokenizer}.numbered("file", f))
		parts = append(parts, r)
		for _, row := range readTable[DocumentRow](t, r, kind.OutDocuments) {
			documents++
			tokens += row.Tokens
		}
	}
	p := splitParams(t, tokenizer)
	p.By, p.UnitTokens, p.Test, p.Validation, p.Small, p.Against = []string{"field"}, 50_000, 0.2, 0.02, smallDrop, []string{againstHeldout}
	p.Common = 1 // every proposal ends with the same words on copyright
	r := runKind(t, kind.Split, p, shards(parts...))
	var seen, seenTokens int64
	for _, s := range readTable[SizeRow](t, r, kind.OutSizes) {
		if s.Part == PartUnit && s.Tokens+s.RemovedTokens < 25_000 {
			t.Errorf("unit cut to less than half of 50,000 tokens: %+v", s)
		}
		seen += s.Documents + s.RemovedDocuments
		seenTokens += s.Tokens + s.RemovedTokens
		if s.Part != PartTest && s.Part != PartValidation {
			seenTokens -= s.Documents + s.RemovedDocuments // EOS
		}
	}
	if seen != documents || seenTokens != tokens {
		t.Errorf("sizes tell of %d documents of %d tokens, the corpora have %d of %d", seen, seenTokens, documents, tokens)
	}
	c := readCatalogue(t, r)
	if len(c.Units) < 5 {
		t.Errorf("catalogue %+v, want five fields or more", c)
	}
	t.Logf("%d documents, %d tokens, %d partitions, %d removed", documents, tokens, len(c.Units), len(readTable[LedgerRow](t, r, kind.OutLedger)))
}

// BenchmarkTokenize tells bytes of text per second, reading, encoding, hashing and writing together.
func BenchmarkTokenize(b *testing.B) {
	data := sharedData(b)
	params := tokenizeLines
	params.Read = readDolma
	in := []kind.Input{
		{Role: "tokenizer", Path: filepath.Join(data, "tokenizers", "gpt-neox-20b.tokenizer.json")},
		{Role: "file.0", Path: filepath.Join(data, "small", "books.jsonl.gz")},
	}
	text := marshal(b, params)
	b.SetBytes(7_750_474) // of text in books.jsonl.gz
	for b.Loop() {
		benchJob(b, kind.Tokenize, text, in)
	}
}
