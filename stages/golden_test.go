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

	"ablate/stages/kind"
)

var update = flag.Bool("update", false, "write the golden digests anew")

// A tiny run of every kind must leave the bytes it left before, on every machine: only then may a cache be shared, and an audit compare. A
// change on purpose raises the kind's version, so that nobody is served old results for new code.
func TestGoldenOutputs(t *testing.T) {
	tokenizer := smallTokenizer(t)
	corpus := tokenized(t, tokenizer, smallCorpus(60, "go", "c")...)
	sp := splitParams(t, tokenizer)
	sp.Against = []string{againstHeldout}
	a, b := trained(t, 1), trained(t, 2)
	models := roles{}.numbered("model", a.path(kind.OutModel), b.path(kind.OutModel))
	weights := []string{"1/3", "2/3"}
	ep := evalParams()
	ep.Weights = weights
	models["tokens"] = tokenFile(t, 4, false, evalLengths...)
	eval := runKind(t, kind.Eval, ep, models)
	delete(models, "tokens")
	cp, tables := study(t, map[string][]float64{scorerSeq: {10, 12, 11, 15, 13}, "macro": {20, 25, 22, 28, 26}})
	var got []string
	for _, r := range []struct {
		kind string
		result
	}{
		{kind.Tokenizer, result(filepath.Dir(tokenizer))},
		{kind.Tokenize, corpus},
		{kind.Split, runKind(t, kind.Split, sp, shards(corpus))},
		{kind.Train, runKind(t, kind.Train, trainParams(), testUnits(t))},
		{kind.Merge, runKind(t, kind.Merge, kind.MergeParams{Weights: weights}, models)},
		{kind.Eval, eval},
		{kind.Correlate, runKind(t, kind.Correlate, cp, tables)},
	} {
		all := r.outputs(t)
		for _, name := range r.names(t) {
			got = append(got, fmt.Sprintf("%s %d %s %x", r.kind, kind.Versions[r.kind], name, sha256.Sum256([]byte(all[name]))))
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
			t.Errorf("output %s of kind %s, version %s, changed: raise kind.Versions[%q] with a line of history, then run go test -run Golden -update",
				f[2], f[0], f[1], f[0])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d outputs, the golden file has %d", len(got), len(want))
	}
}
