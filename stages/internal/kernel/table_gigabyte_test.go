package kernel_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"ablate/stages/internal/bpe"
)

// BenchmarkGigabyte trains a tokenizer of as many ids as GPT-NeoX-20B's on 1 GB of text, once.
func BenchmarkGigabyte(b *testing.B) {
	for range b.N {
		tableGigabyte(b)
	}
	b.ReportMetric(0, "ns/op") // most of the time the text is made
}

// tableGigabyte goes by made-up words whose frequencies follow the law of Zipf and Mandelbrot: with
// an exponent of 1.2 a gigabyte has millions of different ones, half of them once, which is more
// than running text has. Making them is not measured.
func tableGigabyte(b *testing.B) {
	const size, piece, words = 1_000_000_000, 8 << 20, 1 << 24
	zipf := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.2, 3, words-1)
	seen, different := make([]bool, words), 0
	trainer := bpe.NewTrainer(bpe.TrainOptions{Vocab: 50_257, MinFrequency: 2})
	seconds, text := 0.0, make([]byte, 0, piece+64)
	for n := 0; n < size; n += len(text) {
		for text = text[:0]; len(text) < min(piece, size-n); {
			w := zipf.Uint64()
			if !seen[w] {
				seen[w] = true
				different++
			}
			// Syllables of its number, so that frequent words are short; a new line now and then.
			for x := w; ; x /= 80 {
				text = append(text, "tnrsldcmpgbfvkhw"[x%16], "eaiou"[x/16%5])
				if x < 80 {
					break
				}
			}
			text = append(text, " ,\n"[w%67/65])
		}
		seconds += timed(0, func() { trainer.Add(string(text)) }).cpu
	}
	count := seconds
	seconds += timed(0, func() {
		if _, err := trainer.Train(); err != nil {
			b.Fatal(err)
		}
	}).cpu
	line("training a tokenizer of 50,257 ids on 1 GB", fmt.Sprintf("%6.1f s of processor time, %.1f of them to count %.1fM different words", seconds, count, float64(different)/1e6))
}
