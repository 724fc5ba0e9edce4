package corpus

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBetween(t *testing.T) {
	opt := Options{Format: FormatJSONL, Metadata: map[string]string{"year": "y", "k": "k"}, Between: map[string]string{"year": "1970-2022", "k": "-2--1"}}
	var lines strings.Builder
	for _, l := range []string{
		`{"id":"first","text":"t","y":1970,"k":-2}`, `{"id":"last","text":"t","y":"2022","k":-1}`, `{"id":"early","text":"t","y":1969,"k":-1}`,
		`{"id":"late","text":"t","y":2023,"k":-1}`, `{"id":"none","text":"t","k":-1}`, `{"id":"word","text":"t","y":"MCM","k":-1}`,
		`{"id":"half","text":"t","y":1999.5,"k":-1}`, `{"id":"list","text":"t","y":[1.999e3],"k":-1}`, `{"id":"k","text":"t","y":1999,"k":0}`, `{"id":"void","text":"","y":1}`,
	} {
		lines.WriteString(l + "\n")
	}
	docs, counts, err := read(opt, "f", lines.String())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range docs {
		got = append(got, d.ID)
	}
	if diff := cmp.Diff([]string{"first", "last", "list"}, got); diff != "" {
		t.Errorf("documents (-want +got):\n%s", diff)
	}
	want := map[string]int64{"year outside 1970-2022": 5, "k outside -2--1": 1, "empty": 1}
	if diff := cmp.Diff(want, counts.Dropped); diff != "" || counts.Read != 10 || counts.Kept != 3 {
		t.Errorf("counts %+v, dropped (-want +got):\n%s", counts, diff)
	}
	early := int64(strings.Index(lines.String(), `{"id":"early"`))
	if len(counts.Places) != 7 || counts.Places[0] != (Place{Line: 3, Byte: early, Reason: "year outside 1970-2022"}) {
		t.Errorf("places %+v", counts.Places)
	}
}

func TestCheckBetween(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"date", "1-2", `between: no metadata "date"`},
		{"year", "1970", `between: year: range "1970": want two whole numbers`},
		{"year", "2022-1970", "ends before it begins"},
	} {
		opt := Options{Format: FormatText, Metadata: map[string]string{"year": "(x)"}, Between: map[string]string{c.name: c.value}}
		if err := opt.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %s: error %v, want %q", c.name, c.value, err, c.want)
		}
	}
}
