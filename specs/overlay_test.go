package specs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// folder writes files and returns their directory.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// base is what the studies of these tests extend: no study by itself, for it has no mixtures.
const base = `ablate: 1
corpora:
  go: &go {files: "a/*.go", metadata: {area: "^([^/]+)/"}, piece_bytes: 4k}
  more: {<<: *go, files: c}
tokenizer: {train: {vocab: 512, on: go}}
partitions:
  areas: {corpus: go, by: area, unit: {tokens: 100k}, units: {crypto: 2, net: 1, math: 1}}
model: {preset: small, layers: 3}
train: {tokens_per_unit: 300k, lr: 2e-3, batch: 16Ki}
eval: {tokens: 5k, out_of_domain: {x: {files: x}, y: {files: y}}}
mini:
  corpora: {go: {piece_bytes: 1k}}
  train: {tokens_per_unit: 100k}
  mixtures: {pairs: {sample: 2}}
`

func TestExtends(t *testing.T) {
	dir := folder(t, map[string]string{"base.yaml": base, "sub/study.yaml": `ablate: 1
study: over
extends: ../base.yaml
tokenizer: {file: t.json}
train: {lr: 5e-4}
partitions: {areas: {units: {crypto: 3, go: 1, os: 1}}}
corpora: {go: {exclude: z}, third: {files: d}}
eval: {out_of_domain: {z: {files: z}}}
mixtures: {pairs: {choose: 2, sample: 1}}
mini: {model: {layers: 1}, eval: {tokens: 1k}}
`})
	path := filepath.Join(dir, "sub", "study.yaml")
	full, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	mini, err := LoadScale(path, MiniScale)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		what      string
		got, want any
	}{
		{"names", []string{full.Name, mini.Name}, []string{"over", "over.mini"}},
		{"relative names start from the extending study", full.Dir, filepath.Join(dir, "sub")},
		{"a key of a section is replaced, the others stay", []any{full.Train.LR, full.Train.Batch, full.Train.TokensPerUnit}, []any{5e-4, Count(16384), Count(300_000)}},
		{"of a miniature, too", []any{mini.Train.LR, mini.Train.TokensPerUnit}, []any{5e-4, Count(100_000)}},
		{"names with plain values are replaced", full.Partitions["areas"].Units, map[string]int{"crypto": 3, "go": 1, "os": 1}},
		{"a section of one key is replaced", full.Tokenizer, Tokenizer{File: "t.json"}},
		{"sections of one name are laid over each other", []any{full.Corpora["go"].Files, full.Corpora["go"].Exclude, full.Corpora["go"].PieceBytes},
			[]any{[]string{"a/*.go"}, []string{"z"}, Count(4000)}},
		{"merge keys count before", full.Corpora["more"].PieceBytes, Count(4000)},
		{"and are not changed by what they were taken from", mini.Corpora["more"].PieceBytes, Count(4000)},
		{"the miniature of the other study", mini.Corpora["go"].PieceBytes, Count(1000)},
		{"names of the writer's choice are added", full.Corpora["third"].Files, []string{"d"}},
		{"evaluation sets are replaced", sortedKeys(full.Eval.OutOfDomain), []string{"z"}},
		{"beside them, keys stay", []any{full.Eval.Tokens, mini.Eval.Tokens}, []any{Count(5000), Count(1000)}},
		{"the preset fills what neither gives", []any{full.Model.DModel, full.Model.Layers, mini.Model.Layers}, []any{256, 3, 1}},
		{"mixtures", []any{full.Mixtures["pairs"].Sample, mini.Mixtures["pairs"].Sample}, []any{1, 2}},
	} {
		if diff := cmp.Diff(x.want, x.got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", x.what, diff)
		}
	}
	for _, s := range []*Study{full, mini} {
		again, err := Parse("again.yaml", s.Text(), s.Dir)
		if err != nil {
			t.Fatalf("%s as one file: %v\n%s", s.Name, err, s.Text())
		}
		if changes := Diff(s, again); len(changes) > 0 || len(again.Text()) != len(s.Text()) {
			t.Errorf("%s as one file differs: %v", s.Name, changes)
		}
	}
	if got, want := full.At("train", "tokens_per_unit"), (Position{filepath.Join(dir, "base.yaml"), 9, 26}); got != want {
		t.Errorf("position of a value of the other file: %v, want %v", got, want)
	}
	if got, want := full.At("train", "lr"), (Position{path, 5, 13}); got != want {
		t.Errorf("position of a value of the study: %v, want %v", got, want)
	}
}

