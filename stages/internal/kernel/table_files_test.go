package kernel_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"ablate/cache/checkpoint"
	"ablate/cache/table"
	"ablate/stages/internal/bpe"
)

// goSource returns about n bytes of the standard library's source.
func goSource(b *testing.B, n int) (texts []string, size int) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		b.Fatalf("go env GOROOT: %v: put go on the PATH", err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(root)), "src", "*", "*.go"))
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		texts = append(texts, string(text))
		if size += len(text); size >= n {
			break
		}
	}
	return texts, size
}

func tableText(b *testing.B) {
	title("text, one core")
	texts, size := goSource(b, 4<<20)
	trainer := bpe.NewTrainer(bpe.TrainOptions{Vocab: 2048})
	for _, text := range texts {
		trainer.Add(text)
	}
	tokenizer, err := trainer.Train()
	if err != nil {
		b.Fatal(err)
	}
	var ids []uint32
	rate := median(repeats, func() float64 {
		return float64(size) / 1e6 / timed(short, func() {
			e := tokenizer.Encoder() // with an empty memory for words
			for _, text := range texts {
				ids = e.Encode(ids[:0], text)
			}
		}).cpu
	})
	line("tokenizing Go source, 2048 words", fmt.Sprintf("%6.1f MB/s", rate))
}

// beside returns the medians of a rate in GB/s of processor time, of gb GB, and of its ratio to
// what most gives.
func beside(gb float64, f func(), most func() float64) string {
	f()
	var rates, shares []float64
	for range repeats {
		m := most()
		rates = append(rates, gb/timed(short, f).cpu)
		shares = append(shares, rates[len(rates)-1]/m)
	}
	return fmt.Sprintf("%6.1f GB/s  %5.1f %%", middle(rates), 100*middle(shares))
}

func tableTokens(b *testing.B) {
	const tokens, batch, vocab = 32 << 20, 4096, 50304
	path := filepath.Join(b.TempDir(), "tokens.arrow")
	w, err := table.CreateTokens(path, vocab)
	if err != nil {
		b.Fatal(err)
	}
	doc := make([]uint32, 1<<16)
	for i := range doc {
		doc[i] = uint32(i % vocab)
	}
	for i := range tokens / len(doc) {
		if err := w.Append(fmt.Sprint(i), doc, 4, 4, 1); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	t, err := table.OpenTokens(path)
	if err != nil {
		b.Fatal(err)
	}
	defer t.Close()
	dst := make([]int32, batch)
	title("%-46s %11s %s", "files, one core", "", "of reading memory")
	line("training tokens, 2 bytes each, into batches", beside(2*tokens/1e9, func() {
		for at := int64(0); at < tokens; at += batch {
			t.Read(dst, at)
		}
	}, readGBs))
}

// tableMerge counts the bytes that are read; writing the average goes on beside it, for nothing in
// the rate. The files are in the page cache and opened, mapped and closed each time, page faults
// included; the average goes where pages are there already, as in an engine that evaluates one
// mixture after another. All threads work, and the time is the clock's: what they share is the
// machine's memory.
func tableMerge(b *testing.B) {
	dir := b.TempDir()
	write := func(name string, data []float32) string {
		path := filepath.Join(dir, name)
		if err := checkpoint.Write(path, []checkpoint.Tensor{{Name: "w", Shape: []int{len(data)}, Data: data}}, nil); err != nil {
			b.Fatal(err)
		}
		return path
	}
	const most = 32
	var large, small []string
	for i := range most {
		small = append(small, write(fmt.Sprint("small", i), memory()[:2<<20]))
		if i < 8 {
			large = append(large, write(fmt.Sprint("large", i), memory()[i<<20:][:16<<20]))
		}
	}
	title("%-46s %11s %s", fmt.Sprintf("files, %d threads", runtime.GOMAXPROCS(0)), "", "of reading memory by as many")
	mergeLine(b, large[:2], 16<<20)
	mergeLine(b, large, 16<<20)
	mergeLine(b, small, 2<<20)
}

func mergeLine(b *testing.B, paths []string, size int) {
	average, weights := make([]float32, size), make([]float64, len(paths))
	for i := range weights {
		weights[i] = 1 / float64(len(paths))
	}
	merge := func() {
		files := make([]*checkpoint.File, len(paths))
		for i, path := range paths {
			f, err := checkpoint.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			files[i] = f
		}
		if err := checkpoint.Average(files, weights, func(string, []int) []float32 { return average }); err != nil {
			b.Fatal(err)
		}
	}
	merge()
	gb := 4 * float64(size) * float64(len(paths)) / 1e9
	var rates, shares []float64
	for range repeats {
		most := readGBsByAll()
		rates = append(rates, gb/timed(short, merge).wall)
		shares = append(shares, rates[len(rates)-1]/most)
	}
	line(fmt.Sprintf("merging %d models of %d MB, cached files", len(paths), size*4>>20), fmt.Sprintf("%6.1f GB/s  %5.1f %%", middle(rates), 100*middle(shares)))
}
