package bpe

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func tiny(t testing.TB) *Tokenizer { return load(t, "testdata/tiny.tokenizer.json") }

func TestSpecialTokens(t *testing.T) {
	tok := tiny(t)
	eos, err := tok.EOS()
	if err != nil {
		t.Fatal(err)
	}
	e := tok.Encoder()
	const text = "the<|endoftext|>ships <|endoftext|"
	got := e.Encode(nil, text)
	if n := slices.Index(got, eos); n < 1 || slices.Contains(got[n+1:], eos) {
		t.Errorf("Encode(%q) = %v, want %d once inside", text, got, eos)
	}
	e.SpecialAsText = true
	plain := e.Encode(nil, text)
	if slices.Contains(plain, eos) {
		t.Errorf("SpecialAsText: Encode(%q) = %v, want no %d", text, plain, eos)
	}
	for _, ids := range [][]uint32{got, plain} {
		if b, err := tok.Decode(ids); err != nil || string(b) != text {
			t.Errorf("Decode(%v) = %q, %v, want %q", ids, b, err, text)
		}
	}
	if got := e.Encode([]uint32{7}, "the"); got[0] != 7 {
		t.Errorf("Encode does not append: %v", got)
	}
}

func TestInvalidUTF8(t *testing.T) {
	tok := tiny(t)
	got := tok.Encoder().Encode(nil, "a\xff\xfeb")
	if b, err := tok.Decode(got); err != nil || string(b) != "a\uFFFDb" {
		t.Errorf("Decode = %q, %v, want U+FFFD for the invalid bytes", b, err)
	}
}

