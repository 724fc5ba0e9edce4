package corpus

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
)

// A packer makes a compressed file of a text.
type packer struct {
	name string
	pack func(t testing.TB, text string) string
}

var packers = []packer{
	{"gzip", zipped},
	{"zstd", func(t testing.TB, s string) string { return zstandard(t, s) }},
	{"xz", func(t testing.TB, s string) string {
		return packed(t, s, func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) })
	}},
	{"lz4", func(t testing.TB, s string) string {
		return packed(t, s, func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil })
	}},
	{"zstd after a skippable frame", func(t testing.TB, s string) string { return skippableFrame("\x12\x00\x00\x00") + zstandard(t, s) }},
	{"lz4 after a skippable frame", func(t testing.TB, s string) string {
		return skippableFrame("") + packed(t, s, func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil })
	}},
}

func packed(t testing.TB, s string, open func(io.Writer) (io.WriteCloser, error)) string {
	t.Helper()
	var b bytes.Buffer
	w, err := open(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, s); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func skippableFrame(content string) string {
	return "\x50\x2a\x4d\x18" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(content)))) + content
}

// foreign are files of other programs that hold foreignText: xz 5.4, bzip2 1.0, lz4 1.9, pzstd and
// zstd 1.5, gzip 1.12, and the libraries lz4, zstandard, lzma and gzip of Python 3.11.
var foreign = []struct{ name, base64 string }{
	{"xz", "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4ABNAD1dAD2IiSaBk1OFsX6LQKVh6DgbDplwqyJ6rvGOgkDq1bx+gzoVGaqAQ+PxR1uzHyykJERkH8rELM52bUmpjAAAAAAA9LTvksxFgz0AAVlOoT+b2h+2830BAAAAAARZWg=="},
	{"xz, two streams with padding", "/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAreyJpZCI6ImEiLCJ0ZXh0IjoidGhlIGtlZXBlciBvZiB0aGUgbGlnaHQifQoAZeWW+sE8bD4AAUQsyVNLhh+2830BAAAAAARZWgAAAAAAAAAA/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAheyJpZCI6ImIiLCJ0ZXh0IjoiYW5kIHRoZSBzaGlwcyJ9CgAAAGjq7GxJJ/kpAAE6IrYqT9AftvN9AQAAAAAEWVo="},
	{"xz without a check", "/Td6WFoAAAD/EtlBAgAhARYAAAB0L+Wj4ABNAD1dAD2IiSaBk1OFsX6LQKVh6DgbDplwqyJ6rvGOgkDq1bx+gzoVGaqAQ+PxR1uzHyykJERkH8rELM52bUmpjAAAAAAAAAFRTqm1QhIGcp56AQAAAAAAWVo="},
	{"xz with CRC-32", "/Td6WFoAAAFpIt42AgAhARYAAAB0L+Wj4ABNAD1dAD2IiSaBk1OFsX6LQKVh6DgbDplwqyJ6rvGOgkDq1bx+gzoVGaqAQ+PxR1uzHyykJERkH8rELM52bUmpjAAAAAAAa2sGBgABVU6tcC52kEKZDQEAAAAAAVla"},
	{"xz with SHA-256, many blocks", "/Td6WFoAAArh+wyhAgAhARYAAAB0L+WjAQAPeyJpZCI6ImEiLCJ0ZXh0IgDR9JzU00KCcHUsDclckuA2b4VUYOd3lPBsKvB1dN806QIAIQEWAAAAdC/lowEADzoidGhlIGtlZXBlciBvZiAAtVEwH7F9pSZkx5NaPC0ft08zF4H/2wCQsW5g3/R53H8CACEBFgAAAHQv5aMBAA90aGUgbGlnaHQifQp7ImlkAOAF3ztdD6MukhD7ekf7GA2e4VMRafihRFzu9c9vI7oGAgAhARYAAAB0L+WjAQAPIjoiYiIsInRleHQiOiJhbgA6KIhlJFlG/Do9/PWQEWhDSz+YLiugb225wc0EQcWwjAIAIQEWAAAAdC/lowEADWQgdGhlIHNoaXBzIn0KAAAAfgENCtJz9manvPMHLnunZFGAv6tlag70eusIUOHb4wAABUAQQBBAEEAQPg4GIUw4EzqD1wMAAAAAClla"},
	{"xz on two threads", "/Td6WFoAAATm1rRGBMBFTiEBFgAAAAAAAAAAAGsxLVbgAE0APV0APYiJJoGTU4WxfotApWHoOBsOmXCrInqu8Y6CQOrVvH6DOhUZqoBD4/FHW7MfLKQkRGQfysQsznZtSamMAAAAAAD0tO+SzEWDPQABYU5agwTNH7bzfQEAAAAABFla"},
	{"bzip2", "QlpoOTFBWSZTWeIR5lgAACVZgAAQUAQAEDft3EogAEhKFAZqZDJtINTTQAADTJIuru7thV6TJQaNaoH1iyXrHBG7JLEyJwelOJTNA6CjDQgMfF3JFOFCQ4hHmWA="},
	{"bzip2, two streams", "QlpoOTFBWSZTWZjJjt0AABVZgAAQUAQAECfs1EogACGoNDTTQGQoGmhkZMRzHUunsOspqBvY4rVash42aBh8UBE8/i7kinChITGTHbpCWmg5MUFZJlNZVrYBdAAAEFmAABBQBAAQNmFMSiAAMU0yMTExCIyaHqB6JIAKhJ1G6ISQjuxeIm6mW+LuSKcKEgrWwC6A"},
	{"bzip2 of nothing, then text", "QlpoORdyRThQkAAAAABCWmgxMUFZJlNZ4hHmWAAAJVmAABBQBAAQN+3cSiAASEoUBmpkMm0g1NNAAANMki6u7u2FXpMlBo1qgfWLJescEbsksTInB6U4lM0DoKMNCAx8XckU4UJDiEeZYA=="},
	{"lz4", "BCJNGGRAp0IAAADwEXsiaWQiOiJhIiwidGV4dCI6InRoZSBrZWVwZXIgb2YgDgCDbGlnaHQifQosABZiLAAxYW5kIgCAc2hpcHMifQoAAAAAp8Cvgw=="},
	{"lz4, two frames", "BCJNGGRApywAAIB7ImlkIjoiYSIsInRleHQiOiJ0aGUga2VlcGVyIG9mIHRoZSBsaWdodCJ9CgAAAAAqVEmTBCJNGGRApyIAAIB7ImlkIjoiYiIsInRleHQiOiJhbmQgdGhlIHNoaXBzIn0KAAAAAGX4NRQ="},
	{"lz4, linked blocks, sizes and checksums", "BCJNGHxATgAAAAAAAACmQgAAAPAReyJpZCI6ImEiLCJ0ZXh0IjoidGhlIGtlZXBlciBvZiAOAINsaWdodCJ9CiwAFmIsADFhbmQiAIBzaGlwcyJ9Cqn6zyEAAAAAp8Cvgw=="},
	{"lz4 legacy", "AiFMGEIAAADwEXsiaWQiOiJhIiwidGV4dCI6InRoZSBrZWVwZXIgb2YgDgCDbGlnaHQifQosABZiLAAxYW5kIgCAc2hpcHMifQo="},
	{"lz4 of Python", "BCJNGHxATgAAAAAAAACmQgAAAPAReyJpZCI6ImEiLCJ0ZXh0IjoidGhlIGtlZXBlciBvZiAOAINsaWdodCJ9CiwAFmIsADFhbmQiAIBzaGlwcyJ9Cqn6zyEAAAAAp8Cvgw=="},
	{"pzstd", "UCpNGAQAAABRAAAAKLUv/QRYJQIAhAN7ImlkIjoiYSIsInRleHQiOiJ0aGUga2VlcGVyIG9mIHRoZSBsaWdodCJ9CmJhbmRzaGlwcyJ9CgMARYkB+/JlqgzEjrxQ"},
	{"zstd, two frames", "KLUv/SQsYQEAeyJpZCI6ImEiLCJ0ZXh0IjoidGhlIGtlZXBlciBvZiB0aGUgbGlnaHQifQpl/gKzKLUv/SQiEQEAeyJpZCI6ImIiLCJ0ZXh0IjoiYW5kIHRoZSBzaGlwcyJ9Ckv/yBs="},
	{"zstd without a checksum, long", "KLUv/SBOFQIARAN7ImlkIjoiYSIsInRleHQiOiJ0aGUga2VlcGVyIG9mIGxpZ2h0In0KYmFuZHNoaXBzIn0KBABFiQH7PpUcYc0n"},
	{"zstd of Python, no size", "KLUv/QAAFQIARAN7ImlkIjoiYSIsInRleHQiOiJ0aGUga2VlcGVyIG9mIGxpZ2h0In0KYmFuZHNoaXBzIn0KBABFiQH7PpUcYc0n"},
	{"gzip, two members", "H4sICCDrDWsAA2EAq1bKTFGyUkpU0lEqSa0oATJLMlIVslNTC1KLFPLTFEC8nMz0jBKlWi4ALtu6XCwAAAAfiwgAAAAAAAADq1bKTFGyUkpS0lEqSa0oATIT81IUSjJSFYozMguKlWq5AKWvKZUiAAAA"},
	{"gzip with zeros behind", "H4sICCDrDWsAA2FiAKtWykxRslJKVNJRKkmtKAEySzJSFbJTUwtSixTy0xRAvJzM9IwSpVquaojaJITaxLwUsIrijMyCYqAKAGtrBgZOAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="},
	{"gzip with zeros between", "H4sICCDrDWsAA2EAq1bKTFGyUkpU0lEqSa0oATJLMlIVslNTC1KLFPLTFEC8nMz0jBKlWi4ALtu6XCwAAAAAAAAfiwgIIOsNawADYgCrVspMUbJSSlLSUSpJrSgBMhPzUhRKMlIVijMyC4qVarkApa8plSIAAAAA"},
	{"gzip of Python", "H4sIAAAAAAACA6tWykxRslJKVNJRKkmtKAEySzJSFbJTUwtSixTy0xRAvJzM9IwSpVquaojaJITaxLwUsIrijMyCYqAKAGtrBgZOAAAA"},
}

