package stages

import (
	"path/filepath"
	"testing"

	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/split"
	"ablate/stages/tables"
	"ablate/stages/text"
)

// Real text through tokenizer, tokenize and split: every document is accounted for, and
// decontamination against the held-out documents finds what abstracts and books repeat.
func TestSmallCorpora(t *testing.T) {
	data := filepath.Join(stagetest.SharedData(t), "small")
	files := []string{filepath.Join(data, "arxiv-abstracts.jsonl.gz"), filepath.Join(data, "proposals.jsonl.gz")}
	tokenizer := stagetest.Run(t, text.Tokenizer, kind.TokenizerParams{Vocab: 1024, MinFrequency: 2, Bytes: 1 << 20, Read: stagetest.ReadDolma}, stagetest.Roles{}.Numbered("file", files...)).
		Path(kind.OutTokenizer)
	tokenize := stagetest.TokenizeLines
	tokenize.Read = stagetest.ReadDolma
	var parts []stagetest.Result
	var documents, tokens int64
	for _, f := range files {
		r := stagetest.Run(t, text.Tokenize, tokenize, stagetest.Roles{"tokenizer": tokenizer}.Numbered("file", f))
		parts = append(parts, r)
		for _, row := range stagetest.ReadTable[tables.DocumentRow](t, r, kind.OutDocuments) {
			documents++
			tokens += row.Tokens
		}
	}
	p := stagetest.SplitParams(t, tokenizer)
	p.By, p.UnitTokens, p.Test, p.Validation, p.Small, p.Against = []string{"field"}, 50_000, 0.2, 0.02, kind.SmallDrop, []string{kind.AgainstHeldout}
	p.Common = 1 // every proposal ends with the same words on copyright
	r := stagetest.Run(t, split.Kind, p, stagetest.Shards(parts...))
	var seen, seenTokens int64
	for _, s := range stagetest.ReadTable[tables.SizeRow](t, r, kind.OutSizes) {
		if s.Part == tables.PartUnit && s.Tokens+s.RemovedTokens < 25_000 {
			t.Errorf("unit cut to less than half of 50,000 tokens: %+v", s)
		}
		seen += s.Documents + s.RemovedDocuments
		seenTokens += s.Tokens + s.RemovedTokens
		if s.Part != tables.PartTest && s.Part != tables.PartValidation {
			seenTokens -= s.Documents + s.RemovedDocuments // EOS
		}
	}
	if seen != documents || seenTokens != tokens {
		t.Errorf("sizes tell of %d documents of %d tokens, the corpora have %d of %d", seen, seenTokens, documents, tokens)
	}
	c := stagetest.ReadCatalogue(t, r)
	if len(c.Units) < 5 {
		t.Errorf("catalogue %+v, want five fields or more", c)
	}
	t.Logf("%d documents, %d tokens, %d partitions, %d removed", documents, tokens, len(c.Units), len(stagetest.ReadTable[tables.LedgerRow](t, r, kind.OutLedger)))
}

// BenchmarkTokenize tells bytes of text per second, reading, encoding, hashing and writing
// together.
func BenchmarkTokenize(b *testing.B) {
	data := stagetest.SharedData(b)
	params := stagetest.TokenizeLines
	params.Read = stagetest.ReadDolma
	in := []kind.Input{
		{Role: "tokenizer", Path: filepath.Join(data, "tokenizers", "gpt-neox-20b.tokenizer.json")},
		{Role: "file.0", Path: filepath.Join(data, "small", "books.jsonl.gz")},
	}
	encoded := stagetest.Marshal(b, params)
	b.SetBytes(7_750_474) // of text in books.jsonl.gz
	for b.Loop() {
		benchJob(b, text.Tokenize, encoded, in)
	}
}