func TestDecodeErrors(t *testing.T) {
	tok := tiny(t)
	hole := *tok
	hole.tokens = slices.Clone(tok.tokens)
	hole.tokens[5] = token{}
	for _, c := range []struct {
		name string
		tok  *Tokenizer
		ids  []uint32
		want string
	}{
		{"too large", tok, []uint32{1, 320}, "bpe: decode: id 320 at position 1: the vocabulary has 320 ids"},
		{"largest", tok, []uint32{noID}, "bpe: decode: id 4294967295 at position 0: the vocabulary has 320 ids"},
		{"unused", &hole, []uint32{5}, "bpe: decode: id 5 at position 0: no token has this id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := c.tok.Decode(c.ids); err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// naiveWord applies the lowest rank, leftmost first, until no merge is left.
func naiveWord(t *Tokenizer, word string) []uint32 {
	var ids []uint32
	for i := range len(word) {
		ids = append(ids, t.byteID[word[i]])
	}
	for {
		best, at := noRank, 0
		for i := 1; i < len(ids); i++ {
			if r, _ := t.pairs.find(ids[i-1], ids[i]); r < best {
				best, at = r, i
			}
		}
		if best == noRank {
			return ids
		}
		ids[at-1] = t.merges[best].id
		ids = slices.Delete(ids, at, at+1)
	}
}

func TestMergesAgainstNaive(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	tok := train(t, TrainOptions{Vocab: 400, MinFrequency: 1}, readFile(t, "testdata/train.txt"), strings.Repeat("a", 100), "ababababbabab abbbaaba")
	pieces := []string{"a", "b", "ab", "the", "count", "ship", "é", "т", "灯", "x"}
	e := tok.Encoder()
	for n := range 400 {
		var b strings.Builder
		for b.Len() < n/2 || b.Len() == 0 {
			b.WriteString(pieces[rng.IntN(1+n%len(pieces))])
		}
		word := b.String()
		want := naiveWord(tok, word)
		if len(word) < shortWord {
			if got := e.mergeShort(nil, word); !slices.Equal(got, want) {
				t.Errorf("mergeShort(%q) = %v, want %v", word, got, want)
			}
		}
		if got := e.mergeLong(nil, word); !slices.Equal(got, want) {
			t.Errorf("mergeLong(%q) = %v, want %v", word, got, want)
		}
		for range 2 {
			if got := e.word(nil, word, 0, len(word)); !slices.Equal(got, want) {
				t.Errorf("word(%q) = %v, want %v", word, got, want)
			}
		}
	}
}

// A word of one letter is the worst case of a scan for the best merge. The work of the heap must
// grow as n log n: counted, not timed.
func TestLongWordOperations(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	random := make([]byte, 1<<20)
	for i := range random {
		random[i] = "etaoinshr"[rng.IntN(9)]
	}
	for _, c := range []struct {
		name, text string
		rule       *splitRule
	}{
		{"one letter", strings.Repeat("a", 1<<20), splitGPT2},
		{"spaces", strings.Repeat(" ", 1<<20), splitCL100K},
		{"line ends", strings.Repeat("\n", 1<<20), splitCL100K},
		{"emoji", strings.Repeat("😀", 1<<18), splitGPT2},
		{"random letters", string(random), splitGPT2},
		{"two letters", strings.Repeat("ab", 1<<19), splitGPT2},
	} {
		t.Run(c.name, func(t *testing.T) {
			const short = 1 << 12
			tok := train(t, TrainOptions{Vocab: 300}, c.text[:short])
			tok.split = c.rule
			e := tok.Encoder()
			var perByte [2]float64
			for i, text := range []string{c.text[:short], c.text} {
				e.long.ops = 0
				ids := e.Encode(nil, text)
				if got, err := tok.Decode(ids); err != nil || string(got) != text {
					t.Fatalf("%d bytes come back as %d, %v", len(text), len(got), err)
				}
				if e.long.ops == 0 {
					t.Fatal("no operations counted")
				}
				perByte[i] = float64(e.long.ops) / float64(len(text))
			}
			// log2 grows from 12 to 20; a quadratic scan would grow 256-fold.
			if ratio := perByte[1] / perByte[0]; ratio > 20.0/12*1.5 {
				t.Errorf("operations per byte grow from %.1f to %.1f, want at most as the logarithm", perByte[0], perByte[1])
			}
		})
	}
}

// One encoder for many texts gives what a new one for each gives: the cache is invisible.
func TestCacheIsInvisible(t *testing.T) {
	tok := tiny(t)
	shared := tok.Encoder()
	rng := rand.New(rand.NewPCG(9, 10))
	for range 300 {
		b := make([]byte, rng.IntN(40))
		for i := range b {
			b[i] = "the coun12.\n\x00"[rng.IntN(13)]
		}
		if got, want := shared.Encode(nil, string(b)), tok.Encoder().Encode(nil, string(b)); !slices.Equal(got, want) {
			t.Fatalf("Encode(%q) = %v with a used cache, %v with a new one", b, got, want)
		}
	}
}

func TestPack(t *testing.T) {
	text := "0123456789abcdefghijklmnopqrstuvwxyz"
	seen := map[[2]uint64]string{}
	for i := range len(text) {
		for n := 1; n <= 15 && i+n <= len(text); n++ {
			lo, hi := pack(text, i, n)
			// The same word at the very end of a string takes the other way.
			if lo2, hi2 := pack(text[i:i+n], 0, n); lo != lo2 || hi != hi2 {
				t.Errorf("%q packs to %x %x inside a text, %x %x alone", text[i:i+n], lo, hi, lo2, hi2)
			}
			if other, ok := seen[[2]uint64{lo, hi}]; ok {
				t.Errorf("%q and %q pack alike", other, text[i:i+n])
			}
			seen[[2]uint64{lo, hi}] = text[i : i+n]
		}
	}
	if lo, hi := pack("a\x00", 0, 2); lo != 'a' || hi != 2<<56 {
		t.Errorf("a NUL byte packs to %x %x", lo, hi)
	}
}

func TestNFC(t *testing.T) {
	marks := strings.Repeat("\u0301", 40)
	for _, c := range []struct{ name, text, want string }{
		{"ascii", "abc", "abc"},
		{"latin", "café", "café"},
		{"decomposed", "cafe\u0301", "café"},
		{"singleton", "\u212b", "Å"},
		{"excluded from composition", "\u0958", "\u0915\u093c"},
		{"hangul", "\u1112\u1161\u11ab", "한"},
		{"reordered", "a\u0301\u0327", "\u00e1\u0327"},
		{"more than 30 marks are not broken up", "e" + marks, "é" + marks[2:]},
		{"the same, to be reordered", "q" + marks + "\u0327", "q\u0327" + marks},
		{"a mark younger than the reference stays", "e\u0323\u08d3\u0301", "ẹ\u08d3\u0301"},
		{"and parts what is to be ordered", "q\u0301\u0323\u0eba\u0301\u0323", "q\u0323\u0301\u0eba\u0323\u0301"},
		{"and is not ordered", "q\u0301\U0001e4ee", "q\u0301\U0001e4ee"},
		{"younger composition", "\U00011935\U00011930", "\U00011935\U00011930"},
		{"younger composed", "\U00011938", "\U00011938"},
		{"a joiner of the text's own", "e\u034f" + marks, "e\u034f" + marks},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := nfc(c.text); got != c.want {
				t.Errorf("nfc(%+q) = %+q, want %+q", c.text, got, c.want)
			}
			if got := composePlain(c.text); got != c.want {
				t.Errorf("composePlain(%+q) = %+q, want %+q", c.text, got, c.want)
			}
		})
	}
}

func TestComposeAgainstLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	pool := []rune("aeEoUqsßΑωЯ\u0300\u0301\u0302\u0308\u0323\u0327\u0328\u0338\u0345\u05b0\u05bc\u0915\u093c\u09c7\u09be\u0dd9\u0dcf\u0dca\u1100\u1161\u11a8\u11a7가한\u0f71\u0f72\u212b\u2126\u0344\ufb1d\u1e69")
	for range 20000 {
		s := make([]rune, 1+rng.IntN(8))
		for i := range s {
			s[i] = pool[rng.IntN(len(pool))]
		}
		if got, want := composePlain(string(s)), norm.NFC.String(string(s)); got != want {
			t.Fatalf("composePlain(%+q) = %+q, want %+q", string(s), got, want)
		}
	}
}
