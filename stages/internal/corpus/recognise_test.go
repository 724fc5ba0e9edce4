package corpus

import (
	"strings"
	"testing"
)

func TestRecognise(t *testing.T) {
	long := strings.Repeat("words and more ", 400)
	for _, c := range []struct{ name, content, field, want, err string }{
		{"nothing", "", "", FormatText, ""},
		{"prose", "The keeper lit the lamp.\n", "", FormatText, ""},
		{"lines of JSON", "{\"text\":\"a\"}\n{\"text\":\"b\"}\n", "", FormatJSONL, ""},
		{"with a byte order mark and blank lines", "\uFEFF\n \n{\"text\":\"a\"}\r\n\r\n{\"text\":\"b\"}", "", FormatJSONL, ""},
		{"with another field", "{\"body\":\"a\"}\n{\"body\":\"b\"}\n", "", FormatJSONL, ""},
		{"one line with the text", "{\"text\":\"a\"}\n", "", FormatJSONL, ""},
		{"one line without", "{\"name\":\"a\"}\n", "", FormatText, ""},
		{"one line, the field named", "{\"doc\":{\"body\":\"a\"}}", "doc.body", FormatJSONL, ""},
		{"one line, the text a number", "{\"text\":1}", "", FormatText, ""},
		{"a first line longer than what is looked at", "{\"text\":\"" + long + "\"}\n{\"text\":\"b\"}\n", "", FormatJSONL, ""},
		{"that is cut off inside an escape", "{\"text\":\"" + strings.Repeat("x", headBytes-13) + "\\u00e9\"}\n", "", FormatJSONL, ""},
		{"a second line longer than what is looked at", "{\"text\":\"a\"}\n{\"text\":\"" + long + "\"}\n", "", FormatJSONL, ""},
		{"one value over several lines", "{\n  \"name\": \"a\"\n}\n", "", FormatText, ""},
		{"source code in braces", "{ int x = 1; }\n{ int y = 2; }\n", "", FormatText, ""},
		{"an object, then prose", "{\"text\":\"a\"}\nand more\n", "", FormatText, ""},
		{"an object and more in its line", "{\"a\":1} b\n{\"a\":1}\n", "", FormatText, ""},
		{"brackets of prose", "[1] A note.\n", "", FormatText, ""},
		{"an array of numbers", "[1, 2]\n", "", FormatText, ""},
		{"data of Clojure", "[{:a 1}]\n", "", FormatText, ""},
		{"an array of objects", "[\n {\"text\":\"a\"},\n {\"text\":\"b\"}\n]\n", "", "", "the file is a JSON array"},
		{"a long array of objects", "[{\"text\":\"" + long, "", "", "the file is a JSON array"},
		{"Parquet", "PAR1\x15\x04\x15\x10", "", FormatTable, ""},
		{"the letters of Parquet", "PAR1 is a word.\n", "", FormatText, ""},
		{"NumPy", numpyMagic + "\x01\x00", "", FormatToken, ""},
		{"compressed lines", zipped(t, "{\"text\":\"a\"}\n{\"text\":\"b\"}\n"), "", FormatJSONL, ""},
		{"compressed Parquet", zipped(t, "PAR1\x15\x04"), "", "", "a Parquet file inside a compressed one: decompress it"},
		{"an archive", "PK\x03\x04", "", "", "a zip archive"},
		{"the letters of bzip2", "BZh9 is no file.\n", "", FormatText, ""},
		{"a square", "Punctuation: P*M\n", "", FormatText, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := recognise(strings.NewReader(c.content), c.field)
			if got != c.want || c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("%q, %v, want %q, %q", got, err, c.want, c.err)
			}
		})
	}
}

// What is absent and what there is are counted by name, and where nothing is found it is said what
// there would be.
func TestValues(t *testing.T) {
	opt := Options{Format: FormatJSONL, Metadata: map[string]string{"area": "meta.area", "year": "meta.year", "typo": "meta.yaer"}, Between: map[string]string{"year": "1990-1999"}}
	_, counts, err := read(opt, "f", strings.Join([]string{
		`{"id":"a","text":"t","meta":{"area":"x","year":1991}}`, `{"id":"b","text":"t","meta":{"year":"1995"}}`, `{"id":"c","text":"t","meta":{"area":"x","year":2010}}`,
		`{"id":"d","text":"t","meta":{"area":"x","year":"1990-03-01"}}`, `{"id":"e","text":"t"}`,
	}, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Values{
		"area": {Absent: 1, Found: 3}, "typo": {Absent: 2}, "year": {Found: 4, Numbers: true, Least: 1991, Most: 2010, Other: "1990-03-01"},
	} {
		if got := counts.Values[name]; got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	if got := strings.Join(counts.Paths, " "); got != "id meta.area meta.year text" || counts.Kept != 2 || counts.Dropped["year outside 1990-1999"] != 3 {
		t.Errorf("paths %q, counts %+v", got, counts)
	}
	sum := Counts{}
	sum.Add(counts)
	sum.Add(counts)
	if got, want := sum.Values["year"], (Values{Found: 8, Numbers: true, Least: 1991, Most: 2010, Other: "1990-03-01"}); got != want {
		t.Errorf("twice: %+v, want %+v", got, want)
	}
}

// A byte order mark at the start of a file is no text, in any format; one inside a value is.
func TestByteOrderMark(t *testing.T) {
	const mark = "\uFEFF"
	for _, c := range []struct{ name, format, content, want string }{
		{"text", FormatText, mark + "text", "text"},
		{"compressed text", FormatText, zipped(t, mark+"text"), "text"},
		{"lines", FormatJSONL, mark + `{"text":"text"}`, "text"},
		{"compressed lines", FormatJSONL, zipped(t, mark+`{"text":"text"}`), "text"},
		{"inside a value", FormatJSONL, `{"text":"` + mark + `text"}`, mark + "text"},
		{"in the midst of a text", FormatText, "text" + mark, "text" + mark},
	} {
		t.Run(c.name, func(t *testing.T) {
			docs, counts, err := read(Options{Format: c.format}, "f", c.content)
			if err != nil || len(docs) != 1 || docs[0].Text != c.want || counts.Bytes != int64(len(c.want)) {
				t.Errorf("%+v, %+v, %v", docs, counts, err)
			}
		})
	}
	if docs, counts, err := read(Options{Format: FormatText}, "f", mark); err != nil || len(docs) != 0 || counts.Dropped[DroppedEmpty] != 1 {
		t.Errorf("a mark alone: %+v, %+v, %v", docs, counts, err)
	}
	_, counts, _ := read(Options{Format: FormatText}, "f", mark+"caf\xe9")
	if len(counts.Places) != 1 || counts.Places[0].Byte != 6 {
		t.Errorf("places %+v, want byte 6", counts.Places)
	}
}
