package kernel_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"ablate/stages"
	"ablate/stages/kind"
)

// BenchmarkTableFile tokenizes one large file of JSON Lines, as a step does, on one thread and on
// two.
func BenchmarkTableFile(b *testing.B) {
	title("a file, by the clock")
	const size = 200 << 20
	texts, _ := goSource(b, 8<<20)
	dir := b.TempDir()
	path := filepath.Join(dir, "go.jsonl")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewWriter(f)
	written := 0
	for i := 0; written < size; i++ {
		text, err := json.Marshal(texts[i%len(texts)])
		if err != nil {
			b.Fatal(err)
		}
		n, err := fmt.Fprintf(lines, "{\"id\":\"%d\",\"text\":%s}\n", i, text)
		if err != nil {
			b.Fatal(err)
		}
		written += n
	}
	if err := errors.Join(lines.Flush(), f.Close()); err != nil {
		b.Fatal(err)
	}
	read := kind.Read{Format: "jsonl", Text: "text", ID: "id"}
	step := func(name string, threads int, params any, inputs ...kind.Input) string {
		p, err := json.Marshal(params)
		if err != nil {
			b.Fatal(err)
		}
		out := b.TempDir()
		k, err := stages.Kinds().Named(name)
		if err != nil {
			b.Fatal(err)
		}
		if err := k.Run(b.Context(), &kind.Job{Params: p, Inputs: inputs, Dir: out, Partial: b.TempDir(), Threads: threads}); err != nil {
			b.Fatal(err)
		}
		return out
	}
	file := kind.Input{Role: "file.0", Path: path}
	tokenizer := kind.Input{Role: "tokenizer", Path: filepath.Join(
		step(kind.Tokenizer, 2, kind.TokenizerParams{Vocab: 2048, MinFrequency: 2, Bytes: 4 << 20, Read: read}, file), kind.OutTokenizer)}
	run := func(threads int) sample {
		return timed(0, func() {
			step(kind.Tokenize, threads, kind.TokenizeParams{Read: read, Paragraph: "line", MinTokens: 13}, tokenizer, file)
		})
	}
	one, two := run(1), run(2)
	line(fmt.Sprintf("a step over one file of %d MB, one thread", written>>20), fmt.Sprintf("%6.1f MB/s", float64(written)/1e6/one.wall))
	line("the same, two threads", fmt.Sprintf("%6.1f MB/s  %5.2f times as fast, %4.2f times the processor time",
		float64(written)/1e6/two.wall, one.wall/two.wall, two.cpu/one.cpu))
	b.ReportMetric(0, "ns/op") // of two runs together
}
