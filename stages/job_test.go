package stages

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ablate/cache"
	"ablate/stages/kind"
)

// result is what a job left behind: its folder.
type result string

// path is where an output lies.
func (r result) path(name string) string { return filepath.Join(string(r), filepath.FromSlash(name)) }

// outputs reads every output.
func (r result) outputs(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	if err := filepath.WalkDir(string(r), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(string(r), path)
		all[filepath.ToSlash(name)] = string(b)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func (r result) names(t *testing.T) []string { return slices.Sorted(maps.Keys(r.outputs(t))) }

// sameOutputs fails unless both folders hold the same files with the same bytes.
func sameOutputs(t *testing.T, a, b result) {
	t.Helper()
	x, y := a.outputs(t), b.outputs(t)
	for _, name := range slices.Sorted(maps.Keys(x)) {
		if other, ok := y[name]; !ok || other != x[name] {
			t.Errorf("output %s differs (%d bytes, %d bytes, there: %v)", name, len(x[name]), len(other), ok)
		}
	}
	for name := range y {
		if _, ok := x[name]; !ok {
			t.Errorf("output %s is only in the second", name)
		}
	}
}

// roles are inputs: role -> path.
type roles map[string]string

// numbered adds paths as prefix.0, prefix.1, ...
func (r roles) numbered(prefix string, paths ...string) roles {
	for i, p := range paths {
		r[kind.Role(prefix, i)] = p
	}
	return r
}

// newJob makes a job with its folders.
func newJob(t *testing.T, params any, in roles) *kind.Job {
	t.Helper()
	b, err := json.Marshal(params)
	if err != nil {
		t.Fatal(err)
	}
	job := &kind.Job{Params: b, Dir: t.TempDir(), Partial: t.TempDir(), Threads: 2, SaveEvery: time.Hour}
	for _, role := range slices.Sorted(maps.Keys(in)) {
		data, err := os.ReadFile(in[role])
		if err != nil {
			t.Fatal(err)
		}
		job.Inputs = append(job.Inputs, kind.Input{Role: role, Digest: cache.DigestOf(data), Path: in[role]})
	}
	return job
}

// runKind carries out a step and fails the test if the step fails.
func runKind(t *testing.T, name string, params any, in roles) result {
	t.Helper()
	job := newJob(t, params, in)
	if err := Table()[name](t.Context(), job); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return result(job.Dir)
}

// failKind carries out a step that must fail with all of the texts in its error.
func failKind(t *testing.T, name string, params any, in roles, texts ...string) {
	t.Helper()
	err := Table()[name](context.Background(), newJob(t, params, in))
	if err == nil {
		t.Fatalf("%s: no error, want one with %q", name, texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%s: error %q lacks %q", name, err, text)
		}
	}
}

// line is a JSON Lines document.
type line struct {
	ID   string `json:"id"`
	Text string `json:"text"`
	Area string `json:"area,omitempty"`
	Year string `json:"year,omitempty"`
}

// writeLines makes a JSON Lines file.
func writeLines(t *testing.T, docs ...line) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "docs.jsonl")
	var b []byte
	for _, d := range docs {
		l, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		b = append(append(b, l...), '\n')
	}
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

var readLines = kind.Read{Format: "jsonl", Text: "text", ID: "id", Metadata: map[string]string{"area": "area", "year": "year"}, Absent: "NA"}

// prose makes text of n words that repeats little and is learnable: word k follows a rule with the seed.
func prose(seed, n int) string {
	words := []string{"the", "model", "reads", "a", "page", "of", "text", "and", "then", "writes", "another", "one", "for", "people", "who", "ask"}
	var b strings.Builder
	x := uint32(seed)*2654435761 + 12345
	for i := range n {
		x = x*1664525 + 1013904223
		b.WriteString(words[(x>>24)%uint32(len(words))])
		switch {
		case i%17 == 16:
			b.WriteString(".\n")
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// smallCorpus has n documents over the given areas.
func smallCorpus(n int, areas ...string) []line {
	var docs []line
	for i := range n {
		docs = append(docs, line{
			ID: fmt.Sprintf("doc-%03d", i), Text: prose(i, 40+7*(i%9)), Area: areas[i%len(areas)], Year: fmt.Sprint(1990 + i*7%30),
		})
	}
	return docs
}

// smallTokenizer trains a tokenizer on the small corpus.
func smallTokenizer(t *testing.T) string {
	t.Helper()
	r := runKind(t, kind.Tokenizer, kind.TokenizerParams{Vocab: 300, MinFrequency: 2, Bytes: 1 << 20, Read: readLines},
		roles{}.numbered("file", writeLines(t, smallCorpus(40, "go", "c")...)))
	return r.path(kind.OutTokenizer)
}

var tokenizeLines = kind.TokenizeParams{Read: readLines, Paragraph: "line", MinTokens: 13}

// tokenized tokenizes documents with the small tokenizer.
func tokenized(t *testing.T, tokenizer string, docs ...line) result {
	t.Helper()
	return runKind(t, kind.Tokenize, tokenizeLines, roles{"tokenizer": tokenizer}.numbered("file", writeLines(t, docs...)))
}
