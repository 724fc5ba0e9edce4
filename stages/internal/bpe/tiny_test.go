package bpe

import (
	"encoding/json"
	"slices"
	"testing"
)

// The tokenizers in testdata are small ones with the features of those that are in use: all have
// the merges that TestTrainGolden trains.
var tinyNames = []string{"tiny", "neox", "cl100k"}

// like returns the tiny tokenizer with the features of GPT-NeoX-20B or of dolma2.
func like(t testing.TB, name string) *Tokenizer {
	tok := *tiny(t)
	add := func(content string, special, normalized bool) {
		id := uint32(len(tok.tokens))
		tok.tokens = append(tok.tokens, token{content: content})
		tok.added = append(tok.added, added{id, content, normalized, special})
	}
	switch name {
	case "neox":
		tok.nfc = true
		add("<|padding|>", true, false)
		for _, spaces := range []string{"      ", "     ", "    ", "   ", "  "} {
			add(spaces, false, true)
		}
		add("|||EMAIL_ADDRESS|||", false, true)
	case "cl100k":
		tok.split = splitCL100K
		add("<|padding|>", true, false)
		add("|||EMAIL_ADDRESS|||", false, false)
	}
	if err := tok.build(); err != nil {
		t.Fatal(err)
	}
	return &tok
}

func TestTinyFiles(t *testing.T) {
	for _, name := range tinyNames[1:] {
		checkFile(t, "testdata/"+name+".tokenizer.json", like(t, name))
	}
}

// The ids and the texts that come back were computed by the reference library from the files, see
// testdata/golden.py.
func TestTinyGolden(t *testing.T) {
	for _, name := range tinyNames {
		t.Run(name, func(t *testing.T) {
			tok := load(t, "testdata/"+name+".tokenizer.json")
			e := tok.Encoder()
			n := 0
			eachLine(t, "testdata/golden.jsonl", func(line []byte) {
				var text struct{ Text string }
				want := map[string]json.RawMessage{}
				var c struct {
					IDs  []uint32
					Text string
				}
				for _, err := range []error{json.Unmarshal(line, &text), json.Unmarshal(line, &want), json.Unmarshal(want[name], &c)} {
					if err != nil {
						t.Fatal(err)
					}
				}
				n++
				for range 2 { // without and with the cache
					if got := e.Encode(nil, text.Text); !slices.Equal(got, c.IDs) {
						t.Errorf("Encode(%+q) = %v, want %v", text.Text, got, c.IDs)
					}
				}
				if got, err := tok.Decode(c.IDs); err != nil || string(got) != c.Text {
					t.Errorf("Decode(%v) = %+q, %v, want %+q", c.IDs, got, err, c.Text)
				}
			})
			if n < 100 {
				t.Errorf("%d cases, want at least 100", n)
			}
		})
	}
}