const foreignText = "{\"id\":\"a\",\"text\":\"the keeper of the light\"}\n{\"id\":\"b\",\"text\":\"and the ships\"}\n"

func TestDecompress(t *testing.T) {
	whole := func(t *testing.T, data string) {
		t.Helper()
		for _, format := range []string{FormatJSONL, FormatText} {
			docs, _, err := read(Options{Format: format}, "f", data)
			switch {
			case err != nil:
				t.Errorf("%s: %v", format, err)
			case format == FormatText && (len(docs) != 1 || docs[0].Text != foreignText):
				t.Errorf("text: %+v", docs)
			case format == FormatJSONL && (len(docs) != 2 || docs[1].Text != "and the ships"):
				t.Errorf("lines: %+v", docs)
			}
		}
		if format, err := recognise(strings.NewReader(data), ""); format != FormatJSONL || err != nil {
			t.Errorf("recognised as %q, %v", format, err)
		}
		b, closer, err := Stream(iotest.OneByteReader(strings.NewReader(data)), 1<<12)
		if err != nil {
			t.Fatal(err)
		}
		defer closer()
		if got, err := io.ReadAll(b); string(got) != foreignText || err != nil {
			t.Errorf("a filter reads %q, %v", got, err)
		}
	}
	t.Run("not at all", func(t *testing.T) { whole(t, foreignText) })
	for _, p := range packers {
		t.Run(p.name, func(t *testing.T) { whole(t, p.pack(t, foreignText)) })
		t.Run(p.name+", in two parts", func(t *testing.T) { whole(t, p.pack(t, foreignText[:50])+p.pack(t, foreignText[50:])) })
	}
	for _, f := range foreign {
		t.Run(f.name, func(t *testing.T) { whole(t, decoded(t, f.base64)) })
	}
}

