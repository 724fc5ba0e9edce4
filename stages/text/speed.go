package text

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"ablate/stages/internal/bpe"
	"ablate/stages/internal/corpus"
	"ablate/stages/kind"
)

// The probes of this package carry out the stage itself on files of their own, so that everything
// that a step does is in the time: reading, encoding, hashing paragraphs, and writing.

// probeVocab is the vocabulary of the tokenizer that texts are encoded with: the time of a byte
// depends little on it.
const probeVocab = 512

// sizes are those of the two files that a probe reads: what grows between them is the rate, and the
// rest is the setup.
func sizes(budget time.Duration) (small, large int) {
	small = 8 << 10
	large = min(1<<20, max(64<<10, int(budget.Seconds()*float64(400<<10))))
	return small, large
}

// alikeTokenizer names what the speed of a tokenizer's training depends on.
func alikeTokenizer(params json.RawMessage) (string, error) {
	var p kind.TokenizerParams
	if err := json.Unmarshal(params, &p); err != nil {
		return "", fmt.Errorf("internal error: parameters %s: %w", params, err)
	}
	return fmt.Sprintf("vocab %d, bytes %d", p.Vocab, p.Bytes), nil
}

// tokenizerSpeed trains tokenizers on two texts. Merges are learnt from what is read of a text at
// most; they are all of the setup, and grow with the vocabulary.
func tokenizerSpeed(ctx context.Context, job *kind.Job, budget time.Duration) (kind.Speed, error) {
	var p kind.TokenizerParams
	if err := job.Decode(&p); err != nil {
		return kind.Speed{}, err
	}
	asked := p.Vocab
	p.Vocab = min(p.Vocab, probeVocab)
	s, err := probe(ctx, trainTokenizer, budget, 1, func(texts int) any {
		p.Read, p.MinFrequency = kind.Read{Format: corpus.FormatText, Names: names(texts)}, 2
		return p
	}, nil)
	s.One *= 2 // the files are read twice, and both times count
	s.All = s.One
	s.Setup *= float64(asked) / float64(p.Vocab)
	return s, err
}

// alikeTokenize: all steps that tokenize go about equally fast.
func alikeTokenize(json.RawMessage) (string, error) { return "", nil }

// tokenizeSpeed tokenizes two texts, on one and on all threads.
func tokenizeSpeed(ctx context.Context, job *kind.Job, budget time.Duration) (kind.Speed, error) {
	trainer := bpe.NewTrainer(bpe.TrainOptions{Vocab: probeVocab})
	trainer.Add(string(synthetic(32 << 10)))
	tok, err := trainer.Train()
	if err != nil {
		return kind.Speed{}, fmt.Errorf("measure speed: %w", err)
	}
	var file bytes.Buffer
	if err := tok.WriteJSON(&file); err != nil {
		return kind.Speed{}, fmt.Errorf("measure speed: %w", err)
	}
	params := func(texts int) any {
		return kind.TokenizeParams{Read: kind.Read{Format: corpus.FormatText, Names: names(texts)}, Paragraph: corpus.ParagraphLine, MinTokens: 13}
	}
	s, err := probe(ctx, tokenize, budget/2, 1, params, file.Bytes())
	if err != nil || job.Threads < 2 {
		return s, err
	}
	all, err := probe(ctx, tokenize, budget/2, job.Threads, params, file.Bytes())
	s.All = all.One
	return s, err
}

// textBytes are those of a document of a probe.
const textBytes = 4 << 10

func names(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = strconv.Itoa(i) + ".txt"
	}
	return list
}

// probe carries out a stage on two texts, and returns the rate on so many threads and the setup.
func probe(ctx context.Context, run kind.Func, budget time.Duration, threads int, params func(texts int) any, tokenizer []byte) (kind.Speed, error) {
	dir, err := os.MkdirTemp("", "ablate-speed-*")
	if err != nil {
		return kind.Speed{}, fmt.Errorf("measure speed: %w", err)
	}
	defer os.RemoveAll(dir)
	small, large := sizes(budget)
	var took [2]float64
	for i, size := range []int{small, large} {
		if took[i], err = once(ctx, run, filepath.Join(dir, strconv.Itoa(i)), threads, size, params, tokenizer); err != nil {
			return kind.Speed{}, fmt.Errorf("measure speed: %w", err)
		}
	}
	each := math.Max(1e-12, (took[1]-took[0])/float64(large-small))
	each = math.Max(each, 0.1*took[1]/float64(large)) // a small text that was disturbed makes no large one free
	return kind.Speed{One: 1 / each, All: 1 / each, Setup: math.Max(0, took[0]-float64(each*float64(small)))}, nil
}

// once carries a stage out on a text of so many bytes, and returns the seconds that it took: the
// shorter of two times.
func once(ctx context.Context, run kind.Func, dir string, threads, size int, params func(texts int) any, tokenizer []byte) (float64, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return 0, err
	}
	text := synthetic(size)
	var inputs []kind.Input
	add := func(role string, data []byte) error {
		path := filepath.Join(dir, role)
		inputs = append(inputs, kind.Input{Role: role, Path: path})
		return os.WriteFile(path, data, 0o666)
	}
	if tokenizer != nil {
		if err := add("tokenizer", tokenizer); err != nil {
			return 0, err
		}
	}
	texts := (size + textBytes - 1) / textBytes
	for i := range texts {
		if err := add(kind.Role("file", i), text[i*textBytes:min(size, (i+1)*textBytes)]); err != nil {
			return 0, err
		}
	}
	p, err := json.Marshal(params(texts))
	if err != nil {
		return 0, err
	}
	best := math.Inf(1)
	for i := range 2 {
		job := &kind.Job{Params: p, Inputs: inputs, Dir: filepath.Join(dir, "out"+strconv.Itoa(i)), Threads: threads}
		if err := os.Mkdir(job.Dir, 0o777); err != nil {
			return 0, err
		}
		began := time.Now()
		if err := run(ctx, job); err != nil {
			return 0, err
		}
		best = math.Min(best, time.Since(began).Seconds())
	}
	return best, nil
}

// synthetic is text of so many bytes: lines of words of a made-up language, few of which are
// frequent and many rare, as in any.
func synthetic(size int) []byte {
	const words = 4000
	syllables := []string{"ta", "re", "mon", "in", "or", "li", "st", "une", "ka", "er", "so", "th", "al", "vi", "en", "pro"}
	x := uint32(1)
	random := func() float64 {
		x = x*1664525 + 1013904223
		return float64(x>>8) / (1 << 24)
	}
	cube := func(x float64) float64 { return x * x * x }
	var b []byte
	for n := 0; len(b) < size; n++ {
		rank := int(words * cube(random()))
		for k := rank + 3; k > 0; k /= len(syllables) {
			b = append(b, syllables[k%len(syllables)]...)
		}
		if n%17 == 16 {
			b = append(b, ".\n"...)
		} else {
			b = append(b, ' ')
		}
	}
	return b[:size]
}
