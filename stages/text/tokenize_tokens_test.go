package text

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
)

// writeTokens makes an array of ids as Dolma does, an end of text behind each document, and its
// index.
func writeTokens(t *testing.T, tokenizer string, width int, docs ...stagetest.Line) (array, index string) {
	t.Helper()
	tok := stagetest.LoadTokenizer(t, tokenizer)
	eos, err := tok.EOS()
	if err != nil {
		t.Fatal(err)
	}
	e := tok.Encoder()
	e.SpecialAsText = true
	var ids []byte
	var lines bytes.Buffer
	z := gzip.NewWriter(&lines)
	n := 0
	for i, d := range docs {
		start := n
		for _, id := range append(e.Encode(nil, d.Text), eos) {
			if width == 2 {
				ids = binary.LittleEndian.AppendUint16(ids, uint16(id))
			} else {
				ids = binary.LittleEndian.AppendUint32(ids, id)
			}
			n++
		}
		fmt.Fprintf(z, "%d,%d,%s,data/%s/%s.jsonl.gz,%d\r\n", start, n, d.ID, d.Area, d.Year, i+1)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	array, index = filepath.Join(dir, "part-0-00000.npy"), filepath.Join(dir, "part-0-00000.csv.gz")
	for path, data := range map[string][]byte{array: ids, index: lines.Bytes()} {
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return array, index
}

func tokensParams(width int) kind.TokenizeParams {
	p := stagetest.TokenizeLines
	p.Read = kind.Read{Format: "tokens", DType: fmt.Sprintf("uint%d", 8*width), Absent: "NA",
		Metadata: map[string]string{"area": "src ~ ^data/([^/]+)/", "year": `src ~ ([0-9]+)\.jsonl`}}
	return p
}

// Text, and tokens made of it, leave the same bytes: tokens, documents, paragraph hashes. Without
// an index documents are the same too, but bear no names.
func TestTokensAreTheirText(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	docs := stagetest.SmallCorpus(60, "go", "c")
	docs[3].Text = "naïve <|endoftext|> – text\n\n" + docs[3].Text + "\x00\u2028"
	docs[7].Text = ""
	want := texts.Tokenized(t, tokenizer, docs...).Outputs(t)
	for _, width := range []int{2, 4} {
		array, index := writeTokens(t, tokenizer, width, docs...)
		in := stagetest.Roles{"tokenizer": tokenizer}.Numbered("file", array)
		in["index.0"] = index
		got := stagetest.Run(t, Tokenize, tokensParams(width), in).Outputs(t)
		counts := got[kind.OutCounts]
		if !strings.Contains(counts, `"read": 60`) || !strings.Contains(counts, `"empty": 1`) || !strings.Contains(counts, `"token": `) {
			t.Errorf("counts %s", counts)
		}
		want[kind.OutCounts] = counts // the places differ
		for _, name := range []string{kind.OutTokens, kind.OutDocuments, kind.OutParagraphs} {
			if got[name] != want[name] {
				t.Errorf("%d bytes an id: %s differs", width, name)
			}
		}

		nameless := make([]stagetest.Line, len(docs))
		for i, d := range docs {
			nameless[i] = stagetest.Line{Text: d.Text}
		}
		p := tokensParams(width)
		p.Read.Metadata = nil
		lines := stagetest.TokenizeLines
		lines.Read.Metadata = nil
		want := stagetest.Run(t, Tokenize, lines, stagetest.Roles{"tokenizer": tokenizer}.Numbered("file", stagetest.WriteLines(t, nameless...))).Outputs(t)
		got = stagetest.Run(t, Tokenize, p, stagetest.Roles{"tokenizer": tokenizer}.Numbered("file", array)).Outputs(t)
		for _, name := range []string{kind.OutCounts, kind.OutPlaces} {
			delete(want, name)
			delete(got, name)
		}
		if !maps.Equal(want, got) {
			t.Errorf("%d bytes an id: without an index the outputs differ", width)
		}
	}
}

func TestTokensErrors(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	array, index := writeTokens(t, tokenizer, 4, stagetest.SmallCorpus(3, "go")...)
	in := stagetest.Roles{"tokenizer": tokenizer}.Numbered("file", array)
	in["index.0"] = index
	stagetest.Fail(t, Tokenize, tokensParams(2), in, "file.0: every other id is 0, as if ids of 32 bits were read as uint16: say dtype: uint32")
	delete(in, "index.0")
	stagetest.Fail(t, Tokenize, tokensParams(4), in, "column src of an index, and there is no file.csv.gz")
	p := tokensParams(4)
	stagetest.Fail(t, Tokenizer, kind.TokenizerParams{Vocab: 300, MinFrequency: 2, Bytes: 1 << 20, Read: p.Read}, stagetest.Roles{}.Numbered("file", array), "no tokenizer to read tokens with")
}

func TestArrays(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) File {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		return File{Path: path, Name: name}
	}
	a, b, ofA := file("a.npy"), file("b.npy"), file("a.csv.gz")
	got, err := Arrays([]File{ofA, a, b})
	a.Index = ofA.Path
	if diff := cmp.Diff([]File{a, b}, got); diff != "" || err != nil {
		t.Errorf("error %v, arrays (-want +got):\n%s", err, diff)
	}
	if _, err := Arrays([]File{ofA, b}); err == nil || !strings.Contains(err.Error(), "index a.csv.gz has no array") {
		t.Errorf("error %v", err)
	}
}
