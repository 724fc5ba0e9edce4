package report

import (
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/cache/table"
	"ablate/stages/correlate"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

var updateLayouts = flag.Bool("update", false, "write the golden tables and figures anew")

// layoutStudy has two sets of mixtures, one without a reference on the set far, and the name of a
// study of the paper's.
func layoutStudy(t *testing.T) LayoutInput {
	t.Helper()
	scores := slices.Concat(
		scoreRows("pairs", "in-domain", "ind_id macro seq", "a+b a+c b+c c+d", []float64{9, 8, 7}, []float64{10, 9, 8}, []float64{8, 11, 9}, []float64{12, 12, 11}),
		scoreRows("pairs", "ptb", "macro seq", "a+b a+c b+c c+d", []float64{30, 25}, []float64{20, 24}, []float64{40, 30}, []float64{35, 29}),
		scoreRows("pairs", "far", "macro seq", "a+b a+c b+c c+d", []float64{3, 5}, []float64{8, 6}, []float64{4, 3}, []float64{5, math.NaN()}),
		scoreRows("single", "in-domain", "ind_id macro seq", "a b c", []float64{9, 8, 7}, []float64{10, 9, 8}, []float64{8, 11, 9}),
		scoreRows("single", "ptb", "macro", "a b c", []float64{9}, []float64{10}, []float64{8}))
	sets := []string{"in-domain", "far", "ptb"}
	scores = append(scores, correlate.Averages(scores, correlate.SetsAveraged(kind.CorrelateParams{Sets: sets}, ""), "")...)
	params, err := json.Marshal(kind.CorrelateParams{Sets: sets, Proxies: []string{"ind_id", "macro", "micro"}})
	if err != nil {
		t.Fatal(err)
	}
	low := correlationRow("pairs", "ptb", "macro", 0.9)
	low.PearsonLow, low.PearsonHigh = 0.5, 0.99
	return LayoutInput{
		Study: "paper/5.4-larger-models", Scores: stagetest.WriteRows(t, scores...), Correlations: stagetest.WriteRows(t, low), Params: params, InDomain: "in-domain",
		Costs: []LayoutCost{subsets("pairs", 2, 128), subsets("triples", 3, 128), subsets("other", 2, 5)},
	}
}

// subsets is the cost of all subsets of k of n units of 1B tokens.
func subsets(group string, k, n int) LayoutCost {
	c := LayoutCost{Group: group, K: k, Of: "units"}
	for m := k; m <= n; m++ {
		mixtures, _ := new(big.Float).SetInt(new(big.Int).Binomial(int64(m), int64(k))).Float64()
		c.Points = append(c.Points, LayoutPoint{m, mixtures * float64(k) * 1e9, float64(m) * 1e9})
	}
	return c
}

func layoutFiles(t *testing.T, in LayoutInput) map[string][]byte {
	t.Helper()
	files, err := Layouts(in)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range files {
		if out[f.Name] != nil {
			t.Errorf("%s comes twice", f.Name)
		}
		out[f.Name] = f.Data
	}
	return out
}

func TestLayouts(t *testing.T) {
	files := layoutFiles(t, layoutStudy(t))
	var names []string
	for n := range files {
		names = append(names, n)
	}
	slices.Sort(names)
	var want []string
	for _, f := range []string{"cost", "overview", "pairs/average", "pairs/correlations", "pairs/sets", "single/correlations", "single/sets"} {
		want = append(want, "figures/"+f+".png", "figures/"+f+".svg")
	}
	for _, table := range []string{"overview", "sets/pairs", "sets/single"} {
		for _, ending := range []string{"csv", "md", "parquet", "tex"} {
			want = append(want, "tables/"+table+"."+ending)
		}
	}
	want = append(want, "tables/ledger.csv", "tables/ledger.parquet")
	slices.Sort(want)
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	// Python 3.11, statistics.correlation. Out of domain it is over the three mixtures that have a
	// reference on both sets, of the means [16.5, 14, 22] and [15, 15, 16.5].
	if diff := cmp.Diff(`Pearson's r between the perplexities of reference models and of proxies, in and out of domain. Brackets hold the published value.

| mixtures | eval set      |   n | ind_id |             macro |
| -------- | ------------- | --: | -----: | ----------------: |
| pairs    | in-domain     |   4 |  0.657 | **0.962** [0.911] |
| pairs    | out-of-domain |   3 |      – |     0.952 [0.926] |
| single   | in-domain     |   3 | −0.500 | **0.982** [0.911] |
`, string(files["tables/overview.md"])); diff != "" {
		t.Errorf("overview (-want +got):\n%s", diff)
	}
	for name, lines := range map[string][]string{
		"tables/sets/pairs.csv":          {"mixture_set,eval_set,proxy,n,pearson,pearson_low,pearson_high,published,source\n", "pairs,ptb,macro,4,0.9281909617845142,"},
		"tables/overview.csv":            {"mixture_set,eval_set,proxy,n,pearson,pearson_low,pearson_high,published,source\n"},
		"tables/sets/pairs.md":           {"average out of domain", "0.952 [0.926]", "[0.780]"},
		"tables/overview.tex":            {`0.952 {\scriptsize [0.926]}`, `\label{tab:paper/5.4-larger-models}`},
		"figures/cost.svg":               {"a model for each mixture of 2", "16.3 T", "a model for each mixture of 3", "1.0 × 10¹⁵", "a model for each of the units", "128 B"},
		"figures/overview.svg":           {"pairs: mean of 2 sets out of domain", "closest: macro, r 0.95; 3 mixtures"},
		"figures/pairs/average.svg":      {"r 0.95 [0.926]"},
		"figures/pairs/correlations.svg": {">published<", "ptb"},
	} {
		for _, l := range lines {
			if !strings.Contains(string(files[name]), l) {
				t.Errorf("%s does not say %q", name, l)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "t")
	if err := os.WriteFile(path, files["tables/sets/pairs.parquet"], 0o666); err != nil {
		t.Fatal(err)
	}
	rows, err := table.ReadRows[tables.LayoutRow](path)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(rows, func(r tables.LayoutRow) bool { return r.Set == "ptb" && r.Proxy == "macro" })
	if i < 0 || rows[i].N != 4 || rows[i].PearsonLow != 0.5 || rows[i].Published != 0.78 || rows[i].Source != "Table 4, MERGED scores, macro" {
		t.Errorf("rows %+v", rows)
	}
}

// A study without references has nothing to correlate, but its cost is known.
func TestLayoutsWithoutReferences(t *testing.T) {
	in := layoutStudy(t)
	in.Scores = stagetest.WriteRows(t, scoreRows("pairs", "ptb", "macro", "a+b a+c", []float64{30}, []float64{20})...)
	in.Correlations = stagetest.WriteRows[tables.CorrelationRow](t)
	files := layoutFiles(t, in)
	if len(files) != 4 || files["figures/cost.svg"] == nil || files["figures/cost.png"] == nil {
		t.Errorf("%d files, want the two of the cost and the ledger", len(files))
	}
	in.Costs = nil
	if files := layoutFiles(t, in); len(files) != 2 {
		t.Errorf("%d files, want the ledger alone", len(files))
	}
}

// What comes out otherwise must raise LayoutVersion, or output directories keep the old. Pictures
// are left out, since the library that packs them may change; drawings may differ in a last digit
// between kinds of processors.
func TestLayoutsGolden(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the golden digests are of amd64")
	}
	files := layoutFiles(t, layoutStudy(t))
	var got strings.Builder
	fmt.Fprintf(&got, "version %d\n", LayoutVersion)
	var names []string
	for n := range files {
		if !strings.HasSuffix(n, ".png") && !strings.HasSuffix(n, ".parquet") {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	for _, n := range names {
		fmt.Fprintf(&got, "%s %x\n", n, sha256.Sum256(files[n]))
	}
	path := filepath.Join("testdata", "layouts.txt")
	if *updateLayouts {
		if err := os.WriteFile(path, []byte(got.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("tables or figures changed: raise LayoutVersion with a line of history, then run go test -run LayoutsGolden -update\n%s", diff)
	}
}
