package specs

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

// small is a study with only what must be given; tests put more behind it.
const small = `ablate: 1
study: small
corpora:
  go: {files: "a/*.go", metadata: {area: "^([^/]+)/"}}
tokenizer: {train: {vocab: 512, on: go}}
partitions:
  areas: {corpus: go, by: area, unit: {tokens: 100k}}
train: {tokens_per_unit: 300k}
mixtures: {pairs: {choose: 2}}
`

func parse(t *testing.T, text string) *Study {
	t.Helper()
	s, err := Parse("small.yaml", []byte(text), "dir")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestShippedStudiesLoad(t *testing.T) {
	names := Shipped()
	if !slices.Contains(names, "smoke") {
		t.Fatalf("shipped studies %q lack smoke", names)
	}
	for _, name := range names {
		s, err := Load(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.About == "" {
			t.Errorf("%s: no question under about", name)
		}
		if s.Mini.Given() {
			if _, err := LoadScale(name, MiniScale); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// Every default of the language, as an absent key leaves it.
func TestDefaults(t *testing.T) {
	got := parse(t, small+"model: {}\nseed_model: {on: go, tokens: 3M}\n")
	got.root, got.files, got.text = nil, nil, nil
	want := &Study{
		Version: 1, Name: "small", Path: "small.yaml", Dir: "dir",
		Corpora: map[string]Corpus{"go": {
			Files: []string{"a/*.go"}, Format: "auto", Text: "text", ID: "id", Metadata: map[string]string{"area": "^([^/]+)/"}, Absent: "NA",
			Bad: Bad{Line: "error", Text: "error", UTF8: "drop", Surrogate: "drop", Empty: "drop", Duplicate: "auto", Format: "error", Index: "error"},
		}},
		Tokenizer:     Tokenizer{Train: &TokenizerTrain{Vocab: 512, On: "go", Bytes: 32e6, MinFrequency: 2}},
		Partitions:    map[string]Partition{"areas": {Corpus: "go", By: []string{"area"}, Order: "id", Unit: Unit{100_000, "document"}, Small: "error"}},
		Heldout:       Heldout{Validation: 0, Test: 0.05, Seed: 1},
		Decontaminate: Decontaminate{Against: []string{}, MinTokens: 13, Paragraph: "line", Filter: "exact", FalsePositives: 1e-5, Seed: 1},
		Model:         Model{"tiny", presets["tiny"]},
		Optimizer:     Optimizer{Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, WeightDecay: 0.1, Clip: 1},
		SeedModel: &SeedModel{
			On: "go", Tokens: 3e6, Batch: 8192, LR: 1e-3, Warmup: 0.02, Schedule: "cosine", FinalLR: 1e-4, Seed: 1, Precision: "fp32",
		},
		Train: Train{
			TokensPerUnit: 300_000, Batch: 8192, LR: 1e-3, Schedule: "constant", FinalLR: 1e-4, OptimizerState: "keep", Sampling: "equal", Seed: 1, Replicates: 1, Precision: "fp32",
		},
		Mixtures:  map[string]Mixture{"pairs": {Choose: 2, From: []string{"areas"}, Of: "partitions", Seed: 1}},
		Proxies:   []string{"mean_ind", "ind_id", "merged", "macro", "micro"},
		Reference: Reference{Seq: []string{}, Replicates: 1},
		Weights:   Weights{Of: "models", By: "units"},
		Eval:      Eval{InDomain: "mixture", Documents: 1000},
		Correlate: Correlate{Resamples: 2000, Level: 0.95, Seed: 1},
	}
	want.Model.Preset = "tiny"
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Study{}, Overlay{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestWords(t *testing.T) {
	s := parse(t, `ablate: 1
study: 2019
corpora:
  go: &go {files: [a, b], metadata: {area: "^([^/]+)/"}}
  more: {<<: *go, files: c}
  most: {<<: [{files: d, absent: none}, *go], format: text}
tokenizer: {file: t.json}
partitions:
  areas: {corpus: go, by: area, only: [2019, "true", 1e3], unit: {tokens: 100k}}
model: {}
train: {tokens_per_unit: 300k}
mixtures: {named: {list: [[2019, "true"], [1e3]]}}
eval: {in_domain: none, out_of_domain: {x: {about: y, files: z}}}
`)
	for _, x := range []struct {
		what      string
		got, want any
	}{
		{"a number is text as written", s.Name, "2019"},
		{"numbers in a list", s.Partitions["areas"].Only, []string{"2019", "true", "1e3"}},
		{"numbers in lists of lists", s.Mixtures["named"].List, []Listed{{Names: []string{"2019", "true"}}, {Names: []string{"1e3"}}}},
		{"own keys win over merged ones", s.Corpora["more"].Files, []string{"c"}},
		{"merged keys fill the rest", s.Corpora["more"].Metadata, map[string]string{"area": "^([^/]+)/"}},
		{"of merged mappings the first wins", s.Corpora["most"].Files, []string{"d"}},
		{"a later merged mapping fills the rest", s.Corpora["most"].Metadata, map[string]string{"area": "^([^/]+)/"}},
		{"keys of the embedded corpus", s.Eval.OutOfDomain["x"].Files, []string{"z"}},
		{"defaults of the embedded corpus", s.Eval.OutOfDomain["x"].Absent, "NA"},
		{"ind_id needs in-domain text", s.Proxies, []string{"mean_ind", "merged", "macro", "micro"}},
	} {
		if diff := cmp.Diff(x.want, x.got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", x.what, diff)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("mine.yaml", []byte(small+"model: {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := Load(filepath.Join(dir, "mine.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if s.Dir != dir || s.Name != "small" {
		t.Errorf("got study %s of directory %s, want small of %s", s.Name, s.Dir, dir)
	}
	if s, err = Load("smoke"); err != nil || s.Name != "smoke" || s.Dir != "." {
		t.Errorf("Load(smoke) = %v, %v", s, err)
	}
	if err := os.Mkdir("folder", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ path, want string }{
		{"smok", `did you mean "smoke"?`},
		{"smoke.yaml", `did you mean "smoke"?`},
		{"nowhere/like/this.yaml", "shipped studies "},
		{"../studies/smoke", "no such file"},
		{"folder", "directory"},
		{"", "no such file"},
	} {
		_, err := Load(x.path)
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("Load(%q): %v, want an error with %q", x.path, err, x.want)
		}
	}
	if err := os.WriteFile("smoke", []byte(small+"model: {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if s, err = Load("smoke"); err != nil || s.Name != "small" {
		t.Errorf("a file called smoke does not win over the shipped study: %v, %v", s, err)
	}
	if err := os.WriteFile("large.yaml", make([]byte, maxBytes+1), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load("large.yaml"); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a large file: %v", err)
	}
}

func TestAt(t *testing.T) {
	s := parse(t, `ablate: 1
study: at
corpora:
  go:
    files: ["a/*.go",
            "b/*.go"]
    metadata: &m {area: "^([^/]+)/"}
  seed: {files: c.txt, metadata: *m}
  more: {<<: {files: d.txt}}
tokenizer: {train: {vocab: 512, on: seed}}
partitions:
  areas: {corpus: go, by: area, unit: {tokens: 100k}}
model: {preset: tiny}
train: {tokens_per_unit: 300k}
mixtures: {pairs: {list: [[x, y], [z, é, u]]}}
`)
	for _, x := range []struct {
		path string
		want string
	}{
		{"", "1:1"},
		{"study", "2:8"},
		{"corpora", "3:1"},
		{"corpora go", "4:3"},
		{"corpora go files", "5:5"},
		{"corpora go files 0", "5:13"},
		{"corpora go files 1", "6:13"},
		{"corpora go files 2", "5:5"},
		{"corpora go files -1", "5:5"},
		{"corpora go absent", "4:3"},
		{"corpora nowhere files", "3:1"},
		{"corpora seed files", "8:17"},
		{"corpora seed files 0", "8:17"},
		{"corpora seed metadata area", "7:25"},
		{"corpora more files", "9:22"},
		{"mixtures pairs list 1 2", "15:42"},
		{"optimizer beta1", "1:1"},
	} {
		got := s.At(strings.Fields(x.path)...)
		if got.String() != "small.yaml:"+x.want {
			t.Errorf("At(%s) = %v, want %s", x.path, got, x.want)
		}
	}
	if got, want := s.Errorf([]string{"corpora", "go", "files", "1"}, "matches %d files", 0).Error(),
		"small.yaml:6:13: corpora.go.files.1: matches 0 files"; got != want {
		t.Errorf("Errorf: %s, want %s", got, want)
	}
	if got := (&Study{Path: "made.yaml"}).At("study").String(); got != "made.yaml" {
		t.Errorf("At of a study without text: %s", got)
	}
}

// Tabs, comments, Windows line ends and a byte order mark are no mistakes.
func TestLenient(t *testing.T) {
	for name, text := range map[string]string{
		"windows":  strings.ReplaceAll(small+"model: {}\n", "\n", "\r\n"),
		"bom":      "\ufeff" + small + "model: {}\n",
		"comments": "# one\n" + small + "model: {} \t# two\n...\n",
		"marker":   "---\n" + small + "model: {}\n",
		"tabs":     small + "model:\t{}\n",
	} {
		if _, err := Parse(name, []byte(text), "."); err != nil {
			t.Error(err)
		}
	}
}

// A small file must not cost much work: aliases of aliases, merge keys that multiply, and long
// words.
func TestBounded(t *testing.T) {
	var laughs strings.Builder
	laughs.WriteString(small + "model: {}\nproxies: &a [" + strings.Repeat("merged, ", 3000) + "]\n")
	laughs.WriteString("reference: {seq: *a}\n")
	list := "decontaminate: {against: &b [" + strings.Repeat("x,", 2000) + "]}\n"
	many := "mixtures: {pairs: {list: [" + strings.Repeat("*b,", 2000) + "]}}\n"
	for name, x := range map[string]struct{ text, want string }{
		"lists":  {strings.Replace(small, "mixtures: {pairs: {choose: 2}}\n", list+many, 1), "more than"},
		"words":  {laughs.String(), "named twice"},
		"merges": {small + "model: &m {<<: [" + strings.Repeat("*m,", 200) + "]}\n", "deep"},
		"key":    {small + "model: {" + strings.Repeat("x", 1000) + ": 1}\n", "unknown key"},
		"nested": {small + "model: " + strings.Repeat("[", 20000) + "\n", "not YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("x", []byte(x.text), ".")
			var errs Errors
			if !errors.As(err, &errs) || !strings.Contains(err.Error(), x.want) {
				t.Fatalf("got %.300v, want an error with %q", err, x.want)
			}
		})
	}
}

// decoded is a YAML text as JSON values, with merge keys resolved: what an editor checks against
// the schema.
func decoded(t *testing.T, data []byte) any {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal(data, &n); err != nil {
		t.Fatal(err)
	}
	return plainValue(t, newDecoder(""), n.Content[0])
}

func plainValue(t *testing.T, d *decoder, n *yaml.Node) any {
	n = target(n)
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for _, p := range d.pairs(n, nil) {
			m[target(p.key).Value] = plainValue(t, d, p.value)
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, x := range n.Content {
			list = append(list, plainValue(t, d, x))
		}
		return list
	}
	if n.ShortTag() == "!!timestamp" {
		return n.Value // YAML 1.2 has none, and JSON neither
	}
	var v any
	if err := n.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestShippedSchemaLine: an editor finds the schema of each shipped study by its first line.
func TestShippedSchemaLine(t *testing.T) {
	for _, name := range append(Shipped(), "paper/base") {
		text, err := ShippedText(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(text), "# yaml-language-server: $schema=ablate.schema.json\n") {
			t.Errorf("%s does not begin with the line", name)
		}
	}
	if _, err := ShippedText("nothing"); err == nil || !strings.Contains(err.Error(), "smoke") {
		t.Errorf("of a study that there is not: %v", err)
	}
}
