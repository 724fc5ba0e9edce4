// Package studytest gives tests a small study of made-up text, as it is before and after a run.
package studytest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/running"
)

// text is the study: two partitions of two units each, models of a few thousand parameters.
const text = `ablate: 1
study: small
about: Which parts help which text?
corpora:
  seed: {files: seed.jsonl}
  parts: {files: [alpha.jsonl, beta.jsonl], metadata: {part: metadata.part, year: metadata.year}}
tokenizer: {train: {vocab: 300, on: seed}}
partitions:
  parts: {corpus: parts, by: part, order: year, unit: {tokens: 1500}}
heldout: {test: 15%}
decontaminate: {against: [heldout, eval]}
model: {d_model: 16, layers: 1, heads: 2, context: 32}
seed_model: {on: seed, tokens: 1024, batch: 256, lr: 3e-3}
train: {tokens_per_unit: 1024, batch: 256, lr: 2e-3}
mixtures:
  pairs: {choose: 2}
reference: {seq: pairs}
eval:
  out_of_domain:
    far: {about: Text of another topic., files: far.jsonl}
correlate: {resamples: 20}
`

// Study writes the small study and its text into a folder of their own and returns the study's
// path.
func Study(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "study.yaml")
}

func write(dir string) error {
	err := os.WriteFile(filepath.Join(dir, "study.yaml"), []byte(text), 0o666)
	for topic, name := range []string{"seed", "alpha", "beta", "far"} {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name+".jsonl"), documents(name, topic), 0o666))
	}
	return err
}

// documents are 20 documents of a topic, as JSON Lines: words of the topic, from a generator that
// the topic names, so that the text is always the same.
func documents(part string, topic int) []byte {
	syllables := []string{"ba", "ko", "mi", "ru", "ten", "sal", "dor", "vi", "pa", "lun"}
	var out strings.Builder
	for i := range 20 {
		r := rand.New(rand.NewPCG(uint64(topic), uint64(i)))
		var words []string
		for range 60 {
			n := 5*topic + r.IntN(12)
			words = append(words, syllables[n%10]+syllables[n/10%10]+syllables[(n*7+3)%10])
		}
		fmt.Fprintf(&out, `{"id":"%s-%02d","text":"%s.","metadata":{"part":"%s","year":%d}}`+"\n", part, i, strings.Join(words, " "), part, 1990+i)
	}
	return []byte(out.String())
}

// Run carries the study at a path out with the session's cache and leaves the report in out.
func Run(t testing.TB, s *study.Session, path, out string) {
	t.Helper()
	if _, err := running.Run(t.Context(), s, running.Options{Studies: []string{path}, Out: out}); err != nil {
		t.Fatal(err)
	}
}
