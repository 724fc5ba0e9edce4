package sources

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/specs"
)

// study parses a study in a folder of its own, in which the files named lie.
func study(t *testing.T, yaml string, files ...string) *specs.Study {
	t.Helper()
	dir := t.TempDir()
	for _, name := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(`{"text":"`+name+`"}`+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	s, err := specs.Parse(filepath.Join(dir, "study.yaml"), []byte(yaml), dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const example = `ablate: 1
study: s
corpora:
  parts: {files: ["a/*.jsonl", "b/*.jsonl"], metadata: {part: metadata.part}}
tokenizer: {train: {vocab: 300, on: parts}}
partitions:
  parts: {corpus: parts, by: part, order: id, unit: {tokens: 1500}, units: {x: 2, y: 1}}
model: {d_model: 16, layers: 1, heads: 2, context: 32}
seed_model: {on: parts, tokens: 1024, batch: 256, lr: 3e-3}
train: {tokens_per_unit: 1024, batch: 256, lr: 2e-3}
mixtures: {pairs: {choose: 2}}
reference: {seq: pairs}
eval: {out_of_domain: {far: {files: "${FAR}/*.jsonl"}}}
`

// digest is that of a file's content.
func digest(path string) (cache.Digest, int64, error) {
	data, err := os.ReadFile(path)
	return cache.DigestOf(data), int64(len(data)), err
}

func TestFind(t *testing.T) {
	s := study(t, example, "a/1.jsonl", "b/2.jsonl", "data/far.jsonl")
	far := func(name string) (string, bool) { return filepath.Join(s.Dir, "data"), name == "FAR" }
	none := func(string) (string, bool) { return "", false }
	src, err := Finder{Digest: digest, Variable: far}.Find(s)
	if err != nil {
		t.Fatal(err)
	}
	if c, e := src.Corpora["parts"], src.EvalSets["far"]; len(c) != 2 || c[1].Name != "2.jsonl" && !strings.HasSuffix(c[1].Name, "2.jsonl") || len(e) != 1 || e[0].Size == 0 || e[0].Digest.IsZero() {
		t.Errorf("found %+v", src)
	}
	var list specs.Errors
	if _, err := (Finder{Digest: digest, Variable: none}).Find(s); !errors.As(err, &list) || !strings.Contains(err.Error(), "study.yaml:13:") || !strings.Contains(err.Error(), "FAR") {
		t.Errorf("a variable that is not set: %v", err)
	}
	src, err = Finder{Digest: digest, Variable: none, Absent: true}.Find(s)
	if err != nil || !slices.Equal(src.Missing, []string{"FAR"}) || len(src.EvalSets["far"]) != 1 {
		t.Errorf("to be planned without: %+v, %v", src, err)
	}
	if err := os.Remove(filepath.Join(s.Dir, "b", "2.jsonl")); err != nil {
		t.Fatal(err)
	}
	if _, err := (Finder{Digest: digest, Variable: none, Absent: true}).Find(s); !errors.As(err, &list) || len(list) != 2 || !strings.Contains(err.Error(), "b/*.jsonl") {
		t.Errorf("what is missing otherwise is told, with everything else: %v", err)
	}
	if src := StandIns(s); len(src.Corpora["parts"]) != 2 || len(src.EvalSets["far"]) != 1 {
		t.Errorf("stand-ins %+v", src)
	}
}

// Files of a record are found where they lie now, even where a pattern matches nothing any more;
// files that came later are listed without a digest; patterns that are not allowed are not looked
// at.
func TestLocate(t *testing.T) {
	s := study(t, example, "a/1.jsonl", "b/2.jsonl", "b/3.jsonl", "data/far.jsonl")
	f := Finder{Digest: digest, Variable: func(name string) (string, bool) { return filepath.Join(s.Dir, "data"), name == "FAR" }}
	recorded, err := f.Find(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a/1.jsonl", "b/3.jsonl"} {
		if err := os.Remove(filepath.Join(s.Dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(s.Dir, "b", "4.jsonl"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	where := func(allowed func(string) bool) string {
		var out []string
		for _, r := range f.Locate(s, recorded, allowed) {
			word := "here"
			switch {
			case r.Path == "":
				word = "gone"
			case r.Digest.IsZero():
				word = "new"
			}
			out = append(out, filepath.Base(r.Name)+" "+word)
		}
		return strings.Join(out, ", ")
	}
	if got, want := where(func(string) bool { return true }), "1.jsonl gone, 2.jsonl here, 3.jsonl gone, far.jsonl here, 4.jsonl new"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
	if got, want := where(func(p string) bool { return strings.HasPrefix(p, "${") }), "1.jsonl gone, 2.jsonl gone, 3.jsonl gone, far.jsonl here"; got != want {
		t.Errorf("of patterns with a variable only: %s; want %s", got, want)
	}
	if err := Complete(s, recorded); err != nil {
		t.Error(err)
	}
	if err := Complete(s, pipeline.Sources{Corpora: recorded.Corpora}); err == nil || err.Error() != "names no files of evaluation set far" {
		t.Errorf("without the evaluation set: %v", err)
	}
}
