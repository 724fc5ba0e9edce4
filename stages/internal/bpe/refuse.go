package bpe

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// refusals walks a tokenizer.json and notes, in the words of the file, what would change ids or
// text and is not here, and what a person can do about it. It never stops at the first: a file that
// has one such feature mostly has several.
type refusals struct {
	lines  []string
	change []string // beside each line
}

// add notes a refusal; change says what to do, and is empty where what is said before says it.
func (r *refusals) add(change, format string, args ...any) {
	r.lines, r.change = append(r.lines, fmt.Sprintf(format, args...)), append(r.change, change)
}

// mostRefusals is how many are written out; the others are mostly more of the same.
const mostRefusals = 12

func (r *refusals) err() error {
	if len(r.lines) == 0 {
		return nil
	}
	var out []string
	for i, line := range r.lines[:min(len(r.lines), mostRefusals)] {
		if r.change[i] != "" {
			line += ": " + r.change[i]
		}
		out = append(out, line)
	}
	if more := len(r.lines) - mostRefusals; more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	if len(out) == 1 {
		return errors.New(out[0])
	}
	return fmt.Errorf("%d things would encode other ids here than with the library that wrote the file:\n  %s", len(r.lines), strings.Join(out, "\n  "))
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// object reads an object's keys, and refuses those that are none of known. path is of the object,
// for messages.
func (r *refusals) object(raw json.RawMessage, path string, known ...string) map[string]json.RawMessage {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(raw, &keys); err != nil || keys == nil {
		r.add("", "%s: want an object, found %s", path, kindOf(raw))
		return nil
	}
	if unknown := slices.DeleteFunc(slices.Sorted(maps.Keys(keys)), func(k string) bool { return slices.Contains(known, k) }); len(known) > 0 && len(unknown) > 0 {
		r.add("ablate does not know what it means; remove it if it changes no ids", "%s: %s not supported", path, quotedList("key", unknown))
	}
	return keys
}

// inside is the path of a key.
func inside(path, key string) string {
	if path == whole {
		return key
	}
	return path + "." + key
}

// whole is the path of the outermost object.
const whole = "the file"

// valueOf reads a key of an object as a T; a key that is absent or null is T's zero value. want
// says what T is.
func valueOf[T any](r *refusals, keys map[string]json.RawMessage, path, key, want string) T {
	var v T
	raw := keys[key]
	if isNull(raw) {
		return v
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		first := ""
		switch reflect.TypeFor[T]().Kind() {
		case reflect.Map:
			first = "{"
		case reflect.Slice:
			first = "["
		}
		r.add("", "%s: %s", inside(path, key), inWords(err, want, raw, first))
		var zero T
		return zero
	}
	return v
}

// inWords is a mistake of a value without the types of Go. first is the sign that an object or a
// list begins with where one is wanted.
func inWords(err error, want string, raw json.RawMessage, first string) string {
	var wrong *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &wrong):
		return err.Error() // of filePair, in words already
	case first != "" && strings.HasPrefix(string(raw), first):
		return fmt.Sprintf("want %s, found %s in it", want, cmp.Or(map[string]string{"array": "a list", "object": "an object", "string": "a text", "bool": "true or false"}[wrong.Value], wrong.Value))
	}
	return fmt.Sprintf("want %s, found %s", want, kindOf(raw))
}

// kindOf says what a value of JSON is, a short one as it is.
func kindOf(raw json.RawMessage) string {
	const short = 40
	switch text := string(raw); {
	case text == "":
		return "nothing"
	case text[0] == '{':
		return "an object"
	case text[0] == '[':
		return "a list"
	case len(text) > short:
		return text[:short] + "..."
	default:
		return text
	}
}

func (r *refusals) flag(keys map[string]json.RawMessage, path, key string) bool {
	return valueOf[bool](r, keys, path, key, "true or false")
}

func (r *refusals) text(keys map[string]json.RawMessage, path, key string) string {
	return valueOf[string](r, keys, path, key, "text")
}

