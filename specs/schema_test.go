package specs

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compiled(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("study.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("study.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchemaAcceptsShippedStudies(t *testing.T) {
	schema := compiled(t)
	for _, name := range Shipped() {
		data, err := shipped.ReadFile("studies/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(decoded(t, data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchemaIsStable(t *testing.T) {
	if !bytes.Equal(Schema(), Schema()) {
		t.Error("two calls give different bytes")
	}
}

// What concerns one value alone is in the schema too.
func TestSchemaRefuses(t *testing.T) {
	schema := compiled(t)
	if err := schema.Validate(decoded(t, []byte(small+"model: {}\n"))); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ name, text string }{
		{"unknown key", small + "model: {}\nmodle: 1\n"},
		{"unknown key below", small + "model: {width: 1}\n"},
		{"missing key", small},
		{"wrong word", small + "model: {preset: tinny}\n"},
		{"wrong word in a list", small + "model: {}\nproxies: [mergd]\n"},
		{"wrong single word", small + "model: {}\nproxies: mergd\n"},
		{"text for a number", small + "model: {layers: two}\n"},
		{"fraction for a whole number", small + "model: {layers: 1.5}\n"},
		{"word for a truth value", small + "model: {norm_bias: yes}\n"},
		{"truth value for text", small + "model: {}\nabout: true\n"},
		{"nothing", small + "model:\n"},
		{"below the least", small + "model: {layers: 0}\n"},
		{"at an open bound", small + "model: {}\noptimizer: {beta1: 1}\n"},
		{"wrong count", small + "model: {}\neval: {documents: 8K}\n"},
		{"negative count", small + "model: {}\neval: {documents: -8}\n"},
		{"wrong share", small + "model: {}\nheldout: {test: five}\n"},
		{"share above 1", small + "model: {}\nheldout: {test: 5}\n"},
		{"wrong name", strings.Replace(small, "areas:", "a/b:", 1) + "model: {}\n"},
		{"wrong name of the study", strings.Replace(small, "small", "a//b", 1) + "model: {}\n"},
		{"both of one", strings.Replace(small, "tokenizer: {", "tokenizer: {file: x, ", 1) + "model: {}\n"},
		{"none of one", strings.Replace(small, "{train: {vocab: 512, on: go}}", "{}", 1) + "model: {}\n"},
		{"empty list", strings.Replace(small, `"a/*.go"`, "[]", 1) + "model: {}\n"},
		{"other version", strings.Replace(small, "ablate: 1", "ablate: 2", 1) + "model: {}\n"},
	} {
		if schema.Validate(decoded(t, []byte(x.text))) == nil {
			t.Errorf("%s: the schema accepts it", x.name)
		}
		if _, err := Parse("x", []byte(x.text), "."); err == nil {
			t.Errorf("%s: Parse accepts it", x.name)
		}
	}
}

// Files whose mistakes are all of the kind that a schema sees; all that the schema refuses, Parse
// refuses in the fuzz test.
func TestSchemaRefusesGoldenMistakes(t *testing.T) {
	schema := compiled(t)
	for _, name := range []string{"types", "ranges", "words", "nothing"} {
		data, err := os.ReadFile(filepath.Join("testdata/errors", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if schema.Validate(decoded(t, data)) == nil {
			t.Errorf("%s: the schema accepts it", name)
		}
	}
}

func TestReferenceIsCurrent(t *testing.T) { golden(t, "REFERENCE.md", Markdown()) }
