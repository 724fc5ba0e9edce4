package bpe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxFile bounds what Load reads. The largest tokenizer.json in use is about 33 MB (262,144 tokens); as Go values, a file takes up to ten times
// its size.
const maxFile = 64 << 20

// file is tokenizer.json as far as the features we know go; what is unknown stays raw and is judged by name.
type file struct {
	Version       string          `json:"version"`
	Truncation    json.RawMessage `json:"truncation"`
	Padding       json.RawMessage `json:"padding"`
	AddedTokens   []fileAdded     `json:"added_tokens"`
	Normalizer    *component      `json:"normalizer"`
	PreTokenizer  *component      `json:"pre_tokenizer"`
	PostProcessor *component      `json:"post_processor"`
	Decoder       *component      `json:"decoder"`
	Model         *fileModel      `json:"model"`
}

type fileAdded struct {
	ID         uint32 `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

// component is a normalizer, pre-tokenizer, post-processor or decoder.
type component struct {
	Type           string            `json:"type"`
	AddPrefixSpace bool              `json:"add_prefix_space"`
	TrimOffsets    bool              `json:"trim_offsets"` // changes no ids
	UseRegex       *bool             `json:"use_regex"`    // absent in older files: true
	Pattern        map[string]string `json:"pattern"`
	Behavior       string            `json:"behavior"`
	Invert         bool              `json:"invert"`
	Normalizers    []component       `json:"normalizers"`
	PreTokenizers  []component       `json:"pretokenizers"`
}

func (c *component) regex() bool { return c.UseRegex == nil || *c.UseRegex }

type fileModel struct {
	Type         string            `json:"type"`
	Dropout      *float64          `json:"dropout"`
	UnkToken     *string           `json:"unk_token"`
	Prefix       string            `json:"continuing_subword_prefix"`
	Suffix       string            `json:"end_of_word_suffix"`
	FuseUnk      bool              `json:"fuse_unk"`
	ByteFallback bool              `json:"byte_fallback"`
	IgnoreMerges bool              `json:"ignore_merges"`
	Vocab        map[string]uint32 `json:"vocab"`
	Merges       []filePair        `json:"merges"`
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

// Load reads a tokenizer.json.
func Load(r io.Reader) (*Tokenizer, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("bpe: read tokenizer.json: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("bpe: tokenizer.json is larger than %d bytes", maxFile)
	}
	t, err := parse(data, true)
	if key, ok := unknownKey(err); ok {
		// What has keys of its own, such as a post-processor, is better told by its name.
		if _, err = parse(data, false); err == nil {
			err = fmt.Errorf("key %s is not supported", key)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("bpe: tokenizer.json: %w", err)
	}
	return t, nil
}

// parse refuses keys that we do not know where strict.
func parse(data []byte, strict bool) (*Tokenizer, error) {
	var f file
	dec := json.NewDecoder(bytes.NewReader(data))
	if strict {
		dec.DisallowUnknownFields()
	}
	if err := dec.Decode(&f); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("data after the object, at byte %d", dec.InputOffset())
	}
	return f.tokenizer()
}

// unknownKey returns the key, quoted, that a strict decoder complained of. That error has no type of its own; a test holds its text.
func unknownKey(err error) (string, bool) {
	if err == nil {
		return "", false
	}
	return strings.CutPrefix(err.Error(), "json: unknown field ")
}

func (f *file) tokenizer() (*Tokenizer, error) {
	if err := f.unsupported(); err != nil {
		return nil, err
	}
	t := &Tokenizer{}
	var err error
	if t.nfc, err = f.Normalizer.nfc(); err != nil {
		return nil, err
	}
	if t.split, err = f.PreTokenizer.splitRule(); err != nil {
		return nil, err
	}
	if err := f.enterTokens(t); err != nil {
		return nil, err
	}
	if err := f.enterMerges(t); err != nil {
		return nil, err
	}
	if err := t.build(); err != nil {
		return nil, err
	}
	return t, nil
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// unsupported names the first feature that would change ids or text and that this package does not have.
func (f *file) unsupported() error {
	m := f.Model
	if m == nil {
		return errors.New("no model")
	}
	// Files before version 0.9 of the reference library leave the type out.
	if m.Type != "BPE" && m.Type != "" {
		return fmt.Errorf("model type %.80q is not supported: want BPE", m.Type)
	}
	for _, x := range []struct {
		on   bool
		name string
	}{
		{f.Version != "" && f.Version != "1.0", "version " + f.Version},
		{!isNull(f.Truncation), "truncation"},
		{!isNull(f.Padding), "padding"},
		{m.Dropout != nil && *m.Dropout != 0, "model.dropout"},
		{m.Prefix != "", "model.continuing_subword_prefix"},
		{m.Suffix != "", "model.end_of_word_suffix"},
		{m.ByteFallback, "model.byte_fallback"},
		{m.IgnoreMerges, "model.ignore_merges"},
		{f.PostProcessor != nil && f.PostProcessor.Type != "ByteLevel", "post_processor " + f.PostProcessor.typeName()},
		{f.Decoder == nil || f.Decoder.Type != "ByteLevel", "decoder " + f.Decoder.typeName()},
	} {
		if x.on {
			return fmt.Errorf("%s is not supported", x.name)
		}
	}
	for _, a := range f.AddedTokens {
		for flag, on := range map[string]bool{"single_word": a.SingleWord, "lstrip": a.LStrip, "rstrip": a.RStrip} {
			if on {
				return fmt.Errorf("added token %.80q: %s is not supported", a.Content, flag)
			}
		}
	}
	return nil
}

func (c *component) typeName() string {
	if c == nil {
		return "null"
	}
	return c.Type
}

func (c *component) nfc() (bool, error) {
	if c == nil {
		return false, nil
	}
	switch c.Type {
	case "NFC":
		return true, nil
	case "Sequence":
		any := false
		for i := range c.Normalizers {
			on, err := c.Normalizers[i].nfc()
			if err != nil {
				return false, err
			}
			any = any || on
		}
		return any, nil
	}
	return false, fmt.Errorf("normalizer %s is not supported: want NFC or null", c.Type)
}

func (c *component) splitRule() (*splitRule, error) {
	const want = "want ByteLevel, or Split followed by ByteLevel with use_regex false"
	switch {
	case c == nil:
		return nil, errors.New("pre_tokenizer null is not supported: " + want)
	case c.Type == "Sequence" && len(c.PreTokenizers) == 1:
		return c.PreTokenizers[0].splitRule()
	case c.Type == "ByteLevel":
		if c.AddPrefixSpace {
			return nil, errors.New("pre_tokenizer ByteLevel: add_prefix_space is not supported")
		}
		if !c.regex() {
			return nil, errors.New("pre_tokenizer ByteLevel without a split: use_regex false is not supported alone")
		}
		return splitGPT2, nil
	case c.Type == "Sequence" && len(c.PreTokenizers) == 2 && c.PreTokenizers[0].Type == "Split" && c.PreTokenizers[1].Type == "ByteLevel":
		s, b := c.PreTokenizers[0], c.PreTokenizers[1]
		switch {
		case b.AddPrefixSpace:
			return nil, errors.New("pre_tokenizer ByteLevel: add_prefix_space is not supported")
		case b.regex():
			return nil, errors.New("pre_tokenizer ByteLevel behind a Split: use_regex true is not supported")
		case s.Behavior != "Isolated" && (s.Behavior != "Removed" || !s.Invert):
			// Both patterns cover all text, so "the matches, isolated" and "remove what is not a match" come to the same.
			return nil, fmt.Errorf("pre_tokenizer Split: behavior %s with invert %v is not supported", s.Behavior, s.Invert)
		}
		for _, rule := range []*splitRule{splitGPT2, splitCL100K} {
			if s.Pattern["Regex"] == rule.pattern {
				return rule, nil
			}
		}
		return nil, fmt.Errorf("pre_tokenizer Split: pattern %.80q is not supported: want that of GPT-2 or of cl100k", s.Pattern["Regex"]+s.Pattern["String"])
	}
	return nil, fmt.Errorf("pre_tokenizer %s is not supported: %s", c.Type, want)
}

func (f *file) enterTokens(t *Tokenizer) error {
	contents := make([]string, 0, len(f.Model.Vocab))
	for c := range f.Model.Vocab {
		contents = append(contents, c)
	}
	slices.Sort(contents) // so that the first error does not depend on map order
	for _, c := range contents {
		if err := t.setToken(f.Model.Vocab[c], c, true); err != nil {
			return fmt.Errorf("vocab: %w", err)
		}
	}
	seen := map[string]bool{}
	for _, a := range f.AddedTokens {
		if seen[a.Content] {
			return fmt.Errorf("added token %.80q is there twice", a.Content)
		}
		seen[a.Content] = true
		if id, ok := f.Model.Vocab[a.Content]; ok && id != a.ID {
			return fmt.Errorf("added token %.80q has id %d, but %d in the vocabulary", a.Content, a.ID, id)
		}
		if err := t.setToken(a.ID, a.Content, false); err != nil {
			return fmt.Errorf("added token: %w", err)
		}
		t.added = append(t.added, added{a.ID, a.Content, a.Normalized, a.Special})
	}
	slices.SortFunc(t.added, func(a, b added) int { return int(a.id) - int(b.id) })
	return nil
}

func (f *file) enterMerges(t *Tokenizer) error {
	t.merges = make([]merge, len(f.Model.Merges))
	for rank, p := range f.Model.Merges {
		var ids [3]uint32
		for i, c := range []string{p[0], p[1], p[0] + p[1]} {
			id, ok := f.Model.Vocab[c]
			if !ok {
				return fmt.Errorf("merge %d, %.80q %.80q: the vocabulary has no token %.80q", rank, p[0], p[1], c)
			}
			ids[i] = id
		}
		t.merges[rank] = merge{ids[0], ids[1], ids[2]}
	}
	return nil
}