func decoded(t testing.TB, text string) string {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Every file of the list above that is cut off behind its first bytes is an error or, between two
// members, what stands before.
func TestDecompressCutOff(t *testing.T) {
	for _, f := range foreign {
		data := decoded(t, f.base64)
		for n := len(data) - 1; n > longestMagic; n -= 5 {
			docs, counts, err := read(Options{Format: FormatText}, "f", data[:n])
			if err != nil {
				if !strings.Contains(err.Error(), "corpus: f: ") {
					t.Errorf("%s, %d bytes: error %v", f.name, n, err)
				}
				continue
			}
			for _, d := range docs {
				if !strings.HasPrefix(foreignText, d.Text) {
					t.Errorf("%s, %d bytes: text %q", f.name, n, d.Text)
				}
			}
			if text := "the keeper"; len(docs) == 0 && counts.Dropped[DroppedEmpty] != 1 || len(docs) == 1 && !strings.Contains(docs[0].Text, text) && docs[0].Text != foreignText[:16] {
				t.Errorf("%s, %d bytes: %+v, counts %+v", f.name, n, docs, counts)
			}
		}
	}
}

// What is not read is named, with what to do.
func TestCompressionErrors(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"gzip, then something else", zipped(t, "text") + "\x00\x00trailing", `gzip: behind the last member and 2 zeros lie bytes that are no gzip, beginning with "tr"`},
		{"gzip, then a member that is cut off", zipped(t, "text") + "\x1f\x8b\x08", "gzip: unexpected EOF"},
		{"gzip in gzip", zipped(t, zipped(t, "text")), "the file is compressed twice, inside with gzip: decompress it once"},
		{"xz with a filter for programs", decoded(t, "/Td6WFoAAATm1rRGAgEEACEBFgANhjUf4ABNAD1dAD2IiSaBk1OFsX6LQKVh6DgbDplwqyJ6rvGOgkDq1bx+gzoVGaqAQ+PxR1uzHyykJERkH8rELM52bUmpjAAAAAAA9LTvksxFgz0AAVlOoT+b2h+2830BAAAAAARZWg=="), "xz: unsupported filter count"},
		{"xz with a large dictionary", "\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x28\x00\x00\x00", "xz: the file asks for a dictionary of 4294967295 bytes, 128 MiB are granted"},
		{"lzma", decoded(t, "XQAAgAD//////////wA9iIkmgZNThbF+i0ClYeg4Gw6ZcKsieq7xjoJA6tW8foM6FRmqgEPj8Udbsx8spCREZB/KxCzOdm3O/YP//7yzgAA="), "the file is compressed with lzma (.lzma), not of format text: decompress it, or compress it with zstd or gzip"},
		{"skippable frame, cut off", skippableFrame("abc")[:10], "zstd or lz4: read a skippable frame: unexpected EOF"},
		{"skippable frame, then text", skippableFrame("abc") + "text", `zstd or lz4: "text" follows a skippable frame`},
		{"zip", "PK\x03\x04\x14\x00", "the file is a zip archive, not of format text: unpack it and name the files in it"},
		{"tar in gzip", zipped(t, "a.txt"+strings.Repeat("\x00", 252)+"ustar\x0000"), "the file is a tar archive"},
		{"Parquet", "PAR1\x15\x04\x15", "the file is a Parquet file: give format: parquet"},
		{"NumPy", numpyMagic + "\x01\x00", "the file is an array of NumPy"},
		{"UTF-16", "\xff\xfea\x00b\x00", "the file is text in UTF-16, not of format text: convert it: iconv -f UTF-16 -t UTF-8"},
		{"UTF-16 without a mark", "a\x00 \x00t\x00e\x00x\x00t\x00 \x00h\x00e\x00", "every other byte of the file is zero"},
		{"UTF-32", "\xff\xfe\x00\x00a\x00\x00\x00", "UTF-32"},
		{"PDF", "%PDF-1.7", "a PDF file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, counts, err := read(Options{Format: FormatText}, "f", c.data)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if counts.Kept != 0 {
				t.Errorf("counts %+v", counts)
			}
		})
	}
	_, counts, err := read(Options{Format: FormatText, Bad: map[string]string{BadFormat: Drop}}, "f", "PK\x03\x04\x14\x00")
	if err != nil || counts.Read != 1 || counts.Dropped["another format"] != 1 || len(counts.Places) != 1 {
		t.Errorf("%+v, %v", counts, err)
	}
}
