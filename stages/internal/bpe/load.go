package bpe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// maxFile bounds what Load reads. The largest tokenizer.json in use is about 33 MB (262,144
// tokens); as Go values, a file takes up to ten times its size.
const maxFile = 64 << 20

// file is tokenizer.json as far as the features we know go; everything else is refused by name.
type file struct {
	added []fileAdded
	nfc   bool
	split *splitRule
	model fileModel
}

type fileAdded struct {
	content    string
	normalized bool
	special    bool
}

type fileModel struct {
	vocab  map[string]uint32
	merges []filePair
}

// filePair is a merge: "left right", or ["left", "right"] in newer files.
type filePair [2]string

func (p *filePair) UnmarshalJSON(data []byte) error {
	var joined string
	if json.Unmarshal(data, &joined) == nil {
		left, right, ok := strings.Cut(joined, " ")
		if !ok || strings.Contains(right, " ") {
			return fmt.Errorf("merge %.80q: want two tokens with one space between", joined)
		}
		*p = filePair{left, right}
		return nil
	}
	var two []string
	if err := json.Unmarshal(data, &two); err != nil || len(two) != 2 {
		return fmt.Errorf("merge %.80s: want \"left right\" or [\"left\", \"right\"]", data)
	}
	*p = filePair{two[0], two[1]}
	return nil
}

// Load reads a tokenizer.json. Everything in it that this package does not have is refused at once,
// each with what to change.
func Load(r io.Reader) (*Tokenizer, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("bpe: read tokenizer.json: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("bpe: tokenizer.json is larger than %d bytes", maxFile)
	}
	t, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("bpe: tokenizer.json: %w", err)
	}
	return t, nil
}

func parse(data []byte) (*Tokenizer, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	var root json.RawMessage
	if err := dec.Decode(&root); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("data after the object, at byte %d", dec.InputOffset())
	}
	var r refusals
	f := r.file(root)
	if err := r.err(); err != nil {
		return nil, err
	}
	t := &Tokenizer{nfc: f.nfc, split: f.split}
	for _, step := range []func() error{func() error { return f.enterTokens(t) }, func() error { return f.enterMerges(t) }, t.build} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// enterTokens gives tokens their ids. Those of the vocabulary have the ids that it says. An added
// token that is not in it has the next id behind the vocabulary's last, in the order of the file,
// as in the reference library: the id that the file says does not count there, and token arrays
// that were made with it hold the library's. Where versions of the library differ, or give one id
// to two tokens, the file is refused.
func (f *file) enterTokens(t *Tokenizer) error {
	contents := make([]string, 0, len(f.model.vocab))
	for c := range f.model.vocab {
		contents = append(contents, c)
	}
	slices.Sort(contents) // so that the first error does not depend on map order
	for _, c := range contents {
		if err := t.setToken(f.model.vocab[c], c, true); err != nil {
			return fmt.Errorf("vocab: %w", err)
		}
	}
	next := uint32(len(f.model.vocab))
	far := false // an added token of the vocabulary lies behind its holes, where older versions of the library go on from it
	seen := map[string]bool{}
	for _, a := range f.added {
		if seen[a.content] {
			return fmt.Errorf("added token %.80q is there twice", a.content)
		}
		seen[a.content] = true
		id, inVocab := f.model.vocab[a.content]
		if !inVocab {
			id = next
			next++
			if taken := int64(id) < int64(len(t.tokens)) && t.tokens[id].content != ""; taken || far {
				return fmt.Errorf("added token %.80q: the ids of model.vocab have holes (%d tokens, the largest id is %d), so that the reference library "+
					"gives this token's id to two tokens, or another by its version: number the vocabulary from 0 to %d, or list the token in it",
					a.content, len(f.model.vocab), slices.Max(slices.Collect(maps.Values(f.model.vocab))), len(f.model.vocab)-1)
			}
		}
		far = far || inVocab && int64(id) >= int64(len(f.model.vocab))
		if err := t.setToken(id, a.content, false); err != nil {
			return fmt.Errorf("added token: %w", err)
		}
		t.added = append(t.added, added{id, a.content, a.normalized, a.special})
	}
	slices.SortFunc(t.added, func(a, b added) int { return int(a.id) - int(b.id) })
	return nil
}

func (f *file) enterMerges(t *Tokenizer) error {
	t.merges = make([]merge, len(f.model.merges))
	for rank, p := range f.model.merges {
		var ids [3]uint32
		for i, c := range []string{p[0], p[1], p[0] + p[1]} {
			id, ok := f.model.vocab[c]
			if !ok {
				return fmt.Errorf("merge %d, %.80q %.80q: the vocabulary has no token %.80q", rank, p[0], p[1], c)
			}
			ids[i] = id
		}
		t.merges[rank] = merge{ids[0], ids[1], ids[2]}
	}
	return nil
}
