package corpus_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	arrowparquet "github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"ablate/stages/internal/corpus/parquet"
)

// corpusTable is a table of documents: made-up words with the shares that words have in a language.
func corpusTable(docs int) arrow.Record {
	r := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 20000)
	for i := range words {
		w := make([]byte, 2+r.IntN(8))
		for k := range w {
			w[k] = byte('a' + r.IntN(26))
		}
		words[i] = string(w)
	}
	zipf := rand.NewZipf(r, 1.1, 3, uint64(len(words)-1))
	b := array.NewRecordBuilder(memory.NewGoAllocator(), arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "text", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "year", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "unread", Type: arrow.BinaryTypes.String, Nullable: true},
	}, nil))
	defer b.Release()
	for i := range docs {
		var text strings.Builder
		for range 50 + r.IntN(1500) {
			text.WriteString(words[zipf.Uint64()])
			text.WriteByte(' ')
		}
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprint("doc-", i))
		b.Field(1).(*array.StringBuilder).Append(text.String())
		b.Field(2).(*array.Int64Builder).Append(int64(1990 + i%30))
		b.Field(3).(*array.StringBuilder).Append(text.String()[:50])
	}
	return b.NewRecord()
}

// BenchmarkParquet reads text, identity and year of tables of 64 MB of text, as Arrow's writer
// makes them by default but for the codec and the size of pages. MB/s are of text; MB/cpu-s count
// the time of processors. With ABLATE_PARQUET, a pattern of files, it reads the same columns of
// those.
func BenchmarkParquet(b *testing.B) {
	files, err := filepath.Glob(os.Getenv("ABLATE_PARQUET"))
	if err != nil {
		b.Fatal(err)
	}
	if len(files) == 0 {
		table := corpusTable(16000)
		defer table.Release()
		for name, options := range map[string][]arrowparquet.WriterProperty{
			"none": {arrowparquet.WithCompression(compress.Codecs.Uncompressed)}, "snappy": {arrowparquet.WithCompression(compress.Codecs.Snappy)}, "zstd": {arrowparquet.WithCompression(compress.Codecs.Zstd)},
			"zstd-large-pages": {arrowparquet.WithCompression(compress.Codecs.Zstd), arrowparquet.WithDictionaryDefault(false), arrowparquet.WithDataPageSize(32 << 20)},
		} {
			path := filepath.Join(b.TempDir(), name+".parquet")
			out, err := os.Create(path)
			if err != nil {
				b.Fatal(err)
			}
			w, err := pqarrow.NewFileWriter(table.Schema(), out, arrowparquet.NewWriterProperties(options...), pqarrow.DefaultWriterProps())
			if err == nil {
				err = w.Write(table)
			}
			if err == nil {
				err = w.Close()
			}
			if err != nil {
				b.Fatal(err)
			}
			files = append(files, path)
		}
	}
	for _, path := range files {
		b.Run(strings.TrimSuffix(filepath.Base(path), ".parquet"), func(b *testing.B) {
			f, err := parquet.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			b.ReportAllocs()
			all, began := int64(0), processorTime(b)
			for b.Loop() {
				text := int64(0)
				err := f.Rows(context.Background(), []parquet.Column{{Path: []string{"text"}, Text: true}, {Path: []string{"id"}}, {Path: []string{"year"}}}, func(_ int64, cells []parquet.Cell) error {
					text += int64(len(cells[0].Text))
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(text)
				all += text
			}
			b.ReportMetric(float64(all)/1e6/(processorTime(b)-began).Seconds(), "MB/cpu-s")
		})
	}
}

// processorTime is what all threads of this process have used, so that MB per second of it are
// those of one core, on a busy machine too.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
