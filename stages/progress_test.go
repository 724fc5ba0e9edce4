package stages

import (
	"os"
	"testing"

	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
)

// Steps over text tell how far they are in bytes, of files or of text, and in documents, up to all
// of them.
func TestProgressInBytesAndDocuments(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	docs := stagetest.SmallCorpus(90, "go", "c")
	file := stagetest.WriteLines(t, docs...)
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	var text int64
	for _, d := range docs {
		text += int64(len(d.Text))
	}
	for _, c := range []struct {
		name   string
		params any
		in     stagetest.Roles
		bytes  int64
	}{
		{kind.Tokenize, stagetest.TokenizeLines, stagetest.Roles{"tokenizer": tokenizer}.Numbered("file", file), info.Size()},
		{kind.Split, stagetest.SplitParams(t, tokenizer), stagetest.Shards(texts.Tokenized(t, tokenizer, docs...)), text},
	} {
		job := stagetest.NewJob(t, c.params, c.in)
		var last, total, read int64
		job.Documents = func(n int64) {
			if n < read {
				t.Errorf("%s: %d documents after %d", c.name, n, read)
			}
			read = n
		}
		job.Progress = func(done, all int64, unit string) {
			if done < last || unit != "bytes" || unit != kindNamed(t, c.name).Unit {
				t.Errorf("%s: %d %s after %d", c.name, done, unit, last)
			}
			last, total = done, all
		}
		if err := kindNamed(t, c.name).Run(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		if last != c.bytes || total != c.bytes || read != 90 {
			t.Errorf("%s: %d of %d bytes and %d documents, want %d and 90", c.name, last, total, read, c.bytes)
		}
	}
}
