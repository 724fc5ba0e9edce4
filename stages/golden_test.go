package stages

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ablate/stages/correlate"
	"ablate/stages/ensemble"
	"ablate/stages/eval"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/merge"
	"ablate/stages/split"
	"ablate/stages/text"
	"ablate/stages/train"
)

var texts = stagetest.Texts{Train: text.Tokenizer, Tokenize: text.Tokenize}

var update = flag.Bool("update", false, "write the golden digests anew")

// A tiny run of every kind must leave the bytes it left before, on every machine: only then may a
// cache be shared, and an audit compare. A change on purpose raises the kind's version, so that
// nobody is served old results for new code.
func TestGoldenOutputs(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	corpus := texts.Tokenized(t, tokenizer, stagetest.SmallCorpus(60, "go", "c")...)
	sp := stagetest.SplitParams(t, tokenizer)
	sp.Against = []string{kind.AgainstHeldout}
	a, b := stagetest.Trained(t, train.Kind, 1), stagetest.Trained(t, train.Kind, 2)
	models := stagetest.Roles{}.Numbered("model", a.Path(kind.OutModel), b.Path(kind.OutModel))
	weights := []string{"1/3", "2/3"}
	ep := stagetest.EvalParams()
	ep.Weights = weights
	models["tokens"] = stagetest.TokenFile(t, 4, false, stagetest.EvalLengths...)
	eval := stagetest.Run(t, eval.Kind, ep, models)
	delete(models, "tokens")
	losses := stagetest.Roles{}.Numbered("losses", stagetest.LossFile(t, 10), stagetest.LossFile(t, 12))
	cp, tables := stagetest.Study(t, map[string][]float64{kind.ScorerSeq: {10, 12, 11, 15, 13}, "macro": {20, 25, 22, 28, 26}})
	var got []string
	for _, r := range []struct {
		kind string
		stagetest.Result
	}{
		{kind.Tokenizer, stagetest.Result(filepath.Dir(tokenizer))},
		{kind.Tokenize, corpus},
		{kind.Split, stagetest.Run(t, split.Kind, sp, stagetest.Shards(corpus))},
		{kind.Train, stagetest.Run(t, train.Kind, stagetest.TrainParams(), stagetest.Units(t))},
		{kind.Merge, stagetest.Run(t, merge.Kind, kind.MergeParams{Recipe: kind.Recipe{Weights: weights}}, models)},
		{kind.Eval, eval},
		{kind.Ensemble, stagetest.Run(t, ensemble.Kind, kind.EnsembleParams{Recipe: kind.Recipe{Weights: []string{"1/3", "2/3"}}}, losses)},
		{kind.Correlate, stagetest.Run(t, correlate.Kind, cp, tables)},
	} {
		k, err := Kinds().Named(r.kind)
		if err != nil {
			t.Fatal(err)
		}
		version := k.Version()
		all := r.Outputs(t)
		for _, name := range r.Names(t) {
			got = append(got, fmt.Sprintf("%s %d %s %x", r.kind, version, name, sha256.Sum256([]byte(all[name]))))
		}
	}
	path := filepath.Join("testdata", "golden.txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.Join(got, "\n")+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, line := range got {
		if !slices.Contains(want, line) {
			f := strings.Fields(line)
			t.Errorf("output %s of kind %s, version %s, changed: add a line to the history of the kind, then run go test -run Golden -update",
				f[2], f[0], f[1])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d outputs, the golden file has %d", len(got), len(want))
	}
}
