package bpe

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A reference encodes as the documentation of tokenizer.json reads, without a thought of speed: it
// shares nothing with Encoder but the table of merges.
type reference struct {
	t     *Tokenizer
	split patternSplit
}

func (r reference) encode(text string, specialAsText bool) (ids []uint32) {
	raw, normalized := map[string]uint32{}, map[string]uint32{}
	for _, a := range r.t.added {
		switch {
		case a.special && specialAsText:
		case a.normalized && r.t.nfc:
			normalized[norm.NFC.String(a.content)] = a.id
		case a.normalized:
			normalized[a.content] = a.id
		default:
			raw[a.content] = a.id
		}
	}
	for _, outer := range between(raw, text) {
		if outer.id != noID {
			ids = append(ids, outer.id)
			continue
		}
		stretch := outer.text
		if r.t.nfc {
			stretch = composePlain(stretch)
		}
		for _, inner := range between(normalized, stretch) {
			if inner.id != noID {
				ids = append(ids, inner.id)
				continue
			}
			for _, word := range r.split.words(inner.text) {
				ids = append(ids, naiveWord(r.t, word)...)
			}
		}
	}
	return ids
}

type piece struct {
	text string
	id   uint32 // noID: text between added tokens
}

func between(patterns map[string]uint32, text string) (out []piece) {
	at := 0
	for _, m := range naiveMatches(patterns, text) {
		out = append(out, piece{text[at:m.start], noID}, piece{text[m.start:m.end], m.id})
		at = m.end
	}
	return append(out, piece{text[at:], noID})
}

// FuzzEncode compares all small tokenizers, and the real ones where they are there, with the
// reference, and decodes.
func FuzzEncode(f *testing.F) {
	eachLine(f, "testdata/golden.jsonl", func(line []byte) {
		var c struct{ Text string }
		if err := json.Unmarshal(line, &c); err != nil {
			f.Fatal(err)
		}
		f.Add(c.Text)
	})
	type pair struct {
		name string
		e    *Encoder
		slow reference
	}
	var pairs []pair
	add := func(name string, tok *Tokenizer) {
		pairs = append(pairs, pair{name, tok.Encoder(), reference{tok, newPatternSplit(tok.split)}})
	}
	for _, name := range tinyNames {
		add(name, like(f, name))
	}
	for _, c := range goldenCases {
		if path, ok := sharedPath("tokenizers/" + c.file); ok {
			add(c.name, load(f, path))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<10 { // the reference is quadratic
			t.Skip("longer than the quadratic reference can take")
		}
		clean := strings.ToValidUTF8(text, "\uFFFD")
		for _, p := range pairs {
			for _, plain := range []bool{false, true} {
				p.e.SpecialAsText = plain
				got, want := p.e.Encode(nil, text), p.slow.encode(clean, plain)
				if !slices.Equal(got, want) {
					t.Fatalf("%s: Encode(%+q), special as text %v: %v, want %v", p.name, text, plain, got, want)
				}
				back, err := p.slow.t.Decode(got)
				if err != nil || !utf8.Valid(back) || !p.slow.t.nfc && string(back) != clean {
					t.Fatalf("%s: %+q comes back as %+q, %v", p.name, text, back, err)
				}
				// With NFC text may be composed in parts, on both sides of a token; composed again
				// the parts must give the whole.
				if composePlain(string(back)) != composePlain(clean) {
					t.Fatalf("%s: %+q comes back as %+q, another text", p.name, text, back)
				}
			}
		}
	})
}
