package corpus

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"ablate/stages/internal/corpus/parquet"
)

func read(opt Options, name, content string) ([]Document, Counts, error) {
	var docs []Document
	counts, err := Read(context.Background(), opt, name, strings.NewReader(content), func(d Document) error {
		d.Place = Place{} // TestKeptPlaces
		docs = append(docs, d)
		return nil
	})
	return docs, counts, err
}

var anyPlaces = cmpopts.IgnoreFields(Counts{}, "Places", "Values", "Paths") // TestPlaces, TestValues

func hashID(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])[:16]
}

// lacking says of documents that they lack what they have the word for.
func lacking(docs []Document, absent string) []Document {
	out := slices.Clone(docs)
	for i := range out {
		out[i].Lacks = nil
		for _, name := range slices.Sorted(maps.Keys(out[i].Meta)) {
			if out[i].Meta[name] == absent {
				out[i].Lacks = append(out[i].Lacks, name)
			}
		}
	}
	return out
}

// A document that lacks a name is told from one that has the word for that as its value, in every
// format.
func TestWordForAbsentIsAValueToo(t *testing.T) {
	for _, c := range []struct {
		name, metadata string
		opt            Options
		with, without  string
	}{
		{"jsonl", "country", Options{Format: FormatJSONL}, `{"text": "a", "country": "NA"}`, `{"text": "a"}`},
		{"jsonl, null", "country", Options{Format: FormatJSONL}, `{"text": "a", "country": ["NA"]}`, `{"text": "a", "country": null}`},
		{"jsonl, empty list", "country", Options{Format: FormatJSONL}, `{"text": "a", "country": "NA"}`, `{"text": "a", "country": []}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.opt.Metadata = map[string]string{"c": c.metadata}
			for content, lacks := range map[string][]string{c.with: nil, c.without: {"c"}} {
				docs, _, err := read(c.opt, "x", content+"\n")
				if err != nil || len(docs) != 1 || docs[0].Meta["c"] != "NA" || !slices.Equal(docs[0].Lacks, lacks) {
					t.Errorf("%s: %+v, %v, want the value NA and that it lacks %q", content, docs, err, lacks)
				}
			}
		})
	}
	text := Options{Format: FormatText, Metadata: map[string]string{"c": "^([^/]+)/"}}
	for file, lacks := range map[string][]string{"NA/a": nil, "a": {"c"}} {
		if docs, _, err := read(text, file, "a"); err != nil || docs[0].Meta["c"] != "NA" || !slices.Equal(docs[0].Lacks, lacks) {
			t.Errorf("%s: %+v, %v, want the value NA and that it lacks %q", file, docs, err, lacks)
		}
	}
	for cell, lacks := range map[parquet.Cell]bool{{Text: "NA", Present: true}: false, {}: true, {Present: true}: false} {
		if _, ok, f := value(cell, fieldPath{}); f != nil || ok == lacks {
			t.Errorf("cell %+v has a value: %v", cell, ok)
		}
	}
	for e, lacks := range map[entry]bool{{src: "NA"}: false, {}: true} {
		if _, ok := (&field{column: columnSrc}).fromEntry(&e, "x"); ok == lacks {
			t.Errorf("entry %+v has a src: %v", e, ok)
		}
	}
}

func TestReadText(t *testing.T) {
	opt := Options{Format: FormatText, Metadata: map[string]string{"area": `^([^/]+)/`, "test": `(_test)\.go$`}}
	for _, c := range []struct {
		name, file, content string
		want                []Document
		dropped             map[string]int64
	}{
		{"plain", "fmt/print.go", "package fmt\n", []Document{{ID: "fmt/print.go", Text: "package fmt\n", Meta: map[string]string{"area": "fmt", "test": "NA"}}}, nil},
		{"all groups", "os/x_test.go", "x", []Document{{ID: "os/x_test.go", Text: "x", Meta: map[string]string{"area": "os", "test": "_test"}}}, nil},
		{"nul bytes", "a", "x\x00y\x00", []Document{{ID: "a", Text: "x\x00y\x00", Meta: map[string]string{"area": "NA", "test": "NA"}}}, nil},
		{"compressed", "a", zipped(t, "text in gzip"), []Document{{ID: "a", Text: "text in gzip", Meta: map[string]string{"area": "NA", "test": "NA"}}}, nil},
		{"empty", "a", "", nil, map[string]int64{DroppedEmpty: 1}},
		{"not utf-8", "a", "caf\xe9", nil, map[string]int64{DroppedUTF8: 1}},
		{"surrogate in utf-8", "a", "\xed\xa0\x80", nil, map[string]int64{DroppedUTF8: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			docs, counts, err := read(opt, c.file, c.content)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(lacking(c.want, "NA"), docs); diff != "" {
				t.Errorf("documents (-want +got):\n%s", diff)
			}
			want := Counts{Files: 1, Read: 1, Kept: int64(len(c.want)), Dropped: c.dropped}
			for _, d := range c.want {
				want.Bytes += int64(len(d.Text))
			}
			if diff := cmp.Diff(want, counts, anyPlaces); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadJSONL(t *testing.T) {
	opt := Options{Format: FormatJSONL, Metadata: map[string]string{
		"field": "metadata.field", "year": "metadata.year", "first": "metadata.list[0]", "second": "metadata.list[1]", "deep": "metadata.rows[1][0].x"}}
	na := func(set ...string) map[string]string {
		m := map[string]string{"field": "NA", "year": "NA", "first": "NA", "second": "NA", "deep": "NA"}
		for i := 0; i < len(set); i += 2 {
			m[set[i]] = set[i+1]
		}
		return m
	}
	one := func(id, text string, set ...string) []Document {
		return []Document{{ID: id, Text: text, Meta: na(set...)}}
	}
	empty, invalid, half := map[string]int64{DroppedEmpty: 1}, map[string]int64{DroppedUTF8: 1}, map[string]int64{DroppedSurrogate: 1}
	for _, c := range []struct {
		name, line string
		want       []Document
		dropped    map[string]int64
	}{
		{"plain", `{"id":"a","text":"t"}`, one("a", "t"), nil},
		{"no id", `{"text":"t"}`, one(hashID("t"), "t"), nil},
		{"null id", `{"id":null,"text":"t"}`, one(hashID("t"), "t"), nil},
		{"number as id", `{"id":12e1,"text":"t"}`, one("120", "t"), nil},
		{"escapes", `{"id":"a","text":"\u00e9\n\"\\\/\ud83d\ude00\u0000"}`, one("a", "é\n\"\\/😀\x00"), nil},
		{"text that looks like an escape", `{"id":"a","text":"\\ud800 \\\\ud800"}`, one("a", `\ud800 \\ud800`), nil},
		{"last of two keys", `{"id":"a","text":"t","text":"u"}`, one("a", "u"), nil},
		{"key in escapes", `{"id":"a","te\u0078t":"t"}`, one("a", "t"), nil},
		{"white space around", " \t{\"id\":\"a\",\"text\":\"t\"} \r", one("a", "t"), nil},
		{"metadata", `{"id":"a","text":"t","metadata":{"field":"Art","year":2019,"list":["x","y"],"rows":[1,[{"x":true}]]}}`,
			one("a", "t", "field", "Art", "year", "2019", "first", "x", "second", "y", "deep", "true"), nil},
		{"first of many", `{"id":"a","text":"t","metadata":{"field":[["Art"],"Law"],"year":[]}}`, one("a", "t", "field", "Art"), nil},
		{"null and out of range", `{"id":"a","text":"t","metadata":{"field":null,"list":[1]}}`, one("a", "t", "first", "1"), nil},
		{"metadata of another shape", `{"id":"a","text":"t","metadata":"none"}`, one("a", "t"), nil},
		{"empty metadata is not absent", `{"id":"a","text":"t","metadata":{"field":""}}`, one("a", "t", "field", ""), nil},
		{"empty text", `{"id":"a","text":""}`, nil, empty},
		{"not utf-8", "{\"id\":\"a\",\"text\":\"caf\xe9\"}", nil, invalid},
		{"lone high surrogate", `{"id":"a","text":"x\uD83Dy"}`, nil, half},
		{"lone low surrogate", `{"id":"a","text":"x\ude00y"}`, nil, half},
		{"high before another escape", `{"id":"a","text":"\ud83d\u0041"}`, nil, half},
		{"two high", `{"id":"a","text":"\ud83d\ud83d\ude00"}`, nil, half},
		{"surrogate in the id", `{"id":"\ud800","text":"t"}`, nil, half},
		{"surrogate in metadata", `{"id":"a","text":"t","metadata":{"field":"\ud800"}}`, nil, half},
		{"surrogate elsewhere", `{"id":"a","text":"t","other":"\ud800"}`, one("a", "t"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			docs, counts, err := read(opt, "f.jsonl", c.line+"\n")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(lacking(c.want, "NA"), docs); diff != "" {
				t.Errorf("documents (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.dropped, counts.Dropped); diff != "" || counts.Read != 1 || counts.Kept != int64(len(c.want)) {
				t.Errorf("read %d, kept %d, dropped (-want +got):\n%s", counts.Read, counts.Kept, diff)
			}
		})
	}
}

func TestReadJSONLFields(t *testing.T) {
	opt := Options{Format: FormatJSONL, TextField: "body.parts[1]", IDField: "meta.key", Absent: "none", Metadata: map[string]string{"m": "x"}}
	docs, _, err := read(opt, "f", `{"body":{"parts":["a","b"]},"meta":{"key":"k"}}`)
	if diff := cmp.Diff([]Document{{ID: "k", Text: "b", Meta: map[string]string{"m": "none"}, Lacks: []string{"m"}}}, docs); diff != "" || err != nil {
		t.Errorf("error %v, documents (-want +got):\n%s", err, diff)
	}
}

// Absent at the place of a document's identity must not become the identity.
func TestReadAbsentIsNoIdentity(t *testing.T) {
	docs, _, err := read(Options{Format: FormatJSONL, Absent: "none"}, "f", `{"text":"t"}`)
	if err != nil || len(docs) != 1 || docs[0].ID != hashID("t") {
		t.Errorf("documents %v, error %v, want one with the id %s", docs, err, hashID("t"))
	}
}

func TestReadErrors(t *testing.T) {
	good := `{"text":"t"}` + "\n"
	deep := strings.Repeat(`{"text":`, 100000)
	for _, c := range []struct {
		name, content, want string
	}{
		{"no object", good + "[1]\n", `corpus: f.jsonl:2 (byte 13): a line must be a JSON object, this one begins with "[1]"`},
		{"no JSON", good + "\n" + good + "{\"text\":\"t\"\n", `corpus: f.jsonl:4:12 (byte 38): the line is no JSON object`},
		{"two objects", `{"text":"t"}{"text":"u"}`, `corpus: f.jsonl:1:13 (byte 12): the line is no JSON object`},
		{"unknown escape", `{"text":"\x"}`, `f.jsonl:1:10 (byte 9): the line is no JSON object`},
		{"short escape", `{"text":"\ud8"}`, `f.jsonl:1:10 (byte 9): the line is no JSON object`},
		{"control character", "{\"text\":\"a\tb\"}", `f.jsonl:1:11 (byte 10): the line is no JSON object`},
		{"number", `{"text":"t","n":01}`, `f.jsonl:1:18 (byte 17): the line is no JSON object`},
		{"too deep", deep, `f.jsonl:1:2401 (byte 2400): the line is no JSON object`},
		{"no text", good + `{"body":"t"}`, `f.jsonl:2 (byte 13): no field "text" for the text: name the field that holds it`},
		{"null text", `{"text":null}`, `no field "text" for the text`},
		{"number as text", `{"text":1}`, `field "text" is of type number, want a string`},
		{"object as metadata", `{"text":"t","m":{}}`, `field "m" is an object`},
		{"huge number", `{"text":"t","m":1e999}`, `field "m": number 1e999 needs more than 64 digits`},
		{"after a byte order mark", "\uFEFF" + good + "x", `f.jsonl:2 (byte 16): a line must be a JSON object`},
		{"broken gzip", zipped(t, strings.Repeat(good, 100))[:30], " gzip: unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := read(Options{Format: FormatJSONL, Metadata: map[string]string{"m": "m"}}, "f.jsonl", c.content)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if err != nil && len(err.Error()) > 500 {
				t.Errorf("the error has %d bytes: it must not quote the line", len(err.Error()))
			}
		})
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name string
		opt  Options
		want string // "" is right
	}{
		{"text", Options{Format: FormatText, Metadata: map[string]string{"a": "(x)"}}, ""},
		{"jsonl", Options{Format: FormatJSONL, Metadata: map[string]string{"a": "a.b[0][12].c"}}, ""},
		{"format", Options{Format: "csv"}, `corpus: format "csv": want one of ["text" "jsonl" "parquet" "tokens"]`},
		{"expression", Options{Format: FormatText, Metadata: map[string]string{"a": "("}}, "corpus: metadata a: error parsing regexp"},
		{"no group", Options{Format: FormatText, Metadata: map[string]string{"a": "x"}}, `expression "x" has 0 groups, want 1`},
		{"two groups", Options{Format: FormatText, Metadata: map[string]string{"a": "(x)(y)"}}, `has 2 groups, want 1`},
		{"empty path", Options{Format: FormatJSONL, Metadata: map[string]string{"a": ""}}, "corpus: metadata a: field path \"\": a key is empty"},
		{"empty key", Options{Format: FormatJSONL, TextField: "a..b"}, "corpus: text field: field path \"a..b\": a key is empty"},
		{"index", Options{Format: FormatJSONL, IDField: "a[x]"}, `corpus: id field: field path "a[x]": index "x" is no number`},
		{"negative index", Options{Format: FormatJSONL, IDField: "a[-1]"}, `index "-1" is no number`},
		{"open index", Options{Format: FormatJSONL, IDField: "a[1"}, `a [ is not closed`},
		{"behind an index", Options{Format: FormatJSONL, IDField: "a[1]b"}, `"b" follows an index`},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.opt.Check()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			counts, err2 := Read(context.Background(), c.opt, "f", strings.NewReader(""), func(Document) error { return nil })
			if (err == nil) != (err2 == nil) || counts.Files != 1 {
				t.Errorf("Check: %v, but Read: %v with %d files", err, err2, counts.Files)
			}
		})
	}
}

func zipped(t testing.TB, s string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, s); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zstandard(t testing.TB, s string, opts ...zstd.EOption) string {
	t.Helper()
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(z, s); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// All ways to store the same lines give the same documents and counts, whatever the name says.
func TestReadCompressed(t *testing.T) {
	var lines strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&lines, "{\"id\":\"d%d\",\"text\":%q}\n", i, strings.Repeat("word ", i%50))
	}
	plain := lines.String()
	half := len(plain) / 2
	want, wantCounts, err := read(Options{Format: FormatJSONL}, "f.jsonl", plain)
	if err != nil {
		t.Fatal(err)
	}
	if wantCounts.Read != 5000 || wantCounts.Kept != 4900 || wantCounts.Dropped[DroppedEmpty] != 100 {
		t.Fatalf("counts %+v, want 5000 read, 4900 kept, 100 empty", wantCounts)
	}
	for _, c := range []struct{ name, content string }{
		{"no newline at the end", strings.TrimSuffix(plain, "\n")},
		{"blank lines", strings.ReplaceAll(plain, "\n", "\n\n \n")},
		{"CRLF", strings.ReplaceAll(plain, "\n", "\r\n")},
		{"byte order mark", "\uFEFF" + plain},
		{"gzip", zipped(t, plain)},
		{"gzip in two members", zipped(t, plain[:half]) + zipped(t, plain[half:])},
		{"zstd", zstandard(t, plain)},
		{"zstd in two frames", zstandard(t, plain[:half]) + zstandard(t, plain[half:])},
	} {
		t.Run(c.name, func(t *testing.T) {
			docs, counts, err := read(Options{Format: FormatJSONL}, "f.gz", c.content)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(lacking(want, "NA"), docs); diff != "" {
				t.Errorf("documents (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(wantCounts, counts, anyPlaces); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
		})
	}
}

// A frame that asks for a window of 512 MiB is refused before memory is taken for it. The frames
// are written by hand after RFC 8878, section 3.1.1: magic, descriptor, window or content size,
// then one raw block of one byte.
func TestZstdWindow(t *testing.T) {
	const magic, block = "\x28\xb5\x2f\xfd", "\x09\x00\x00x"
	for _, c := range []struct {
		name, frame string
		want        error
	}{
		{"window of 1 MiB", magic + "\x00\x50" + block, nil},
		{"window of 128 MiB", magic + "\x00\x88" + block, nil},
		{"window of 512 MiB", magic + "\x00\x98" + block, zstd.ErrWindowSizeExceeded},
		{"one segment of 512 MiB", magic + "\xa0\x00\x00\x00\x20" + block, zstd.ErrDecoderSizeExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			docs, _, err := read(Options{Format: FormatText}, "f", c.frame)
			if !errors.Is(err, c.want) || c.want == nil && (len(docs) != 1 || docs[0].Text != "x") {
				t.Errorf("documents %v, error %v, want %v", docs, err, c.want)
			}
		})
	}
}

func TestDocumentLimit(t *testing.T) {
	line := `{"text":"` + strings.Repeat("x", 100) + `"}` + "\n"
	for _, c := range []struct {
		name, format, content, want string
		limit                       int
	}{
		{"line that fits", FormatJSONL, line, "", len(line)},
		{"line too long", FormatJSONL, line, "corpus: f:1 (byte 0): the line has more than 50 bytes", 50},
		{"no newline", FormatJSONL, strings.Repeat("x", 1<<21), "the line has more than 100 bytes", 100},
		{"file that fits", FormatText, "abc", "", 3},
		{"file too long", FormatText, "abcd", "corpus: f: a document may have 3 bytes", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			rd := &reader{name: "f", limit: c.limit, emit: func(Document) error { return nil }}
			err := rd.read(context.Background(), Options{Format: c.format}, strings.NewReader(c.content))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestReadStops(t *testing.T) {
	lines := strings.Repeat(`{"id":"a","text":"t"}`+"\n", 10)
	stop := errors.New("enough")
	n := 0
	counts, err := Read(context.Background(), Options{Format: FormatJSONL}, "f", strings.NewReader(lines), func(Document) error {
		if n++; n == 3 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || n != 3 || counts.Kept != 2 || !strings.Contains(err.Error(), `corpus: f: document "a"`) {
		t.Errorf("error %v after %d documents, %d kept, want the error of emit after 3", err, n, counts.Kept)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n = 0
	_, err = Read(ctx, Options{Format: FormatJSONL}, "f", strings.NewReader(lines), func(Document) error {
		n++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || n != 1 {
		t.Errorf("error %v after %d documents, want %v after 1", err, n, context.Canceled)
	}
	if _, err = Read(ctx, Options{Format: FormatText}, "f", strings.NewReader("x"), func(Document) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("text: error %v, want %v", err, context.Canceled)
	}
	broken := io.MultiReader(strings.NewReader(lines), errReader{})
	if counts, err := Read(context.Background(), Options{Format: FormatJSONL}, "f", broken, func(Document) error { return nil }); !errors.Is(err, errDisk) || counts.Kept != 10 {
		t.Errorf("error %v with %d kept, want %v with 10", err, counts.Kept, errDisk)
	}
}

var errDisk = errors.New("disk on fire")

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errDisk }

func TestCountsAdd(t *testing.T) {
	var c Counts
	c.Add(Counts{Files: 1, Read: 3, Kept: 2, Bytes: 10, Dropped: map[string]int64{DroppedEmpty: 1}})
	c.Add(Counts{Files: 1, Read: 2, Kept: 0, Dropped: map[string]int64{DroppedEmpty: 1, DroppedUTF8: 1}})
	want := Counts{Files: 2, Read: 5, Kept: 2, Bytes: 10, Dropped: map[string]int64{DroppedEmpty: 2, DroppedUTF8: 1}}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("sum (-want +got):\n%s", diff)
	}
}

func FuzzReadJSONL(f *testing.F) {
	for _, s := range []string{`{"text":"t"}`, `{"text":"\ud83d\ude00\ud800","metadata":{"a":[1.5e3]}}`, "\x1f\x8b", "\x28\xb5\x2f\xfd", "[[[["} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		opt := Options{Format: FormatJSONL, Metadata: map[string]string{"a": "metadata.a[0]"}}
		n := int64(0)
		counts, _ := Read(context.Background(), opt, "f", bytes.NewReader(data), func(d Document) error {
			if n++; d.ID == "" || d.Text == "" || len(d.Meta) != 1 || strings.ToValidUTF8(d.ID+d.Text+d.Meta["a"], "") != d.ID+d.Text+d.Meta["a"] {
				t.Errorf("document %+v", d)
			}
			return nil
		})
		dropped := int64(0)
		for _, k := range counts.Dropped {
			dropped += k
		}
		if counts.Kept != n || counts.Read != counts.Kept+dropped {
			t.Errorf("counts %+v after %d documents", counts, n)
		}
	})
}
