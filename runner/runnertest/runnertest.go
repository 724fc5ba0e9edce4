// Package runnertest has what tests of finished runs share: a study of every kind of step but
// merge and ensemble, small enough to be carried out in a second, and a run of it that tests
// can damage.
package runnertest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/runner"
	"ablate/specs"
	"ablate/stages"
)

// Study is the text of the study.
const Study = `
ablate: 1
study: tiny
corpora:
  seed: {files: seed.jsonl}
  parts: {files: [a.jsonl, b.jsonl], metadata: {part: metadata.part}}
tokenizer: {train: {vocab: 300, on: seed}}
partitions:
  parts: {corpus: parts, by: part, unit: {tokens: 1000}, units: {alpha: 1, beta: 1, gamma: 1}, small: keep}
heldout: {test: 20%}
model: {d_model: 8, layers: 1, heads: 2, context: 16}
seed_model: {on: seed, tokens: 512, batch: 64}
train: {tokens_per_unit: 256, batch: 64}
mixtures: {pairs: {choose: 2}}
proxies: [micro, mean_ind]
reference: {seq: pairs}
correlate: {resamples: 200}
eval: {in_domain: mixture}
`

// Plan compiles the study over text that it writes into a directory.
func Plan(t testing.TB, dir string) *pipeline.Plan {
	t.Helper()
	study, err := specs.Parse("study.yaml", []byte(Study), dir)
	if err != nil {
		t.Fatal(err)
	}
	src := pipeline.Sources{Corpora: map[string][]pipeline.File{}}
	parts := []string{"alpha", "beta", "gamma"}
	for corpus, files := range map[string][]string{"seed": {"seed.jsonl"}, "parts": {"a.jsonl", "b.jsonl"}} {
		for _, name := range files {
			var text strings.Builder
			for i := range 60 {
				part := parts[i%len(parts)]
				words := strings.Repeat(fmt.Sprintf("the %s of %s number %d is %d. ", part, name, i, i*i), 8)
				fmt.Fprintf(&text, `{"id": "%s-%d", "text": %q, "metadata": {"part": %q}}`+"\n", name, i, words, part)
			}
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, []byte(text.String()), 0o666); err != nil {
				t.Fatal(err)
			}
			digest := cache.DigestOf([]byte(text.String()))
			src.Corpora[corpus] = append(src.Corpora[corpus], pipeline.File{Path: path, Name: name, Size: int64(text.Len()), Digest: digest})
		}
	}
	p, err := pipeline.Compile(study, src, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Finished is a run of the study that came to its end.
type Finished struct {
	Cache string // directory
	Plan  *pipeline.Plan
	State *pipeline.State
}

// Run carries the study out, in a cache and over text below dir.
func Run(t testing.TB, dir string) Finished {
	t.Helper()
	f := Finished{Cache: filepath.Join(dir, "cache")}
	c, err := cache.Open(f.Cache)
	if err != nil {
		t.Fatal(err)
	}
	f.Plan = Plan(t, dir)
	f.State, err = runner.Run(t.Context(), f.Plan, runner.Options{Cache: c, Kinds: stages.Kinds(), Slots: 2, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return f
}

// Copy copies the cache of the run, so that a test may damage it.
func (f Finished) Copy(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "cache")
	if err := os.CopyFS(dir, os.DirFS(f.Cache)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Step is the number of a step.
func (f Finished) Step(t testing.TB, id string) int {
	t.Helper()
	i, err := f.Plan.Find(id)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// Overwrite replaces a file of a cache, which nobody may write to.
func Overwrite(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Remove removes a file of a cache.
func Remove(t testing.TB, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// EntryPath is where a cache has an entry.
func EntryPath(dir string, k cache.Key) string {
	return filepath.Join(dir, "entries", k.String()[:2], k.String())
}

// BlobPath is where a cache has a blob.
func BlobPath(dir string, d cache.Digest) string {
	return filepath.Join(dir, "blobs", d.String()[:2], d.String())
}
