package bpe

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// WriteJSON writes a tokenizer.json that the Hugging Face library loads and that encodes the same
// there. Equal tokenizers give equal bytes.
func (t *Tokenizer) WriteJSON(w io.Writer) error {
	b := bufio.NewWriter(w)
	p := func(format string, args ...any) { fmt.Fprintf(b, format, args...) } // bufio keeps the first error for Flush

	p("{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n  \"added_tokens\": [")
	for i, a := range t.added {
		p("%s\n    {\"id\": %d, \"content\": %s, \"single_word\": false, \"lstrip\": false, \"rstrip\": false, \"normalized\": %v, \"special\": %v}",
			comma(i), a.id, quote(a.content), a.normalized, a.special)
	}
	p("\n  ],\n")
	byteLevel := func(regex bool) string {
		return fmt.Sprintf(`{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": %v}`, regex)
	}
	if t.nfc {
		p("  \"normalizer\": {\"type\": \"NFC\"},\n")
	} else {
		p("  \"normalizer\": null,\n")
	}
	if t.split == splitGPT2 {
		p("  \"pre_tokenizer\": %s,\n", byteLevel(true))
	} else {
		p("  \"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Split\", \"pattern\": {\"Regex\": %s}, \"behavior\": \"Removed\", \"invert\": true}, %s]},\n",
			quote(t.split.pattern), byteLevel(false))
	}
	p("  \"post_processor\": null,\n  \"decoder\": %s,\n", byteLevel(true))
	p("  \"model\": {\n    \"type\": \"BPE\",\n    \"dropout\": null,\n    \"unk_token\": null,\n    \"continuing_subword_prefix\": null,\n    \"end_of_word_suffix\": null,\n")
	p("    \"fuse_unk\": false,\n    \"byte_fallback\": false,\n    \"vocab\": {")
	n := 0
	for id, tok := range t.tokens {
		if tok.inModel {
			p("%s\n      %s: %d", comma(n), quote(tok.content), id)
			n++
		}
	}
	p("\n    },\n    \"merges\": [")
	for i, m := range t.merges {
		p("%s\n      %s", comma(i), quote(t.tokens[m.left].content+" "+t.tokens[m.right].content))
	}
	p("\n    ]\n  }\n}\n")
	if err := b.Flush(); err != nil {
		return fmt.Errorf("bpe: write tokenizer.json: %w", err)
	}
	return nil
}

func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

// quote writes a JSON string without the escapes meant for HTML.
func quote(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic("internal error: a string has no JSON form: " + err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}
