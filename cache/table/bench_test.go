package table

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
)

// BenchmarkRead reads 32M tokens in one call, in calls as long as a training batch, and round a
// cache-sized stretch. Bytes are those of the file. The copy beside it moves the bytes that Read
// writes, 4 a token, which memory must take in either way.
func BenchmarkRead(b *testing.B) {
	const tokens = 32 << 20
	for _, vocab := range []int{50280, 1 << 17} {
		lengths := make([]int, 4096)
		for i := range lengths {
			lengths[i] = tokens / len(lengths)
		}
		tok := openTokens(b, writeTokens(b, vocab, documents(vocab, lengths...)))
		width := int64(2)
		if vocab > narrowVocab {
			width = 4
		}
		dst := make([]int32, tokens)
		for _, c := range []struct {
			name         string
			call, region int64
		}{{"all", tokens, tokens}, {"batch", 4096, tokens}, {"cached", 4096, 32 << 10}} {
			b.Run(fmt.Sprintf("uint%d/%s", 8*width, c.name), func(b *testing.B) {
				b.SetBytes(width * c.region)
				b.ReportAllocs()
				for b.Loop() {
					for at := int64(0); at < c.region; at += c.call {
						tok.Read(dst[:c.call], at)
					}
				}
			})
		}
	}
	src, dst := make([]int32, tokens), make([]int32, tokens)
	for i := range src {
		src[i] = int32(i)
	}
	b.Run("copy", func(b *testing.B) {
		b.SetBytes(4 * tokens)
		for b.Loop() {
			copy(dst, src)
		}
	})
}

func BenchmarkTokenWriter(b *testing.B) {
	docs := documents(50280, make([]int, 2048)...)
	for i := range docs {
		docs[i].tokens = make([]uint32, 4096)
	}
	path := filepath.Join(b.TempDir(), "x")
	b.SetBytes(2 * 2048 * 4096)
	b.ReportAllocs()
	for b.Loop() {
		w, err := CreateTokens(path, 50280)
		if err != nil {
			b.Fatal(err)
		}
		for _, d := range docs {
			if err := w.Append(d.id, d.tokens, 1, 1, 1); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenTokens(b *testing.B) {
	path := writeTokens(b, 50280, documents(50280, make([]int, 100_000)...))
	for b.Loop() {
		tok, err := OpenTokens(path)
		if err != nil {
			b.Fatal(err)
		}
		tok.Close()
	}
}

// lossRow is shaped like the per-document losses of an evaluation.
type lossRow struct {
	ID     string  `col:"id"`
	Set    string  `col:"set"`
	Tokens int64   `col:"tokens"`
	Bytes  int64   `col:"bytes"`
	Loss   float64 `col:"loss"`
}

func lossRows(n int) []lossRow {
	rows := make([]lossRow, n)
	for i := range rows {
		rows[i] = lossRow{fmt.Sprintf("documents/%08d", i), "out-of-domain", int64(i % 997), int64(i % 4099), float64(i) * 1.1}
	}
	return rows
}

func BenchmarkRows(b *testing.B) {
	for _, n := range []int{100, 1000, 100_000} {
		rows := lossRows(n)
		path := writeRows(b, rows)
		size := int64(len(readFile(b, path)))
		b.Run(fmt.Sprintf("write/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := WriteRows(path, rows); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size)/float64(n), "B/row")
		})
		b.Run(fmt.Sprintf("read/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ReadRows[lossRow](path); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("arrow-read/%d", n), func(b *testing.B) {
			for b.Loop() {
				pr, err := file.OpenParquetFile(path, false)
				if err != nil {
					b.Fatal(err)
				}
				fr, err := pqarrow.NewFileReader(pr, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
				if err != nil {
					b.Fatal(err)
				}
				tab, err := fr.ReadTable(context.Background())
				if err != nil {
					b.Fatal(err)
				}
				tab.Release()
				pr.Close()
			}
		})
	}
}
