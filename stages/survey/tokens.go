package survey

import (
	"fmt"

	"ablate/stages/internal/bpe"
)

// A Tokenizer counts tokens as a tokenizer does that a run trains on text like this.
type Tokenizer struct {
	Vocab int // its ids: as many as were wanted, or as the text was enough for

	encoder *bpe.Encoder
	ids     []uint32
}

// NewTokenizer trains a byte-level BPE of so many ids on texts.
func NewTokenizer(texts []string, vocab int) (*Tokenizer, error) {
	trainer := bpe.NewTrainer(bpe.TrainOptions{Vocab: vocab})
	for _, t := range texts {
		trainer.Add(t)
	}
	tok, err := trainer.Train()
	if err != nil {
		return nil, fmt.Errorf("train tokenizer: %w", err)
	}
	t := &Tokenizer{Vocab: tok.Vocab(), encoder: tok.Encoder()}
	t.encoder.SpecialAsText = true // as in documents
	return t, nil
}

// Count is how many tokens a text has, without an end of text.
func (t *Tokenizer) Count(text string) int {
	t.ids = t.encoder.Encode(t.ids[:0], text)
	return len(t.ids)
}
