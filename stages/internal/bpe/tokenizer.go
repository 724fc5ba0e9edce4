package bpe

import (
	"fmt"
	"unicode/utf8"
)

const (
	// noID marks an absent id.
	noID = ^uint32(0)
	// maxID bounds the tables that are indexed by id, so that a wrong file cannot ask for
	// gigabytes. The largest vocabularies in use have about 2^18 ids.
	maxID = 1<<20 - 1
	// endOfText is the token that separates documents in every tokenizer of the GPT-2 family.
	endOfText = "<|endoftext|>"
)

// A Tokenizer is immutable and may be shared between goroutines.
type Tokenizer struct {
	tokens []token // by id
	merges []merge // by rank
	added  []added // by id
	nfc    bool
	split  *splitRule

	byteID [256]uint32 // noID: no token
	pairs  pairTable
	// byteRank[a<<8|b] is the rank of the pair of bytes a, b. Half of all look-ups are of these,
	// and 256 KiB stay in the cache.
	byteRank []uint32
	// Added tokens as literal text: those matched before normalization and those after it; [1]
	// leaves special tokens out.
	raw, normalized [2]*matcher
}

type token struct {
	content string // as tokenizer.json spells it; "" where no token has this id
	bytes   string
	inModel bool // listed in the model's vocabulary (an added token may be, or not)
}

type merge struct{ left, right, id uint32 }

type added struct {
	id         uint32
	content    string
	normalized bool // matched on normalized text
	special    bool
}

// build checks the parts against each other and derives the tables.
func (t *Tokenizer) build() error {
	for i := range t.byteID {
		t.byteID[i] = noID
	}
	isAdded := make(map[uint32]bool, len(t.added))
	for _, a := range t.added {
		isAdded[a.id] = true
	}
	for id := range t.tokens {
		tok := &t.tokens[id]
		if tok.content == "" {
			continue
		}
		b, ok := unspell(tok.content)
		switch {
		case isAdded[uint32(id)]:
			b = tok.content
		case !ok:
			return fmt.Errorf("token %d %.80q: not in the byte-level alphabet (only byte-level BPE is supported)", id, tok.content)
		}
		tok.bytes = b
		if len(b) == 1 && tok.inModel && (!isAdded[uint32(id)] || byteChar[b[0]] == rune(b[0])) {
			t.byteID[b[0]] = uint32(id)
		}
	}
	for b := range t.byteID {
		// C0, C1 and F5 to FF occur in no UTF-8 text, and GPT-NeoX-20B has no tokens for them.
		if inUTF8 := b < 0xC0 || b > 0xC1 && b < 0xF5; inUTF8 && t.byteID[b] == noID {
			return fmt.Errorf("byte %#02x (%.80q) has no token: byte fallback and unknown tokens are not supported", b, string(byteChar[b]))
		}
	}
	t.pairs = newPairTable(len(t.merges))
	for rank, m := range t.merges {
		if !t.pairs.add(m, uint32(rank)) {
			return fmt.Errorf("merge %d: %.80q %.80q is there twice", rank, t.tokens[m.left].content, t.tokens[m.right].content)
		}
	}
	t.byteRank = make([]uint32, 1<<16)
	for i := range t.byteRank {
		t.byteRank[i], _ = t.pairs.find(t.byteID[i>>8], t.byteID[i&0xFF])
	}
	t.buildMatchers()
	return nil
}

func (t *Tokenizer) buildMatchers() {
	for plain := range 2 {
		raw, normalized := map[string]uint32{}, map[string]uint32{}
		for _, a := range t.added {
			switch {
			case plain == 1 && a.special:
			case a.normalized && t.nfc:
				normalized[nfc(a.content)] = a.id
			case a.normalized:
				normalized[a.content] = a.id
			default:
				raw[a.content] = a.id
			}
		}
		t.raw[plain], t.normalized[plain] = newMatcher(raw), newMatcher(normalized)
	}
}

// Vocab is the number of ids: the largest id + 1. Some ids below it may have no token.
func (t *Tokenizer) Vocab() int { return len(t.tokens) }

// EOS is the id of <|endoftext|>, which separates documents.
func (t *Tokenizer) EOS() (uint32, error) {
	for _, a := range t.added {
		if a.content == endOfText {
			return a.id, nil
		}
	}
	for id, tok := range t.tokens {
		if tok.content == endOfText {
			return uint32(id), nil
		}
	}
	return 0, fmt.Errorf("bpe: the tokenizer has no token %s to end documents with: add it to added_tokens", endOfText)
}

// Decode returns the bytes of ids; added tokens give their text. The result of a cut-off sequence
// need not be valid UTF-8.
func (t *Tokenizer) Decode(ids []uint32) ([]byte, error) {
	var out []byte
	for i, id := range ids {
		if int64(id) >= int64(len(t.tokens)) {
			return nil, fmt.Errorf("bpe: decode: id %d at position %d: the vocabulary has %d ids", id, i, len(t.tokens))
		}
		if t.tokens[id].content == "" {
			return nil, fmt.Errorf("bpe: decode: id %d at position %d: no token has this id", id, i)
		}
		out = append(out, t.tokens[id].bytes...)
	}
	return out, nil
}

// setToken enters a token read from a file; ids and contents are unique.
func (t *Tokenizer) setToken(id uint32, content string, inModel bool) error {
	switch {
	case id > maxID:
		return fmt.Errorf("token %.80q: id %d, at most %d is supported", content, id, maxID)
	case content == "" || !utf8.ValidString(content):
		return fmt.Errorf("token %.80q with id %d: want a non-empty string of valid UTF-8", content, id)
	}
	for int64(len(t.tokens)) <= int64(id) {
		t.tokens = append(t.tokens, token{})
	}
	if have := &t.tokens[id]; have.content == "" {
		*have = token{content: content, inModel: inModel}
	} else if have.content != content {
		return fmt.Errorf("id %d is given to both %.80q and %.80q", id, have.content, content)
	}
	return nil
}
