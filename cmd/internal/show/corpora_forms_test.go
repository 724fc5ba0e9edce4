package show

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the reference of the JSON form")

// TestCorpusJSONIsDocumented keeps CORPUS.md, the fields of `ablate corpus --json`, as the types
// say.
func TestCorpusJSONIsDocumented(t *testing.T) {
	var b strings.Builder
	b.WriteString("# What `ablate corpus STUDY --json` prints\n\nWritten from the types in show/corpora_forms.go by `go test ./cmd/internal/show -run CorpusJSON -update`. " +
		"Every field is always there; lists may be empty.\n`--csv` prints the timelines of all sets as one table, with the same columns, the set before them and the units by name. Text that a spreadsheet would take for a formula has an apostrophe before it.\n")
	describe(t, &b, "The object", reflect.TypeFor[CorporaForm]())
	const path = "../../ablate/CORPUS.md"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s (-file +types; go test ./cmd/internal/show -run CorpusJSON -update writes it):\n%s", path, diff)
	}
}

// describe writes a table of a struct's fields, and then of the structs that its lists are of.
func describe(t *testing.T, b *strings.Builder, title string, s reflect.Type) {
	t.Helper()
	fmt.Fprintf(b, "\n## %s\n\n| field | type | meaning |\n| --- | --- | --- |\n", title)
	type list struct {
		title string
		of    reflect.Type
	}
	var lists []list
	for i := range s.NumField() {
		f := s.Field(i)
		name, doc := f.Tag.Get("json"), f.Tag.Get("doc")
		if name == "" || doc == "" {
			t.Errorf("%s.%s has no name or no meaning", s, f.Name)
		}
		words := map[reflect.Kind]string{reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "number", reflect.Int64: "number", reflect.Slice: "list of objects"}
		word, ok := words[f.Type.Kind()]
		if !ok {
			t.Errorf("%s.%s is a %s", s, f.Name, f.Type)
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", name, word, doc)
		if f.Type.Kind() == reflect.Slice {
			lists = append(lists, list{"An object of " + name, f.Type.Elem()})
		}
	}
	for _, l := range lists {
		describe(t, b, l.title, l.of)
	}
}
