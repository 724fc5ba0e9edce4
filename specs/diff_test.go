package specs

import (
	"fmt"
	"strings"
	"testing"
)

// text is a study that the cases below change.
const text = `ablate: 1
study: small
corpora:
  go:
    files: "*.go"
    exclude: ["**/testdata/**", "**/*_test.go"]
    metadata: {area: "^([^/]+)/"}
tokenizer: {train: {vocab: 512, on: go}}
partitions:
  areas: {corpus: go, by: area, unit: {tokens: 20k}}
heldout: {test: 10%}
model: {d_model: 32, layers: 1, heads: 2, context: 64}
train: {tokens_per_unit: 16Ki, batch: 1Ki}
mixtures: {pairs: {choose: 2}}
`

func TestDiff(t *testing.T) {
	load := func(name, text string) *Study {
		t.Helper()
		s, err := Parse(name, []byte(text), ".")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	old := load("old.yaml", text)
	for _, c := range []struct{ name, from, to, want string }{
		{"nothing", "", "", ""},
		{"how a number is written", "tokens_per_unit: 16Ki", "tokens_per_unit: 16384", ""},
		{"a default spelt out", "layers: 1,", "layers: 1, tied_head: true,", ""},
		{"a comment and the order of keys", "{d_model: 32, layers: 1, ", "{layers: 1, d_model: 32, ", ""},
		{"a number", "tokens_per_unit: 16Ki", "tokens_per_unit: 32Ki", "train.tokens_per_unit: 16384 (old.yaml:13:26), 32768 (new.yaml:13:26)"},
		{"a list", `exclude: ["**/testdata/**", "**/*_test.go"]`, `exclude: ["**/testdata/**"]`, "corpora.go.exclude: [**/testdata/**, **/*_test.go] (old.yaml:6:5), [**/testdata/**] (new.yaml:6:5)"},
		{"something new", "heldout: {test: 10%}", "heldout: {test: 10%, validation: 5%}", "heldout.validation: 0 (old.yaml:11:1), 0.05 (new.yaml:11:34)"},
		{"something gone", "metadata: {area: \"^([^/]+)/\"}", "metadata: {area: \"^([^/]+)/\", x: \"^(a)\"}", "corpora.go.metadata.x:  (old.yaml), ^(a) (new.yaml:7:38)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if n := strings.Count(text, c.from); c.from != "" && n != 1 {
				t.Fatalf("%q is there %d times", c.from, n)
			}
			var got []string
			for _, d := range Diff(old, load("new.yaml", strings.Replace(text, c.from, c.to, 1))) {
				got = append(got, fmt.Sprintf("%s: %s (%s), %s (%s)", d.Path, d.Old, d.OldAt, d.New, d.NewAt))
			}
			if got := strings.Join(got, "\n"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	if got := Diff(load("new.yaml", strings.Replace(text, "heldout: {test: 10%}", "heldout: {test: 10%, validation: 5%}", 1)), old); len(got) != 1 || got[0].New != "0" {
		t.Errorf("the other way round: %+v", got)
	}
}
