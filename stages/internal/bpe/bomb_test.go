package bpe

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// endless gives the same text again and again.
type endless struct {
	text string
	n    int64
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text)
	e.n += int64(n)
	return n, nil
}

// A tokenizer.json is refused at a cost that its size bounds, and no more than a tokenizer takes is
// read of it.
func TestLoadBombs(t *testing.T) {
	const mb = 1 << 20
	model := func(vocab, merges string) string {
		return strings.Replace(edited(t, "MODEL", "model"), `"MODEL"`, `{"type":"BPE","vocab":{`+vocab+`},"merges":[`+merges+`]}`, 1)
	}
	var bytes256 strings.Builder
	for b := range 256 {
		fmt.Fprintf(&bytes256, "%q:%d,", string(byteChar[b]), b)
	}
	vocab := bytes256.String() + `"ab":256,"abc":257,"bc":258`
	for _, c := range []struct {
		name string
		file io.Reader
		want string
		most uint64 // bytes
	}{
		{"endless", &endless{text: strings.Repeat(" ", 1<<16)}, "tokenizer.json is larger than 67108864 bytes", 512 * mb},
		{"ids of a gigabyte", strings.NewReader(model(`"a":4294967295`, "")), "at most 1048575 is supported", 4 * mb},
		{"id beyond numbers", strings.NewReader(model(`"a":18446744073709551616`, "")), "model.vocab: want tokens, each with a whole number from 0 as its id, found number 18446744073709551616 in it", 4 * mb},
		{"lists in lists", strings.NewReader(strings.Repeat("[", 8*mb)), "depth", 64 * mb},
		{"normalizers in normalizers", strings.NewReader(`{"normalizer":` + strings.Repeat(`{"type":"Sequence","normalizers":[`, 4000)), "unexpected EOF", 64 * mb},
		{"merges without end", strings.NewReader(model(vocab, strings.Repeat(`"a b",`, mb)+`"a b"`)), "is there twice", 512 * mb},
		{"a merge of nothing", strings.NewReader(model(vocab, `"ab "`)), `no token ""`, 4 * mb},
		{"a merge of itself and nothing", strings.NewReader(model(vocab, `["","ab"]`)), `no token ""`, 4 * mb},
		{"a token of nothing", strings.NewReader(model(vocab+`,"":259`, `["","ab"]`)), "want a non-empty string", 4 * mb},
		{"a merge into what is not there", strings.NewReader(model(vocab, `"ab ab"`)), `no token "abab"`, 4 * mb},
		{"a long token", strings.NewReader(model(vocab+`,"`+strings.Repeat("a", 4*mb)+` ":259`, "")), "not in the byte-level alphabet", 128 * mb},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Load(c.file)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %.500v, want %q", err, c.want)
			}
			if err != nil && len(err.Error()) > 1000 {
				t.Errorf("a message of %d bytes: %.200v", len(err.Error()), err)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > c.most {
				t.Errorf("%d bytes were allocated, at most %d should be", used, c.most)
			}
		})
	}
	// Merges that build on later ones, and two into one token: every merge leaves one token less,
	// so that no order leads round in a circle.
	tok, err := Load(strings.NewReader(model(vocab, `"a bc","ab c","a b","b c"`)))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("abcabbcab", 1000)
	if got, err := tok.Decode(tok.Encoder().Encode(nil, text)); err != nil || string(got) != text {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
