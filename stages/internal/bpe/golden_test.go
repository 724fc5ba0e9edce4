package bpe

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The tokenizers whose ids are compared with those of the reference library.
var goldenCases = []struct {
	name, file string
	pairs      []string
	docs       string
}{
	{"gpt2", "gpt2/tokenizer.json", []string{"golden/gpt2.jsonl", "golden/llamacpp-gpt2.jsonl"}, "golden/gpt2.docs.jsonl"},
	{"gpt-neox-20b", "gpt-neox-20b.tokenizer.json", []string{"golden/gpt-neox-20b.jsonl", "golden/llamacpp-gpt-neox.jsonl"}, "golden/gpt-neox-20b.docs.jsonl"},
	{"dolma-v1_5", "gpt-neox-olmo-dolma-v1_5.tokenizer.json", []string{"golden/gpt-neox-olmo-dolma-v1_5.jsonl"}, "golden/gpt-neox-olmo-dolma-v1_5.docs.jsonl"},
	{"dolma2", "dolma2.tokenizer.json", []string{"golden/dolma2.jsonl"}, "golden/dolma2.docs.jsonl"},
}

func TestGoldenPairs(t *testing.T) {
	for _, c := range goldenCases {
		t.Run(c.name, func(t *testing.T) {
			tok := load(t, shared(t, "tokenizers/"+c.file))
			e := tok.Encoder()
			for _, file := range c.pairs {
				n := 0
				eachLine(t, shared(t, "tokenizers/"+file), func(line []byte) {
					var p struct {
						Name, Text string
						IDs        []uint32
						Roundtrip  bool
					}
					if err := json.Unmarshal(line, &p); err != nil {
						t.Fatal(err)
					}
					n++
					for range 2 { // without and with the cache
						if got := e.Encode(nil, p.Text); !slices.Equal(got, p.IDs) {
							t.Errorf("%s %s: Encode(%.200q) = %v, want %v", file, p.Name, p.Text, got, p.IDs)
							break
						}
					}
					if p.Roundtrip {
						if got, err := tok.Decode(p.IDs); err != nil || string(got) != p.Text {
							t.Errorf("%s %s: Decode = %.200q, %v, want %.200q", file, p.Name, got, err, p.Text)
						}
					}
				})
				if n < 43 {
					t.Errorf("%s: %d pairs, want at least 43", file, n)
				}
			}
		})
	}
}

func TestGoldenDocuments(t *testing.T) {
	for _, c := range goldenCases {
		t.Run(c.name, func(t *testing.T) {
			e := load(t, shared(t, "tokenizers/"+c.file)).Encoder()
			type doc struct {
				ID     string
				Tokens int
				Sum    string `json:"sha256_u32le"`
			}
			want := map[string]doc{}
			eachLine(t, shared(t, "tokenizers/"+c.docs), func(line []byte) {
				var d doc
				if err := json.Unmarshal(line, &d); err != nil {
					t.Fatal(err)
				}
				want[d.ID] = d
			})
			files, err := filepath.Glob(filepath.Join(shared(t, "small"), "*.jsonl.gz"))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				eachLine(t, file, func(line []byte) {
					var d struct{ ID, Text string }
					if err := json.Unmarshal(line, &d); err != nil {
						t.Fatal(err)
					}
					w, ok := want[d.ID]
					if !ok {
						return
					}
					delete(want, d.ID)
					ids := e.Encode(nil, d.Text)
					var raw []byte
					for _, id := range ids {
						raw = binary.LittleEndian.AppendUint32(raw, id)
					}
					sum := sha256.Sum256(raw)
					if got := hex.EncodeToString(sum[:]); len(ids) != w.Tokens || got != w.Sum {
						t.Errorf("%s: %d tokens with SHA-256 %s, want %d with %s", d.ID, len(ids), got, w.Tokens, w.Sum)
					}
				})
			}
			for id := range want {
				t.Errorf("document %s is not in data/small", id)
			}
		})
	}
}

func eachLine(t testing.TB, path string, f func(line []byte)) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := bufio.NewScanner(bytes.NewReader(data))
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		s = bufio.NewScanner(z)
	}
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		f(s.Bytes())
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
}

// Added tokens have the ids that the reference library gives them, which are not always those of
// the file.
func TestAddedTokensAgainstReference(t *testing.T) {
	n := 0
	eachLine(t, "testdata/added.jsonl", func(line []byte) {
		var c struct {
			Name  string
			Vocab map[string]int
			Added []any
			Text  string
			IDs   []uint32
		}
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		n++
		t.Run(c.Name, func(t *testing.T) {
			file := edited(t, c.Added, "added_tokens")
			for token, id := range c.Vocab {
				file = strings.Replace(file, `"vocab":{`, fmt.Sprintf(`"vocab":{%q:%d,`, token, id), 1)
			}
			tok, err := Load(strings.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			if got := tok.Encoder().Encode(nil, c.Text); !slices.Equal(got, c.IDs) {
				t.Errorf("Encode(%q) = %v, the reference %v", c.Text, got, c.IDs)
			}
			again, err := Load(strings.NewReader(written(t, tok)))
			if err != nil {
				t.Fatal(err)
			}
			if got := again.Encoder().Encode(nil, c.Text); !slices.Equal(got, c.IDs) {
				t.Errorf("written and loaded: Encode(%q) = %v, the reference %v", c.Text, got, c.IDs)
			}
		})
	})
	if n < 30 {
		t.Errorf("%d cases", n)
	}
}
