package bpe

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// edited returns the tiny tokenizer's file with one value replaced; path holds keys, the last of
// which is set.
func edited(t *testing.T, value any, path ...string) string {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal([]byte(readFile(t, "testdata/tiny.tokenizer.json")), &root); err != nil {
		t.Fatal(err)
	}
	at := root
	for _, k := range path[:len(path)-1] {
		at = at[k].(map[string]any)
	}
	at[path[len(path)-1]] = value
	out, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

type object = map[string]any

func TestLoadRefuses(t *testing.T) {
	byteLevel := object{"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}
	addedWith := func(key string, value any) []any {
		a := object{"id": 319, "content": "<|endoftext|>", "special": true}
		a[key] = value
		return []any{a}
	}
	sequence := func(split object, last object) object {
		return object{"type": "Sequence", "pretokenizers": []any{split, last}}
	}
	split := object{"type": "Split", "pattern": object{"Regex": splitCL100K.pattern}, "behavior": "Removed", "invert": true}
	for _, c := range []struct {
		name string
		file string
		want string
	}{
		{"no JSON", "{", "unexpected EOF"},
		{"two values", edited(t, nil, "padding") + "{}", "data after the object"},
		{"version", edited(t, "2.0", "version"), "version 2.0 is not supported"},
		{"unknown key", edited(t, 1, "prefix"), `the file: key "prefix" is not supported: ablate does not know what it means`},
		{"unknown key of the model", edited(t, nil, "model", "max_word"), `model: key "max_word" is not supported`},
		{"unknown key of the split", edited(t, true, "pre_tokenizer", "max_length"), `pre_tokenizer: key "max_length" is not supported`},
		{"unknown key of an added token", edited(t, addedWith("repeat", true), "added_tokens"), `added_tokens.0: key "repeat" is not supported`},
		{"component with keys of its own", edited(t, object{"type": "TemplateProcessing", "single": []any{}}, "post_processor"), "post_processor TemplateProcessing is not supported"},
		{"no model", edited(t, nil, "model"), "this is no tokenizer.json: it has no model, and is perhaps a tokenizer_config.json"},
		{"model", edited(t, "Unigram", "model", "type"), `model type "Unigram" is not supported`},
		{"truncation", edited(t, object{"max_length": 5}, "truncation"), "truncation is not supported"},
		{"padding", edited(t, object{"length": 5}, "padding"), "padding is not supported"},
		{"dropout", edited(t, 0.1, "model", "dropout"), "model.dropout is not supported"},
		{"prefix", edited(t, "##", "model", "continuing_subword_prefix"), "model.continuing_subword_prefix is not supported"},
		{"suffix", edited(t, "</w>", "model", "end_of_word_suffix"), "model.end_of_word_suffix is not supported"},
		{"byte fallback", edited(t, true, "model", "byte_fallback"), "model.byte_fallback is not supported"},
		{"ignore merges", edited(t, true, "model", "ignore_merges"), "model.ignore_merges is not supported"},
		{"normalizer", edited(t, object{"type": "Lowercase"}, "normalizer"), "normalizer Lowercase is not supported"},
		{"normalizer in a sequence", edited(t, object{"type": "Sequence", "normalizers": []any{object{"type": "NFC"}, object{"type": "Strip"}}}, "normalizer"), "normalizer.normalizers.1 Strip is not supported"},
		{"pre-tokenizer", edited(t, object{"type": "Whitespace"}, "pre_tokenizer"), "pre_tokenizer Whitespace is not supported"},
		{"no pre-tokenizer", edited(t, nil, "pre_tokenizer"), "pre_tokenizer null is not supported"},
		{"prefix space", edited(t, true, "pre_tokenizer", "add_prefix_space"), "add_prefix_space is not supported"},
		{"no regex", edited(t, false, "pre_tokenizer", "use_regex"), "use_regex false is not supported alone"},
		{"pattern", edited(t, sequence(object{"type": "Split", "pattern": object{"Regex": `\w+`}, "behavior": "Isolated"}, byteLevel), "pre_tokenizer"), `pattern "\\w+" is not supported`},
		{"behavior", edited(t, sequence(object{"type": "Split", "pattern": object{"Regex": splitGPT2.pattern}, "behavior": "MergedWithNext"}, byteLevel), "pre_tokenizer"), "behavior MergedWithNext"},
		{"two splits", edited(t, sequence(split, object{"type": "ByteLevel", "use_regex": true}), "pre_tokenizer"), "use_regex true is not supported"},
		{"post-processor", edited(t, object{"type": "TemplateProcessing"}, "post_processor"), "post_processor TemplateProcessing is not supported"},
		{"decoder", edited(t, object{"type": "WordPiece"}, "decoder"), "decoder WordPiece is not supported"},
		{"no decoder", edited(t, nil, "decoder"), "decoder null is not supported"},
		{"single word", edited(t, addedWith("single_word", true), "added_tokens"), "single_word is not supported"},
		{"strip left", edited(t, addedWith("lstrip", true), "added_tokens"), "lstrip is not supported"},
		{"strip right", edited(t, addedWith("rstrip", true), "added_tokens"), "rstrip is not supported"},
		{"holes in the vocabulary", strings.Replace(edited(t, addedWith("content", "<x>"), "added_tokens"), `"he":`, `"zq":321,"he":`, 1),
			`added token "<x>": the ids of model.vocab have holes (321 tokens, the largest id is 321)`},
		{"added tokens behind holes", strings.Replace(edited(t, append([]any{object{"id": 400, "content": "zq"}}, addedWith("content", "<x>")...), "added_tokens"), `"he":`, `"zq":400,"he":`, 1),
			`added token "<x>": the ids of model.vocab have holes (321 tokens, the largest id is 400)`},
		{"added tokens are a list", edited(t, object{"<x>": 320}, "added_tokens"), `added_tokens: want a list of objects, found an object`},
		{"flag of text", edited(t, "yes", "model", "byte_fallback"), `model.byte_fallback: want true or false, found "yes"`},
		{"vocabulary of pairs", edited(t, []any{[]any{"a", 0}}, "model", "vocab"), `model.vocab: want tokens, each with a whole number from 0 as its id, found a list`},
		{"pieces of Unigram", edited(t, object{"type": "Unigram", "vocab": []any{[]any{"a", -1.5}}, "unk_id": 0}, "model"), `model type "Unigram" is not supported: want a byte-level BPE`},
		{"component of text", edited(t, "NFC", "normalizer"), `normalizer: want an object, found "NFC"`},
		{"component without type", edited(t, object{}, "pre_tokenizer"), "pre_tokenizer without a type is not supported"},
		{"sequences in sequences", edited(t, nested(12), "normalizer"), "normalizer: sequences in sequences, more than 8 deep"},
		{"a list", "[]", "the file: want an object, found a list"},
		{"null", "null", "the file: want an object, found null"},

		{"empty added token", edited(t, addedWith("content", ""), "added_tokens"), "want a non-empty string"},
		{"added twice", edited(t, append(addedWith("id", 319), addedWith("id", 319)...), "added_tokens"), "is there twice"},
		{"id", edited(t, 1<<20, "model", "vocab", "zz"), "id 1048576, at most 1048575"},
		{"negative id", edited(t, -1, "model", "vocab", "zz"), "model.vocab: want tokens, each with a whole number from 0 as its id, found number -1 in it"},
		{"one id for two", edited(t, 0, "model", "vocab", "zz"), "id 0 is given to both"},
		{"alphabet", edited(t, 320, "model", "vocab", "a b"), `token 320 "a b": not in the byte-level alphabet`},
		{"missing bytes", edited(t, object{"a": 0}, "model", "vocab"), "the vocabulary has no token"},
		{"merge of unknown", edited(t, []any{"a zz"}, "model", "merges"), `the vocabulary has no token "zz"`},
		{"merge without space", edited(t, []any{"ab"}, "model", "merges"), "want two tokens with one space between"},
		{"merge of three", edited(t, []any{[]any{"a", "b", "c"}}, "model", "merges"), `want "left right"`},
		{"merge twice", edited(t, []any{"h e", "h e"}, "model", "merges"), `merge 1: "h" "e" is there twice`},
	} {
		t.Run(c.name, func(t *testing.T) {
			tok, err := Load(strings.NewReader(c.file))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "bpe: tokenizer.json: ") {
				t.Errorf("Load = %v, error %v, want %q", tok != nil, err, c.want)
			}
		})
	}
}

// nested is normalizers in so many sequences.
func nested(n int) object {
	inner := object{"type": "NFC"}
	for range n {
		inner = object{"type": "Sequence", "normalizers": []any{inner}}
	}
	return inner
}

// All that is not supported is named at once, in the words of the file, with what to change.
func TestLoadRefusesAllAtOnce(t *testing.T) {
	file := edited(t, []any{
		object{"id": 319, "content": "<|endoftext|>", "special": true, "lstrip": true},
		object{"id": 320, "content": "<x>", "lstrip": true, "single_word": true},
	}, "added_tokens")
	for _, change := range [][2]string{
		{`"normalizer":null`, `"normalizer":{"type":"Lowercase"}`},
		{`"post_processor":null`, `"post_processor":{"type":"Sequence","processors":[{"type":"ByteLevel"},{"type":"TemplateProcessing","single":[]}]}`},
		{`"truncation":null`, `"truncation":{"max_length":512}`},
		{`"padding":null`, `"padding":{"strategy":"BatchLongest"}`},
		{`"byte_fallback":false`, `"byte_fallback":"no"`},
		{`"dropout":null`, `"dropout":0.1`},
		{`"add_prefix_space":false`, `"add_prefix_space":true`},
	} {
		if !strings.Contains(file, change[0]) {
			t.Fatalf("the file has no %s", change[0])
		}
		file = strings.Replace(file, change[0], change[1], -1)
	}
	_, err := Load(strings.NewReader(file))
	if err == nil {
		t.Fatal("loaded")
	}
	want := strings.Join([]string{
		"bpe: tokenizer.json: 9 things would encode other ids here than with the library that wrote the file:",
		"truncation is not supported: set it to null; documents are trained and evaluated on whole",
		"padding is not supported: set it to null; no sequence is padded",
		"model.dropout is not supported: set it to null; with it one text has other ids each time",
		`model.byte_fallback: want true or false, found "no"`,
		"normalizer Lowercase is not supported: want NFC or null; change the text of the corpora beforehand if it must be changed",
		"pre_tokenizer ByteLevel: add_prefix_space is not supported: set it to false; the first word of each document would have another id",
		"post_processor Sequence of ByteLevel, TemplateProcessing is not supported: set it to null or to ByteLevel; documents end with <|endoftext|>, and no other token is put in",
		`added token "<x>": single_word is not supported: set it to false if the token stands in no text`,
		`added tokens "<|endoftext|>", "<x>": lstrip is not supported: set it to false if the token stands in no text`,
	}, "\n  ")
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Whatever a key holds, the message has no type of Go in it.
func TestLoadRefusesWithoutGoTypes(t *testing.T) {
	var keys func(value any, path []string) [][]string
	keys = func(value any, path []string) (all [][]string) {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		for k, v := range object {
			here := append(slices.Clip(path), k)
			all = append(all, here)
			if k != "vocab" { // one of its 320 would do, and is in the table above
				all = append(all, keys(v, here)...)
			}
		}
		return all
	}
	var root any
	if err := json.Unmarshal([]byte(readFile(t, "testdata/tiny.tokenizer.json")), &root); err != nil {
		t.Fatal(err)
	}
	for _, path := range keys(root, nil) {
		for _, value := range []any{true, 1.5, "x", []any{1}, []any{"x"}, object{"x": "y"}, object{"type": 1}} {
			_, err := Load(strings.NewReader(edited(t, value, path...)))
			if err == nil {
				continue
			}
			for _, word := range []string{" json:", "unmarshal", "Go ", "struct", "bpe.", "map[", "uint32", "float64", "bool "} {
				if strings.Contains(err.Error(), word) {
					t.Errorf("%s = %v: %q has %q in it", strings.Join(path, "."), value, err, word)
				}
			}
		}
	}
}

func TestLoadMissingByte(t *testing.T) {
	vocab := object{"<|endoftext|>": 'q'}
	for b := range 256 {
		if b != 'q' {
			vocab[string(byteChar[b])] = b
		}
	}
	f := edited(t, object{"type": "BPE", "vocab": vocab, "merges": []any{}}, "model")
	if _, err := Load(strings.NewReader(f)); err == nil || !strings.Contains(err.Error(), `byte 0x71 ("q") has no token`) {
		t.Errorf("error %v, want one that names the byte", err)
	}
}

func TestLoadAccepts(t *testing.T) {
	want := tiny(t)
	byteLevel := object{"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}
	var pairs []any
	for _, m := range want.merges {
		pairs = append(pairs, []any{want.tokens[m.left].content, want.tokens[m.right].content})
	}
	split := func(rule *splitRule) object {
		return object{"type": "Sequence", "pretokenizers": []any{object{"type": "Split", "pattern": object{"Regex": rule.pattern}, "behavior": "Isolated", "invert": false}, byteLevel}}
	}
	const text = "The keeper counted 12345 ships\n\n  e\u0301"
	for _, c := range []struct {
		name, file string
		same       bool // ids of text, to those of the file as it is
	}{
		{"merges as pairs", edited(t, pairs, "model", "merges"), true},
		{"no model type", edited(t, "", "model", "type"), true},
		{"split by the same rule", edited(t, split(splitGPT2), "pre_tokenizer"), true},
		{"split by another rule", edited(t, split(splitCL100K), "pre_tokenizer"), false},
		{"NFC", edited(t, object{"type": "NFC"}, "normalizer"), false},
		{"NFC in a sequence", edited(t, object{"type": "Sequence", "normalizers": []any{object{"type": "NFC"}}}, "normalizer"), false},
		{"added tokens as text", edited(t, []any{object{"id": 319, "content": "<|endoftext|>", "special": true}, object{"id": 400, "content": "12", "normalized": true}}, "added_tokens"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			tok, err := Load(strings.NewReader(c.file))
			if err != nil {
				t.Fatal(err)
			}
			if got := slices.Equal(tok.Encoder().Encode(nil, text), want.Encoder().Encode(nil, text)); got != c.same {
				t.Errorf("same ids: %v, want %v", got, c.same)
			}
			// What is written loads again as the same tokenizer.
			first := written(t, tok)
			again, err := Load(strings.NewReader(first))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(first, written(t, again)); diff != "" {
				t.Errorf("written, loaded and written again (-first +second):\n%s", diff)
			}
			if got := again.Encoder().Encode(nil, text); !slices.Equal(got, tok.Encoder().Encode(nil, text)) {
				t.Errorf("ids %v differ after writing and loading", got)
			}
		})
	}
}

func TestAddedTokens(t *testing.T) {
	file := edited(t, []any{
		object{"id": 319, "content": "<|endoftext|>", "special": true},
		object{"id": 400, "content": "  ", "normalized": true},
		object{"id": 401, "content": "   ", "normalized": true},
		object{"id": 402, "content": "ṡ", "normalized": true},
		object{"id": 403, "content": "s\u0307!", "normalized": false},
	}, "added_tokens")
	file = strings.Replace(file, `"normalizer":null`, `"normalizer":{"type":"NFC"}`, 1)
	tok, err := Load(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if tok.Vocab() != 324 {
		t.Errorf("Vocab() = %d, want 324", tok.Vocab())
	}
	for _, c := range []struct {
		name, text string
		want       []uint32
	}{
		{"longest first", "a     b", []uint32{'a', 321, 320, 'b'}},
		{"one space is a word's", "a b", []uint32{'a', ' ', 'b'}},
		{"on normalized text", "s\u0307", []uint32{322}},
		{"on raw text", "s\u0307!", []uint32{323}},
		{"not on raw text", "ṡ!", []uint32{322, '!'}},
		{"special", "<|endoftext|>", []uint32{319}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := tok.Encoder().Encode(nil, c.text); !slices.Equal(got, c.want) {
				t.Errorf("Encode(%q) = %v, want %v", c.text, got, c.want)
			}
		})
	}
}

func TestNoEOS(t *testing.T) {
	tok, err := Load(strings.NewReader(edited(t, []any{object{"id": 319, "content": "<|endoftext|>"}}, "added_tokens")))
	if err != nil {
		t.Fatal(err)
	}
	if eos, err := tok.EOS(); err != nil || eos != 319 {
		t.Errorf("EOS() = %d, %v, want 319", eos, err)
	}
	tok.added, tok.tokens = nil, tok.tokens[:319]
	if eos, err := tok.EOS(); err == nil || !strings.Contains(err.Error(), "<|endoftext|>") {
		t.Errorf("EOS() = %d, %v, want an error that names the token", eos, err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteJSONError(t *testing.T) {
	if err := tiny(t).WriteJSON(brokenWriter{}); err == nil || err.Error() != "bpe: write tokenizer.json: disk full" {
		t.Errorf("error %v, want the writer's", err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(readFile(f, "testdata/tiny.tokenizer.json")))
	f.Add([]byte(`{"model":{"vocab":{},"merges":[]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		tok, err := Load(bytes.NewReader(data))
		if err != nil {
			return
		}
		if _, err := tok.Decode(tok.Encoder().Encode(nil, "the ships é \x00")); err != nil {
			t.Errorf("a tokenizer that loads does not decode its own ids: %v", err)
		}
	})
}
