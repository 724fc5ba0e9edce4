package stagetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ablate/cache/table"
	"ablate/stages/internal/bpe"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// Line is a JSON Lines document.
type Line struct {
	ID   string `json:"id"`
	Text string `json:"text"`
	Area string `json:"area,omitempty"`
	Year string `json:"year,omitempty"`
}

// WriteLines makes a JSON Lines file.
func WriteLines(t *testing.T, docs ...Line) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "docs.jsonl")
	var b []byte
	for _, d := range docs {
		l, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		b = append(append(b, l...), '\n')
	}
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// ReadLines reads what WriteLines makes.
var ReadLines = kind.Read{Format: "jsonl", Text: "text", ID: "id", Metadata: map[string]string{"area": "area", "year": "year"}, Absent: "NA"}

// Prose makes text of n words that repeats little and is learnable: word k follows a rule with the
// seed.
func Prose(seed, n int) string {
	words := []string{"the", "model", "reads", "a", "page", "of", "text", "and", "then", "writes", "another", "one", "for", "people", "who", "ask"}
	var b strings.Builder
	x := uint32(seed)*2654435761 + 12345
	for i := range n {
		x = x*1664525 + 1013904223
		b.WriteString(words[(x>>24)%uint32(len(words))])
		switch {
		case i%17 == 16:
			b.WriteString(".\n")
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// SmallCorpus has n documents over the given areas.
func SmallCorpus(n int, areas ...string) []Line {
	var docs []Line
	for i := range n {
		docs = append(docs, Line{
			ID: fmt.Sprintf("doc-%03d", i), Text: Prose(i, 40+7*(i%9)), Area: areas[i%len(areas)], Year: fmt.Sprint(1990 + i*7%30),
		})
	}
	return docs
}

// Texts are the kinds that read text.
type Texts struct{ Train, Tokenize kind.Kind }

// Tokenizer trains a tokenizer on the small corpus.
func (x Texts) Tokenizer(t *testing.T) string {
	t.Helper()
	r := Run(t, x.Train, kind.TokenizerParams{Vocab: 300, MinFrequency: 2, Bytes: 1 << 20, Read: ReadLines},
		Roles{}.Numbered("file", WriteLines(t, SmallCorpus(40, "go", "c")...)))
	return r.Path(kind.OutTokenizer)
}

// TokenizeLines tokenizes what WriteLines makes.
var TokenizeLines = kind.TokenizeParams{Read: ReadLines, Paragraph: "line", MinTokens: 13}

// Tokenized tokenizes documents with the small tokenizer.
func (x Texts) Tokenized(t *testing.T, tokenizer string, docs ...Line) Result {
	t.Helper()
	return Run(t, x.Tokenize, TokenizeLines, Roles{"tokenizer": tokenizer}.Numbered("file", WriteLines(t, docs...)))
}

// SharedData finds the folder of corpora beside the checkout.
func SharedData(t testing.TB) string {
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

// ReadDolma reads the corpora of SharedData.
var ReadDolma = kind.Read{
	Format: "jsonl", Text: "text", ID: "id", Absent: "NA", Metadata: map[string]string{"field": "metadata.field", "year": "metadata.year"},
}

// SplitParams are those of a split of the small corpus into areas.
func SplitParams(t *testing.T, tokenizer string) kind.SplitParams {
	t.Helper()
	tok := LoadTokenizer(t, tokenizer)
	eos, err := tok.EOS()
	if err != nil {
		t.Fatal(err)
	}
	return kind.SplitParams{
		By: []string{"area"}, Order: "year", Small: kind.SmallError, UnitTokens: 1000, Validation: 0.1, Test: 0.2, Seed: 1, EOS: eos, Vocab: tok.Vocab(),
	}
}

// Shards are the inputs of a split of tokenized corpora.
func Shards(rs ...Result) Roles {
	in := Roles{}
	for i, r := range rs {
		in[kind.Role("tokens", i)] = r.Path(kind.OutTokens)
		in[kind.Role("documents", i)] = r.Path(kind.OutDocuments)
		in[kind.Role("paragraphs", i)] = r.Path(kind.OutParagraphs)
		in[kind.Role("missing", i)] = r.Path(kind.OutMissing)
	}
	return in
}

// IdsOf are the documents of a token file. Each must end with EOS where eos is not negative, and
// hold none otherwise.
func IdsOf(t *testing.T, path string, eos uint32, ends bool) (ids []string, tokens int64) {
	t.Helper()
	f, err := table.OpenTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i := range f.Docs() {
		d := f.DocTokens(i, nil)
		if at := slices.Index(d, eos); ends && at != len(d)-1 || !ends && at >= 0 {
			t.Errorf("%s: document %d of %d tokens has EOS at %d", path, i, len(d), at)
		}
		ids = append(ids, f.Doc(i).ID)
	}
	return ids, f.Len()
}

// ReadCatalogue reads what a split says of its partitions.
func ReadCatalogue(t *testing.T, r Result) tables.Catalogue {
	t.Helper()
	b, err := os.ReadFile(r.Path(kind.OutCatalogue))
	if err != nil {
		t.Fatal(err)
	}
	var c tables.Catalogue
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// LoadTokenizer reads a tokenizer.json.
func LoadTokenizer(t *testing.T, path string) *bpe.Tokenizer {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := bpe.Load(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}
