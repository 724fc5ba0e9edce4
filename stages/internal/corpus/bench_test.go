package corpus

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// prose is text that compresses as much as running text does: words of a Zipf distribution, with a
// character beyond ASCII and an escape now and then.
func prose(r *rand.Rand, zipf *rand.Zipf, words int) string {
	var b strings.Builder
	for i := range words {
		for n := zipf.Uint64() + 3; n > 0; n /= 7 {
			b.WriteByte("etaoinshrdlucmfwypvbgkjqxz"[n%26])
		}
		switch {
		case i%60 == 59:
			b.WriteString(".\n")
		case i%40 == 0:
			b.WriteString(" – \"")
		default:
			b.WriteByte(" ,"[r.IntN(10)/9])
		}
	}
	return b.String()
}

// BenchmarkRead reads JSON Lines of the size and the escapes of running text. Time by the clock, so
// on an idle machine and with -cpu 1.
func BenchmarkRead(b *testing.B) {
	var lines strings.Builder
	r := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(r, 1.1, 3, 50_000)
	for i := range 4000 {
		text := prose(r, zipf, 400)
		fmt.Fprintf(&lines, "{\"id\":\"doc-%d\",\"text\":%q,\"metadata\":{\"field\":[\"Art\",\"Law\"],\"year\":%d}}\n", i, text, 1900+i%100)
	}
	opt := Options{Format: FormatJSONL, Metadata: map[string]string{"field": "metadata.field", "year": "metadata.year"}}
	for _, c := range []struct{ name, content string }{
		{"plain", lines.String()}, {"gzip", zipped(b, lines.String())}, {"zstd", zstandard(b, lines.String())},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(lines.Len())) // decompressed
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				counts, err := Read(context.Background(), opt, "f", strings.NewReader(c.content), func(d Document) error {
					n += len(d.Text)
					return nil
				})
				if err != nil || counts.Kept != 4000 || counts.Bytes != int64(n) {
					b.Fatal(counts, err)
				}
			}
		})
	}
}
