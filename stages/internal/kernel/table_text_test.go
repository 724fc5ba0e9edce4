package kernel_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ablate/stages/internal/bpe"
)

// tableTokenizers encodes English by the tokenizers that are in use, where they and the text are
// there: neither is part of the project.
func tableTokenizers(b *testing.B) {
	data, ok := sharedData()
	if !ok {
		line("tokenizing English", "no data: name the folder that holds it in ABLATE_SHARED")
		return
	}
	texts, size := english(b, filepath.Join(data, "small"), 4<<20)
	var ids []uint32
	for _, t := range []struct{ name, file string }{
		{"GPT-NeoX-20B", "gpt-neox-20b.tokenizer.json"},
		{"GPT-NeoX-20B of Dolma 1.5", "gpt-neox-olmo-dolma-v1_5.tokenizer.json"},
		{"GPT-2", "gpt2/tokenizer.json"},
		{"dolma2", "dolma2.tokenizer.json"},
	} {
		f, err := os.Open(filepath.Join(data, "tokenizers", t.file))
		if err != nil {
			b.Fatal(err)
		}
		tok, err := bpe.Load(f)
		f.Close()
		if err != nil {
			b.Fatal(err)
		}
		tokens := 0
		rate := median(repeats, func() float64 {
			return float64(size) / 1e6 / timed(short, func() {
				e := tok.Encoder() // with an empty memory for words
				tokens = 0
				for _, text := range texts {
					ids = e.Encode(ids[:0], text)
					tokens += len(ids)
				}
			}).cpu
		})
		line("tokenizing English, "+t.name, fmt.Sprintf("%6.1f MB/s  %5.2f bytes a token", rate, float64(size)/float64(tokens)))
	}
}

// tableTraining trains on source code, which has more different words than prose of that size.
func tableTraining(b *testing.B) {
	texts, size := goSource(b, 8<<20)
	rate := func(f func()) float64 {
		return median(repeats, func() float64 { return float64(size) / 1e6 / timed(0, f).cpu })
	}
	var trainer *bpe.Trainer
	count := func() {
		trainer = bpe.NewTrainer(bpe.TrainOptions{Vocab: 32000})
		for _, text := range texts {
			trainer.Add(text)
		}
	}
	line("training a tokenizer, counting words", fmt.Sprintf("%6.1f MB/s", rate(count)))
	line("the same with finding 32,000 tokens", fmt.Sprintf("%6.1f MB/s", rate(func() {
		count()
		if _, err := trainer.Train(); err != nil {
			b.Fatal(err)
		}
	})))
}

// sharedData is the data folder kept beside the checkout.
func sharedData() (string, bool) {
	dirs := []string{os.Getenv("ABLATE_SHARED")}
	if at, err := os.Getwd(); err == nil {
		for ; at != filepath.Dir(at); at = filepath.Dir(at) {
			dirs = append(dirs, filepath.Join(at, "shared"))
		}
	}
	for _, d := range dirs {
		if _, err := os.Stat(filepath.Join(d, "data", "tokenizers")); d != "" && err == nil {
			return filepath.Join(d, "data"), true
		}
	}
	return "", false
}

// english returns about n bytes each of books and of abstracts.
func english(b *testing.B, dir string, n int) (texts []string, size int) {
	for _, name := range []string{"books", "arxiv-abstracts"} {
		f, err := os.Open(filepath.Join(dir, name+".jsonl.gz"))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			b.Fatal(err)
		}
		lines := bufio.NewScanner(z)
		lines.Buffer(nil, 64<<20)
		for left := n; left > 0 && lines.Scan(); {
			var d struct{ Text string }
			if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
				b.Fatal(err)
			}
			text := d.Text[:min(left, len(d.Text))]
			text = strings.ToValidUTF8(text, "")
			texts = append(texts, text)
			left -= len(d.Text)
			size += len(text)
		}
		if err := lines.Err(); err != nil {
			b.Fatal(err)
		}
	}
	return texts, size
}
