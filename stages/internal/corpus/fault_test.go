package corpus

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/stages/internal/corpus/parquet"
)

// faulty has one document of each kind of fault between good ones.
var faulty = strings.Join([]string{
	`{"id":"1","text":"good"}`,
	`{"id":"2","text":""}`,
	`{"id":"3","text":"cut off`,
	`{"id":"4"}`,
	`{"id":"5","text":"\ud800"}`,
	"{\"id\":\"6\",\"text\":\"\xff\"}",
	``,
	`{"id":"8","text":"good"}`,
}, "\n")

// Each fault ends the reading or drops the document as the options say, and nothing is lost
// uncounted.
func TestFaults(t *testing.T) {
	drop := map[string]string{BadLine: Drop, BadText: Drop}
	with := func(word, what string) map[string]string {
		m := map[string]string{BadLine: Drop, BadText: Drop}
		m[word] = what
		return m
	}
	for _, c := range []struct {
		name string
		bad  map[string]string
		kept int64
		want string // of the error
	}{
		{"all dropped", drop, 2, ""},
		{"usual", nil, 1, `f:3:26 (byte 71): the line is no JSON object: it ends inside a value (the corpus's key bad: {line: drop}`},
		{"line", with(BadLine, Fail), 1, "f:3:26 (byte 71)"},
		{"text", with(BadText, Fail), 1, `f:4 (byte 72): no field "text"`},
		{"surrogate", with(BadSurrogate, Fail), 1, `f:5:19 (byte 101): field "text" has an escape of half`},
		{"utf8", with(BadUTF8, Fail), 1, `f:6:19 (byte 128): field "text" is not valid UTF-8`},
		{"empty", with(BadEmpty, Fail), 1, `f:2 (byte 25): document "2" has no text`},
	} {
		t.Run(c.name, func(t *testing.T) {
			docs, counts, err := read(Options{Format: FormatJSONL, Bad: c.bad}, "f", faulty)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			dropped := int64(0)
			for _, n := range counts.Dropped {
				dropped += n
			}
			if counts.Kept != c.kept || int64(len(docs)) != c.kept || counts.Read != c.kept+dropped || c.want == "" && dropped != 5 {
				t.Errorf("counts %+v, want %d kept", counts, c.kept)
			}
		})
	}
}

func TestPlaces(t *testing.T) {
	opt := Options{Format: FormatJSONL, Bad: map[string]string{BadLine: Drop, BadText: Drop}}
	_, counts, err := read(opt, "f", faulty)
	if err != nil {
		t.Fatal(err)
	}
	want := []Place{
		{Line: 2, Byte: 25, Reason: "empty"}, {Line: 3, Byte: 46, Column: 26, Reason: "bad line"}, {Line: 4, Byte: 72, Reason: "no text field"},
		{Line: 5, Byte: 83, Column: 19, Reason: "lone surrogate"}, {Line: 6, Byte: 110, Column: 19, Reason: "invalid utf-8"},
	}
	if diff := cmp.Diff(want, counts.Places); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	_, more, err := read(opt, "g", strings.Repeat("x\n", 100))
	if err != nil || more.Read != 100 || more.Dropped["bad line"] != 100 || len(more.Places) != maxPlaces {
		t.Fatalf("counts %+v, error %v, want 100 bad lines and %d places", more, err, maxPlaces)
	}
	counts.Add(more)
	last := counts.Places[len(counts.Places)-1]
	if diff := cmp.Diff(Place{File: 1, Line: 4, Byte: 6, Reason: "bad line"}, last); diff != "" || counts.Dropped["bad line"] != 101 {
		t.Errorf("last place of two files (-want +got):\n%s, dropped %v", diff, counts.Dropped)
	}
	_, text, err := read(Options{Format: FormatText}, "h", "caf\u00e9 and caf\xe9")
	if diff := cmp.Diff([]Place{{Byte: 13, Reason: "invalid utf-8"}}, text.Places); diff != "" || err != nil {
		t.Errorf("error %v, places of text (-want +got):\n%s", err, diff)
	}
}

// Documents that are kept say where they lie, too; pieces lie where their document does.
func TestKeptPlaces(t *testing.T) {
	var got []Place
	emit := func(d Document) error {
		got = append(got, d.Place)
		return nil
	}
	ctx, opt := context.Background(), Options{Format: FormatJSONL, PieceBytes: 2}
	if _, err := Read(ctx, opt, "f", strings.NewReader("{\"text\":\"a\"}\n\n{\"text\":\"b cd\"}\n"), emit); err != nil {
		t.Fatal(err)
	}
	rows := func(each func(int64, []parquet.Cell) error) error {
		return each(7, []parquet.Cell{{Present: true, String: true, Text: "t"}, {}})
	}
	if _, err := ReadRows(ctx, Options{Format: FormatTable}, "f", rows, emit); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadTokens(ctx, Options{Format: FormatToken, DType: Uint32}, "f", tokensIn(arrayOf("|a|bc|", 4), "1,3,a,,\n3,6,b,,\n"), emit); err == nil {
		t.Error("ids that no entry names are nothing")
	}
	if _, err := ReadTokens(ctx, Options{Format: FormatToken, DType: Uint32}, "f", tokensIn(arrayOf("|a|bc|", 4), "0,3,a,,\n3,6,b,,\n"), emit); err != nil {
		t.Fatal(err)
	}
	one, three := int64(1), int64(3)
	want := []Place{{Line: 1}, {Line: 3, Byte: 14}, {Line: 3, Byte: 14}, {Row: 7}, {Line: 1, Byte: 4, Token: &one}, {Line: 2, Byte: 12, Token: &three}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
}

// A line that is too long is passed over to its end, and what follows is read from the right place.
func TestLongLineIsDropped(t *testing.T) {
	lines := `{"text":"a"}` + "\n" + strings.Repeat("x", 3<<20) + "\n" + `{"text":"b"}` + "\nbad"
	var docs []string
	rd := &reader{name: "f", limit: 1 << 20, emit: func(d Document) error { docs = append(docs, d.Text); return nil }}
	err := rd.read(context.Background(), Options{Format: FormatJSONL, Bad: map[string]string{BadLine: Drop}}, strings.NewReader(lines))
	want := []Place{{Line: 2, Byte: 13, Reason: "bad line"}, {Line: 4, Byte: 13 + 3<<20 + 1 + 13, Reason: "bad line"}}
	if diff := cmp.Diff(want, rd.counts.Places); diff != "" || err != nil || strings.Join(docs, "") != "ab" || rd.counts.Read != 4 {
		t.Errorf("error %v, documents %q, %d read, places (-want +got):\n%s", err, docs, rd.counts.Read, diff)
	}
}

func TestCheckFaults(t *testing.T) {
	for _, c := range []struct {
		bad  map[string]string
		want string
	}{
		{map[string]string{"lines": Drop}, `fault "lines": want one of empty, format, index, line, surrogate, text, utf8`},
		{map[string]string{BadLine: "skip"}, `fault line is met with "skip": want drop or error`},
	} {
		if err := (Options{Format: FormatJSONL, Bad: c.bad}).Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}