// Mistakes are told in the file they are in.
func TestExtendsErrors(t *testing.T) {
	const study = "ablate: 1\nstudy: over\nextends: base.yaml\nmixtures: {pairs: {choose: 2}}\n"
	for _, tt := range []struct {
		name        string
		base, study string
		want        string
	}{
		{"in the base", strings.Replace(base, "lr: 2e-3", "lr: fast", 1), study, "base.yaml:9:36: train.lr: want a number, found the text \"fast\""},
		{"in the study", base, study + "train: {lr: fast}\n", "study.yaml:5:13: train.lr: want a number"},
		{"between them", base, study + "train: {batch: 1000}\n", "study.yaml:5:16: train.batch: 1000 is not a multiple of model.context 256"},
		{"in the miniature of the base", strings.Replace(base, "tokens_per_unit: 100k}", "tokens_per_unit: 100}", 1), study + "mini: {}\n", "base.yaml:13:28: in the miniature: train.tokens_per_unit: 100 is less than one batch"},
		{"in the miniature of the study", base, study + "mini: {trane: {lr: 1}}\n", "study.yaml:5:8: in the miniature: unknown key \"trane\"; did you mean \"train\"?"},
		{"in a miniature of the base that the study leaves alone", strings.Replace(base, "tokens_per_unit: 100k}", "tokens_per_unit: 100}", 1), study, ""},
		{"what a miniature cannot change", base, study + "mini: {study: other}\n", "study.yaml:5:8: mini.study: a miniature cannot change this key"},
		{"twice", base, study + "train: {lr: 1e-3, lr: 2e-3}\n", "study.yaml:5:19: train.lr: duplicate key; the first is on line 5"},
		{"what is missing in both", strings.Replace(base, "\ntrain:", "\n# train:", 1), study, "missing key \"train\""},
		{"no such file", base, strings.Replace(study, "base.yaml", "bsae.yaml", 1), "study.yaml:3:10: extends: no file \"bsae.yaml\", nor a shipped study of that name"},
		{"itself", base, strings.Replace(study, "base.yaml", "study.yaml", 1), "more than 8 studies over one another, or one over itself"},
		{"no miniature's size", base, study + "mini: small\n", "study.yaml:5:7: mini: want keys with values (key: value), found the text \"small\""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t, map[string]string{"base.yaml": tt.base, "study.yaml": tt.study})
			_, err := Load(filepath.Join(dir, "study.yaml"))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestScaleThatIsNone(t *testing.T) {
	dir := folder(t, map[string]string{"small.yaml": small + "model: {}\n"})
	_, err := LoadScale(filepath.Join(dir, "small.yaml"), MiniScale)
	if want := `no scale "mini"; the study defines only its full size`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

// The schema takes parts of a study where it extends another, and whole ones otherwise.
func TestSchemaOfParts(t *testing.T) {
	schema := compiled(t)
	for text, want := range map[string]bool{
		"ablate: 1\nstudy: x\nextends: paper/base\ntrain: {lr: 1e-3}\n": true,
		"ablate: 1\nstudy: x\ntrain: {lr: 1e-3}\n":                      false,
		"ablate: 1\nstudy: x\nextends: paper/base\ntrain: {lrr: 1}\n":   false,
		small + "model: {}\nmini: {train: {lr: 1e-3}}\n":                true,
		small + "model: {}\nmini: {train: {lrr: 1e-3}}\n":               false,
	} {
		if got := schema.Validate(decoded(t, []byte(text))) == nil; got != want {
			t.Errorf("the schema takes it: %t, want %t:\n%s", got, want, text)
		}
	}
}
