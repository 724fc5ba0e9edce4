package corpus

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// BenchmarkRead reads JSON Lines of the size and the escapes of running text.
func BenchmarkRead(b *testing.B) {
	var lines strings.Builder
	text := strings.Repeat("The quick brown fox – as they say – jumps.\nAnd \"so\" on. ", 40)
	for i := range 4000 {
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