// file reads all of a tokenizer.json. A model that is no BPE makes the rest of no interest.
func (r *refusals) file(raw json.RawMessage) file {
	var f file
	keys := r.object(raw, whole, "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model")
	if keys == nil {
		return f
	}
	if isNull(keys["model"]) {
		r.add("it has no model, and is perhaps a tokenizer_config.json; want the tokenizer.json beside it", "this is no tokenizer.json")
		return f
	}
	var typ struct {
		Type string `json:"type"` // files before version 0.9 of the reference library leave it out
	}
	if err := json.Unmarshal(keys["model"], &typ); err == nil && typ.Type != "BPE" && typ.Type != "" {
		*r = refusals{}
		r.add("want a byte-level BPE, as those of GPT-2, GPT-NeoX and OLMo, or train one (tokenizer.train)", "model type %.80q is not supported", typ.Type)
		return f
	}
	if v := r.text(keys, whole, "version"); v != "" && v != "1.0" {
		r.add("want 1.0, which versions of the tokenizers library up to 0.23 write", "version %.80s is not supported", v)
	}
	if !isNull(keys["truncation"]) {
		r.add("set it to null; documents are trained and evaluated on whole", "truncation is not supported")
	}
	if !isNull(keys["padding"]) {
		r.add("set it to null; no sequence is padded", "padding is not supported")
	}
	f.model = r.model(keys["model"])
	f.nfc = r.normalizer(keys["normalizer"], "normalizer")
	f.split = r.preTokenizer(keys["pre_tokenizer"], 0)
	if p := keys["post_processor"]; !isNull(p) && r.typeOf(p, "post_processor") != "ByteLevel" {
		r.add("set it to null or to ByteLevel; documents end with "+endOfText+", and no other token is put in", "post_processor %s is not supported", r.typeOf(p, "post_processor"))
	}
	if d := keys["decoder"]; isNull(d) {
		r.add(`set it to {"type": "ByteLevel"} if the vocabulary is spelled in GPT-2's alphabet of bytes`, "decoder null is not supported")
	} else if r.typeOf(d, "decoder") != "ByteLevel" {
		r.add("want ByteLevel, whose vocabulary is spelled in GPT-2's alphabet of bytes", "decoder %s is not supported", r.typeOf(d, "decoder"))
	}
	f.added = r.addedTokens(keys)
	return f
}

func (r *refusals) model(raw json.RawMessage) fileModel {
	const path = "model"
	keys := r.object(raw, path, "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges")
	r.text(keys, path, "type")
	r.text(keys, path, "unk_token") // without effect: every byte has a token
	r.flag(keys, path, "fuse_unk")
	if valueOf[float64](r, keys, path, "dropout", "a number") != 0 {
		r.add("set it to null; with it one text has other ids each time", "model.dropout is not supported")
	}
	for _, key := range []string{"continuing_subword_prefix", "end_of_word_suffix"} {
		if r.text(keys, path, key) != "" {
			r.add("its tokens are not spelled as a byte-level BPE's; take or train another tokenizer", "model.%s is not supported", key)
		}
	}
	if r.flag(keys, path, "byte_fallback") {
		r.add("set it to false if the vocabulary has a token for every byte, as a byte-level BPE's has", "model.byte_fallback is not supported")
	}
	if r.flag(keys, path, "ignore_merges") {
		r.add("words that are tokens would be taken before merges; with false some ids differ from those of the library", "model.ignore_merges is not supported")
	}
	return fileModel{
		vocab:  valueOf[map[string]uint32](r, keys, path, "vocab", "tokens, each with a whole number from 0 as its id"),
		merges: valueOf[[]filePair](r, keys, path, "merges", "a list of merges"),
	}
}

// deepest bounds sequences in sequences, each of which is read anew.
const deepest = 8

// typeOf is the type of a normalizer, pre-tokenizer, post-processor or decoder, with the types in a
// sequence.
func (r *refusals) typeOf(raw json.RawMessage, path string) string {
	if isNull(raw) {
		return "null"
	}
	keys := map[string]json.RawMessage{}
	if json.Unmarshal(raw, &keys) != nil {
		return kindOf(raw)
	}
	var typ string
	if json.Unmarshal(keys["type"], &typ) != nil || typ == "" {
		return "without a type"
	}
	for _, key := range []string{"normalizers", "pretokenizers", "processors", "decoders"} {
		var parts []struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(keys[key], &parts) == nil && len(parts) > 0 {
			names := make([]string, len(parts))
			for i, p := range parts {
				names[i] = p.Type
			}
			return typ + " of " + strings.Join(names, ", ")
		}
	}
	return fmt.Sprintf("%.80s", typ)
}

// normalizer reports whether text is brought to NFC.
func (r *refusals) normalizer(raw json.RawMessage, path string) bool {
	if isNull(raw) {
		return false
	}
	keys := r.object(raw, path)
	switch typ := r.text(keys, path, "type"); typ {
	case "NFC":
		r.object(raw, path, "type")
		return true
	case "Sequence":
		if strings.Count(path, ".") > 2*deepest {
			r.add("", "normalizer: sequences in sequences, more than %d deep", deepest)
			return false
		}
		r.object(raw, path, "type", "normalizers")
		any := false
		for i, part := range valueOf[[]json.RawMessage](r, keys, path, "normalizers", "a list") {
			any = r.normalizer(part, fmt.Sprintf("%s.normalizers.%d", path, i)) || any
		}
		return any
	default:
		if keys != nil {
			r.add("want NFC or null; change the text of the corpora beforehand if it must be changed", "%s %s is not supported", path, r.typeOf(raw, path))
		}
	}
	return false
}

