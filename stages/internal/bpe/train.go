package bpe

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"
	"strings"
)

// TrainOptions are part of what a trained tokenizer is.
type TrainOptions struct {
	Vocab        int // ids in all: 256 bytes, merges, <|endoftext|>; at least 257
	MinFrequency int // a pair is merged only if it occurs so often; 0 means 2
}

// A Trainer learns a vocabulary: GPT-2 split, no normalizer, ids 0 to 255 the bytes, then the
// merges in rank order, <|endoftext|> last. The pair with the highest count is merged next, of
// equals the one with the smallest left id, then the smallest right id.
type Trainer struct {
	opt   TrainOptions
	words map[string]int64
}

// maxTrainWord cuts longer words for counting, so that a merge visits only the pieces that hold it:
// a word of a megabyte would otherwise be rewritten at every merge. No word of a language is as
// long.
const maxTrainWord = 256

// NewTrainer returns a trainer that has seen nothing.
func NewTrainer(opt TrainOptions) *Trainer {
	if opt.MinFrequency == 0 {
		opt.MinFrequency = 2
	}
	return &Trainer{opt: opt, words: map[string]int64{}}
}

// Add counts the words of text. The order of calls does not matter.
func (tr *Trainer) Add(text string) {
	text = strings.ToValidUTF8(text, "\uFFFD")
	for i := 0; i < len(text); {
		end := nextGPT2(text, i)
		for i < end {
			cut := min(end, i+maxTrainWord)
			tr.count(text[i:cut])
			i = cut
		}
	}
}

func (tr *Trainer) count(word string) {
	if n, ok := tr.words[word]; ok {
		tr.words[word] = n + 1
		return
	}
	tr.words[strings.Clone(word)] = 1
}

// Train returns the tokenizer. It has fewer ids than asked for where the text holds too few pairs
// of the least frequency.
func (tr *Trainer) Train() (*Tokenizer, error) {
	if tr.opt.Vocab < 257 || tr.opt.Vocab > maxID {
		return nil, fmt.Errorf("bpe: train: vocab %d: want 257 (256 bytes and %s) to %d", tr.opt.Vocab, endOfText, maxID)
	}
	if tr.opt.MinFrequency < 1 {
		return nil, fmt.Errorf("bpe: train: min frequency %d: want at least 1", tr.opt.MinFrequency)
	}
	t := &Tokenizer{split: splitGPT2}
	for b := range 256 {
		t.tokens = append(t.tokens, token{content: string(byteChar[b]), inModel: true})
	}
	c := newCorpusState(tr.words)
	for len(t.tokens) < tr.opt.Vocab-1 {
		best, ok := c.pop(int64(tr.opt.MinFrequency))
		if !ok {
			break
		}
		id := uint32(len(t.tokens))
		left, right := uint32(best>>32), uint32(best)
		t.tokens = append(t.tokens, token{content: t.tokens[left].content + t.tokens[right].content, inModel: true})
		t.merges = append(t.merges, merge{left, right, id})
		c.merge(best, id)
	}
	eos := uint32(len(t.tokens))
	t.tokens = append(t.tokens, token{content: endOfText, inModel: true})
	t.added = []added{{id: eos, content: endOfText, special: true}}
	if err := t.build(); err != nil {
		return nil, fmt.Errorf("internal error: bpe: train: %w", err)
	}
	return t, nil
}

// corpusState is the training text as words of tokens with their counts, and the pairs in it. A
// pair is left<<32 | right.
type corpusState struct {
	words [][]uint32
	freq  []int64
	pairs map[uint64]*pairState
	queue pairQueue
}

type pairState struct {
	count int64
	words []uint32 // indices of words that hold or held the pair, ascending for those of one merge; may repeat
}

func newCorpusState(counts map[string]int64) *corpusState {
	words := make([]string, 0, len(counts))
	for w := range counts {
		words = append(words, w)
	}
	slices.Sort(words)
	c := &corpusState{pairs: map[uint64]*pairState{}}
	for i, w := range words {
		ids := make([]uint32, len(w))
		for k := range len(w) {
			ids[k] = uint32(w[k])
		}
		c.words = append(c.words, ids)
		c.freq = append(c.freq, counts[w])
		for k := 1; k < len(ids); k++ {
			c.change(uint64(ids[k-1])<<32|uint64(ids[k]), c.freq[i], uint32(i))
		}
	}
	for pair, p := range c.pairs {
		c.queue = append(c.queue, queued{pair, p.count})
	}
	heap.Init(&c.queue)
	return c
}

// change adds n to the count of a pair in a word.
func (c *corpusState) change(pair uint64, n int64, word uint32) {
	p := c.pairs[pair]
	if p == nil {
		p = &pairState{}
		c.pairs[pair] = p
	}
	p.count += n
	if n > 0 && (len(p.words) == 0 || p.words[len(p.words)-1] != word) {
		p.words = append(p.words, word)
	}
}

// pop returns the pair to merge next. Counts in the queue may be too high, never too low: a merge
// only lowers the counts of pairs that were there before it. So an entry that still holds its count
// is the best, and one that does not goes back with its true count.
func (c *corpusState) pop(atLeast int64) (uint64, bool) {
	for len(c.queue) > 0 {
		top := &c.queue[0]
		if now := c.pairs[top.pair].count; now < top.count {
			if now < atLeast {
				heap.Pop(&c.queue)
				continue
			}
			top.count = now
			heap.Fix(&c.queue, 0)
			continue
		}
		if top.count < atLeast {
			return 0, false
		}
		return heap.Pop(&c.queue).(queued).pair, true
	}
	return 0, false
}

// merge joins a pair in all words and enters the pairs that arise.
func (c *corpusState) merge(pair uint64, id uint32) {
	left, right := uint32(pair>>32), uint32(pair)
	p := c.pairs[pair]
	slices.Sort(p.words)
	fresh := map[uint64]bool{}
	for _, w := range slices.Compact(p.words) {
		old, n := c.words[w], c.freq[w]
		word := old[:0]
		at := 0
		for at < len(old) {
			if at+1 == len(old) || old[at] != left || old[at+1] != right {
				word = append(word, old[at])
				at++
				continue
			}
			// The neighbours' pairs before the merge; the token to the left may itself be a result
			// of this merge.
			if k := len(word); k > 0 {
				if word[k-1] != id {
					c.change(uint64(word[k-1])<<32|uint64(left), -n, w)
				}
				next := uint64(word[k-1])<<32 | uint64(id)
				c.change(next, n, w)
				fresh[next] = true
			}
			c.change(pair, -n, w)
			if at+2 < len(old) {
				c.change(uint64(right)<<32|uint64(old[at+2]), -n, w)
				if at+3 >= len(old) || old[at+2] != left || old[at+3] != right {
					next := uint64(id)<<32 | uint64(old[at+2])
					c.change(next, n, w)
					fresh[next] = true
				}
			}
			word = append(word, id)
			at += 2
		}
		c.words[w] = word
	}
	delete(c.pairs, pair)
	for next := range fresh {
		heap.Push(&c.queue, queued{next, c.pairs[next].count})
	}
}

type queued struct {
	pair  uint64
	count int64
}

// pairQueue is a heap: highest count first, then the smallest pair.
type pairQueue []queued

func (q pairQueue) Len() int { return len(q) }
func (q pairQueue) Less(i, j int) bool {
	if q[i].count != q[j].count {
		return q[i].count > q[j].count
	}
	return cmp.Less(q[i].pair, q[j].pair)
}
func (q pairQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *pairQueue) Push(x any)   { *q = append(*q, x.(queued)) }
func (q *pairQueue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}
