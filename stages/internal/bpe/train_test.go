package bpe

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files of this package anew")

func train(t testing.TB, opt TrainOptions, texts ...string) *Tokenizer {
	t.Helper()
	tr := NewTrainer(opt)
	for _, s := range texts {
		tr.Add(s)
	}
	tok, err := tr.Train()
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func written(t testing.TB, tok *Tokenizer) string {
	t.Helper()
	var b bytes.Buffer
	if err := tok.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The trained file is golden: a change of the trainer changes every key that depends on a trained
// tokenizer.
func TestTrainGolden(t *testing.T) {
	checkFile(t, "testdata/tiny.tokenizer.json", train(t, TrainOptions{Vocab: 320}, readFile(t, "testdata/train.txt")))
}

func checkFile(t *testing.T, file string, tok *Tokenizer) {
	t.Helper()
	got := written(t, tok)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(readFile(t, file), got); diff != "" {
		t.Errorf("the tokenizer differs from %s (-want +got):\n%s", file, diff)
	}
}

func TestTrainOrderOfAdd(t *testing.T) {
	texts := strings.SplitAfter(readFile(t, "testdata/train.txt"), "\n\n")
	want := written(t, train(t, TrainOptions{Vocab: 320}, texts...))
	rng := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		rng.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
		if got := written(t, train(t, TrainOptions{Vocab: 320}, texts...)); got != want {
			t.Fatal("another order of Add calls gives another tokenizer")
		}
	}
}

// naiveMerges trains by counting all pairs anew for each merge.
func naiveMerges(words map[string]int64, n int, least int64) (merges []merge) {
	split := map[string][]uint32{}
	for w := range words {
		for i := range len(w) {
			split[w] = append(split[w], uint32(w[i]))
		}
	}
	for len(merges) < n {
		counts := map[merge]int64{}
		for w, ids := range split {
			for i := 1; i < len(ids); i++ {
				counts[merge{left: ids[i-1], right: ids[i]}] += words[w]
			}
		}
		best, most := merge{}, int64(0)
		for m, c := range counts {
			if c > most || c == most && (m.left < best.left || m.left == best.left && m.right < best.right) {
				best, most = m, c
			}
		}
		if most < least {
			break
		}
		best.id = uint32(256 + len(merges))
		merges = append(merges, best)
		for w, ids := range split {
			for i := 0; i+1 < len(ids); i++ {
				if ids[i] == best.left && ids[i+1] == best.right {
					ids[i] = best.id
					ids = slices.Delete(ids, i+1, i+2)
				}
			}
			split[w] = ids
		}
	}
	return merges
}

func TestTrainAgainstNaive(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	cases := map[string]string{"text": readFile(t, "testdata/train.txt"), "one letter": "aaaa aaaaaaa aa aaaaa", "empty": ""}
	for _, alphabet := range []string{"ab", "abc ", "é \n", "ab, 1"} {
		var b strings.Builder
		runes := []rune(alphabet)
		for range 400 {
			b.WriteRune(runes[rng.IntN(len(runes))])
		}
		cases["random "+alphabet] = b.String()
	}
	for name, text := range cases {
		for _, least := range []int{1, 2, 7} {
			tr := NewTrainer(TrainOptions{Vocab: 257 + 60, MinFrequency: least})
			tr.Add(text)
			tok, err := tr.Train()
			if err != nil {
				t.Fatal(err)
			}
			if want := naiveMerges(tr.words, 60, int64(least)); !slices.Equal(tok.merges, want) {
				t.Errorf("%q, min frequency %d: merges %v, want %v", name, least, tok.merges, want)
			}
			if eos, err := tok.EOS(); err != nil || int(eos) != tok.Vocab()-1 || tok.Vocab() != 257+len(tok.merges) {
				t.Errorf("%q: EOS %d, %v with %d ids and %d merges: want the last id", name, eos, err, tok.Vocab(), len(tok.merges))
			}
		}
	}
}

func TestTrainLongWord(t *testing.T) {
	long := strings.Repeat("a", 1000)
	tr := NewTrainer(TrainOptions{Vocab: 300})
	tr.Add(long)
	want := map[string]int64{long[:256]: 3, long[:1000-3*256]: 1}
	if diff := cmp.Diff(want, tr.words); diff != "" {
		t.Errorf("pieces of a long word (-want +got):\n%s", diff)
	}
}

func TestTrainErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		opt  TrainOptions
		want string
	}{
		{"no room for the end token", TrainOptions{Vocab: 256}, "bpe: train: vocab 256: want 257"},
		{"zero", TrainOptions{}, "bpe: train: vocab 0: want 257"},
		{"negative frequency", TrainOptions{Vocab: 300, MinFrequency: -1}, "bpe: train: min frequency -1: want at least 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := NewTrainer(c.opt).Train(); err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	if tok := train(t, TrainOptions{Vocab: 257}, "aa aa aa"); tok.Vocab() != 257 || len(tok.merges) != 0 {
		t.Errorf("vocab 257: %d ids and %d merges, want bytes and the end token", tok.Vocab(), len(tok.merges))
	}
}
