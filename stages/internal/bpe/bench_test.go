//go:build unix

package bpe

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// goSource returns about n bytes of the standard library's source.
func goSource(tb testing.TB, n int) []string {
	tb.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		tb.Skipf("go env GOROOT: %v: put go on the PATH", err)
	}
	root := strings.TrimSpace(string(out))
	var texts []string
	err = filepath.WalkDir(filepath.Join(root, "src"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.Contains(path, "testdata") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		texts = append(texts, string(data))
		if n -= len(data); n <= 0 {
			return fs.SkipAll
		}
		return nil
	})
	if err != nil || len(texts) == 0 {
		tb.Skipf("no Go source below %q: %v", root, err)
	}
	return texts
}

func smallCorpus(tb testing.TB, file string) []string {
	tb.Helper()
	var texts []string
	eachLine(tb, shared(tb, "small/"+file), func(line []byte) {
		var d struct{ Text string }
		if err := json.Unmarshal(line, &d); err != nil {
			tb.Fatal(err)
		}
		texts = append(texts, d.Text)
	})
	return texts
}

// processorTime is what this process has used: it means the same on a busy machine.
func processorTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkEncode encodes whole corpora on one core, with a cache that has seen the corpus before
// (warm) or has not.
func BenchmarkEncode(b *testing.B) {
	for _, tok := range goldenCases {
		t := load(b, shared(b, "tokenizers/"+tok.file))
		for _, c := range []struct {
			name  string
			texts func() []string
		}{
			{"go", func() []string { return goSource(b, 8<<20) }},
			{"books", func() []string { return smallCorpus(b, "books.jsonl.gz") }},
			{"arxiv", func() []string { return smallCorpus(b, "arxiv-abstracts.jsonl.gz") }},
		} {
			for _, warm := range []bool{false, true} {
				name := tok.name + "/" + c.name + "/cold"
				if warm {
					name = tok.name + "/" + c.name + "/warm"
				}
				b.Run(name, func(b *testing.B) {
					texts := c.texts()
					e := t.Encoder()
					bytes, tokens := 0, 0
					var ids []uint32
					for _, s := range texts {
						bytes += len(s)
						ids = e.Encode(ids[:0], s)
						tokens += len(ids)
					}
					b.SetBytes(int64(bytes))
					start := processorTime(b)
					for b.Loop() {
						if !warm {
							e = t.Encoder()
						}
						for _, s := range texts {
							ids = e.Encode(ids[:0], s)
						}
					}
					b.ReportMetric(float64(bytes)*float64(b.N)/(processorTime(b)-start).Seconds()/1e6, "MB/cpu-s")
					b.ReportMetric(float64(bytes)/float64(tokens), "B/token")
				})
			}
		}
	}
}

// BenchmarkHostile encodes texts that a slow method would choke on; ns/B may grow with the length
// as its logarithm.
func BenchmarkHostile(b *testing.B) {
	random := func(n int) string {
		rng := rand.New(rand.NewPCG(1, 2))
		text := make([]byte, n)
		for i := range text {
			text[i] = byte('a' + rng.IntN(26))
		}
		return string(text)
	}
	of := func(s string) func(int) string { return func(n int) string { return strings.Repeat(s, n/len(s)) } }
	for _, tok := range goldenCases {
		t := load(b, shared(b, "tokenizers/"+tok.file))
		for _, c := range []struct {
			name string
			text func(n int) string
		}{
			{"letter", of("a")}, {"spaces", of(" ")}, {"line ends", of("\n")}, {"space and line end", of(" \n")}, {"emoji", of("😀")},
			{"digit", of("1")}, {"bar", of("|")}, {"mark", of("\u0301")}, {"marks out of order", of("\u0301\u0327\u0323")},
			{"half a token", of("<|endoftext|")}, {"random letters", random},
		} {
			for _, n := range []int{64 << 10, 1 << 20, 4 << 20} {
				b.Run(fmt.Sprintf("%s/%s/%dK", tok.name, c.name, n>>10), func(b *testing.B) {
					text := c.text(n)
					e := t.Encoder()
					start := processorTime(b)
					for b.Loop() {
						e.Encode(nil, text)
					}
					b.ReportMetric(float64((processorTime(b)-start).Nanoseconds())/float64(b.N)/float64(len(text)), "cpu-ns/B")
				})
			}
		}
	}
}

func BenchmarkTrain(b *testing.B) {
	texts := goSource(b, 4<<20)
	bytes := 0
	for _, s := range texts {
		bytes += len(s)
	}
	b.SetBytes(int64(bytes))
	start := processorTime(b)
	for b.Loop() {
		tr := NewTrainer(TrainOptions{Vocab: 2048})
		for _, s := range texts {
			tr.Add(s)
		}
		t, err := tr.Train()
		if err != nil || t.Vocab() != 2048 {
			b.Fatal(t.Vocab(), err)
		}
	}
	b.ReportMetric(float64(bytes)*float64(b.N)/(processorTime(b)-start).Seconds()/1e6, "MB/cpu-s")
}
