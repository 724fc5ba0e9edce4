package text

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"unicode/utf8"

	"ablate/stages/internal/bpe"
	"ablate/stages/internal/corpus"
	"ablate/stages/internal/random"
	"ablate/stages/internal/step"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// trainTokenizer trains a byte-level BPE. It reads the files twice: once to rank the documents by
// the hash of their identity, once to count the words of those that come first, so that only the
// ranking is held in memory.
func trainTokenizer(ctx context.Context, job *kind.Job) error {
	var p kind.TokenizerParams
	if err := job.Decode(&p); err != nil {
		return err
	}
	in, err := openFiles(job, p.Read, 2)
	if err != nil {
		return fmt.Errorf("train tokenizer: %w", err)
	}
	var docs []candidate
	counts, err := in.each(ctx, func(d corpus.Document) error {
		h := random.HashOrder(d.ID)
		docs = append(docs, candidate{hash: [16]byte(h[:16]), number: len(docs), bytes: int64(len(d.Text))})
		return nil
	})
	if err == nil {
		err = missingOf(counts, p.Read).Check()
	}
	if err != nil {
		return fmt.Errorf("train tokenizer: %w", err)
	}
	if len(docs) == 0 {
		return fmt.Errorf("train tokenizer: the files hold no document with text: %s", tables.InWords(counts.Read, counts.Kept, counts.Dropped))
	}
	take := chooseText(docs, p.Bytes)
	trainer := bpe.NewTrainer(bpe.TrainOptions{Vocab: p.Vocab, MinFrequency: p.MinFrequency})
	number := 0
	if _, err := in.each(ctx, func(d corpus.Document) error {
		trainer.Add(firstBytes(d.Text, take[number]))
		number++
		return nil
	}); err != nil {
		return fmt.Errorf("train tokenizer: %w", err)
	}
	tok, err := trainer.Train()
	if err != nil {
		return fmt.Errorf("train tokenizer: %w", err)
	}
	if tok.Vocab() != p.Vocab { // the plan counts on the last id being the end of text
		return fmt.Errorf("train tokenizer: the text gives %d ids, %d are wanted: set tokenizer.train.vocab to %d or less, lower min_frequency, or train on more text", tok.Vocab(), p.Vocab, tok.Vocab())
	}
	var buf bytes.Buffer
	if err := tok.WriteJSON(&buf); err != nil {
		return fmt.Errorf("train tokenizer: %w", err)
	}
	path, err := step.Out(job, kind.OutTokenizer)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, buf.Bytes(), 0o666); err != nil {
		return fmt.Errorf("write tokenizer: %w", err)
	}
	return nil
}

// A candidate is a document that a tokenizer may be trained on.
type candidate struct {
	hash   [16]byte // of its identity
	number int      // in order of arrival
	bytes  int64
}

// chooseText says how many bytes of each document to read: documents are taken in the order of
// their hashes, whole ones until limit is reached, and the last one up to it.
func chooseText(docs []candidate, limit int64) []int64 {
	take := make([]int64, len(docs))
	docs = slices.Clone(docs)
	slices.SortFunc(docs, func(a, b candidate) int {
		return cmp.Or(bytes.Compare(a.hash[:], b.hash[:]), cmp.Compare(a.number, b.number))
	})
	for _, d := range docs {
		take[d.number] = min(d.bytes, limit)
		limit -= take[d.number]
	}
	return take
}

// firstBytes cuts text to at most n bytes, at a character boundary.
func firstBytes(text string, n int64) string {
	if int64(len(text)) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