// preTokenizer is the rule that cuts text into words; nil where it was refused.
func (r *refusals) preTokenizer(raw json.RawMessage, depth int) *splitRule {
	const path = "pre_tokenizer"
	const want = "want ByteLevel, or Split followed by ByteLevel with use_regex false"
	if isNull(raw) {
		r.add(want, "pre_tokenizer null is not supported")
		return nil
	}
	keys := r.object(raw, path)
	switch typ := r.text(keys, path, "type"); typ {
	case "ByteLevel":
		if !r.byteLevel(raw, path) {
			r.add("set it to true, or put a Split before", "pre_tokenizer ByteLevel without a split: use_regex false is not supported alone")
		}
		return splitGPT2
	case "Sequence":
		r.object(raw, path, "type", "pretokenizers")
		parts := valueOf[[]json.RawMessage](r, keys, path, "pretokenizers", "a list")
		if len(parts) == 1 && depth < deepest {
			return r.preTokenizer(parts[0], depth+1)
		}
		if len(parts) == 2 && r.typeOf(parts[0], path) == "Split" && r.typeOf(parts[1], path) == "ByteLevel" {
			if r.byteLevel(parts[1], path+".pretokenizers.1") {
				r.add("set it to false; text would be split twice", "pre_tokenizer ByteLevel behind a Split: use_regex true is not supported")
			}
			return r.splitting(parts[0], path+".pretokenizers.0")
		}
	}
	if keys != nil {
		r.add(want, "pre_tokenizer %s is not supported", r.typeOf(raw, path))
	}
	return nil
}

// byteLevel reports whether a ByteLevel splits text, too; files that do not say so do.
func (r *refusals) byteLevel(raw json.RawMessage, path string) (splits bool) {
	keys := r.object(raw, path, "type", "add_prefix_space", "trim_offsets", "use_regex")
	r.flag(keys, path, "trim_offsets") // changes no ids
	if r.flag(keys, path, "add_prefix_space") {
		r.add("set it to false; the first word of each document would have another id", "pre_tokenizer ByteLevel: add_prefix_space is not supported")
	}
	return isNull(keys["use_regex"]) || r.flag(keys, path, "use_regex")
}

func (r *refusals) splitting(raw json.RawMessage, path string) *splitRule {
	keys := r.object(raw, path, "type", "pattern", "behavior", "invert")
	behavior, invert := r.text(keys, path, "behavior"), r.flag(keys, path, "invert")
	if behavior != "Isolated" && (behavior != "Removed" || !invert) {
		// Both patterns cover all text, so "the matches, isolated" and "remove what is not a match"
		// come to the same.
		r.add("want Isolated, or Removed with invert true", "pre_tokenizer Split: behavior %.80s with invert %v is not supported", behavior, invert)
	}
	pattern := valueOf[map[string]string](r, keys, path, "pattern", "an object with the key Regex")
	for _, rule := range []*splitRule{splitGPT2, splitCL100K} {
		if pattern["Regex"] == rule.pattern {
			return rule
		}
	}
	r.add("want that of GPT-2 or of cl100k, letter by letter", "pre_tokenizer Split: pattern %.80q is not supported", pattern["Regex"]+pattern["String"])
	return nil
}

// addedTokens reads the tokens that are matched as text. A feature that several of them have is
// refused once.
func (r *refusals) addedTokens(keys map[string]json.RawMessage) []fileAdded {
	var out []fileAdded
	having := map[string][]string{} // feature -> tokens
	flags := []string{"single_word", "lstrip", "rstrip"}
	for i, raw := range valueOf[[]json.RawMessage](r, keys, whole, "added_tokens", "a list of objects") {
		path := fmt.Sprintf("added_tokens.%d", i)
		a := r.object(raw, path, append([]string{"id", "content", "normalized", "special"}, flags...)...)
		content := r.text(a, path, "content")
		valueOf[uint32](r, a, path, "id", "a whole number from 0")
		for _, flag := range flags {
			if r.flag(a, path, flag) {
				having[flag] = append(having[flag], content)
			}
		}
		out = append(out, fileAdded{content, r.flag(a, path, "normalized"), r.flag(a, path, "special")})
	}
	for _, flag := range flags {
		if tokens := having[flag]; len(tokens) > 0 {
			r.add("set it to false if the token stands in no text", "%s: %s not supported", quotedTokens(tokens), flag+" is")
		}
	}
	return out
}

// quotedList is a noun with some words, and the verb that follows.
func quotedList(noun string, list []string) string {
	if len(list) == 1 {
		return fmt.Sprintf("%s %.80q is", noun, list[0])
	}
	return noun + "s " + quotedSome(list) + " are"
}

func quotedTokens(list []string) string {
	if len(list) == 1 {
		return fmt.Sprintf("added token %.80q", list[0])
	}
	return "added tokens " + quotedSome(list)
}

// quotedSome writes the first of some words and counts the others.
func quotedSome(list []string) string {
	const most = 3
	var out []string
	for _, w := range list[:min(len(list), most)] {
		out = append(out, fmt.Sprintf("%.40q", w))
	}
	text := strings.Join(out, ", ")
	if more := len(list) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
