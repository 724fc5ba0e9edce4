package correlate

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ablate/cache/table"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

var approximately = cmpopts.EquateApprox(0, 1e-9)

func TestCorrelate(t *testing.T) {
	nan := math.NaN()
	p, in := stagetest.Study(t, map[string][]float64{
		kind.ScorerSeq: {10, 12, 11, 15, 13, nan},
		"macro":        {20, 24, 22, 30, 26, 18}, // twice the reference
		"micro":        {15, 12, 13, nan, 11, nan},
	})
	r := stagetest.Run(t, Kind, p, in)
	want := []string{
		kind.OutCorrCSV, kind.OutCorrelations, kind.OutDecisionsCSV, kind.OutDecisions, "figures/pairs-ood.svg", kind.OutScoresCSV, kind.OutScores,
		kind.OutWarningsCSV, kind.OutWarnings,
	}
	if diff := cmp.Diff(want, r.Names(t)); diff != "" {
		t.Errorf("outputs, - want, + got:\n%s", diff)
	}
	rows := stagetest.ReadTable[tables.CorrelationRow](t, r, kind.OutCorrelations)
	if len(rows) != 2 {
		t.Fatalf("%d correlations, want one a proxy", len(rows))
	}
	macro := rows[0]
	wantMacro := tables.CorrelationRow{
		Group: "pairs", Set: "ood", Proxy: "macro", N: 5, Pearson: 1, PearsonLow: 1, PearsonHigh: 1, Spearman: 1, SpearmanLow: 1, SpearmanHigh: 1,
		Kendall: 1, KendallLow: 1, KendallHigh: 1, PairwiseAccuracy: 1, Chosen: "m0", Best: "m0", Rank: 1, Regret: 0,
		PearsonBCaLow: 1, PearsonBCaHigh: 1, SpearmanBCaLow: 1, SpearmanBCaHigh: 1, KendallBCaLow: 1, KendallBCaHigh: 1,
		PearsonP: 1. / 120, SpearmanP: 1. / 120, KendallP: 1. / 120, // one of 5! orders
		WithoutLow: 1, WithoutHigh: 1, WithoutLowest: macro.WithoutLowest,
		Place: 1, RegretBlind: 2.2, Top3Share: 1, Top3Regret: 0, Noise: nan, NoiseLeast: nan, Ceiling: nan,
	}
	if diff := cmp.Diff(wantMacro, macro, approximately, cmpopts.EquateNaNs(), cmp.AllowUnexported(tables.CorrelationRow{})); diff != "" {
		t.Errorf("macro, - want, + got:\n%s", diff)
	}
	// micro orders m0, m1, m2, m4 as 15, 12, 13, 11 where the reference says 10, 12, 11, 13: the
	// reverse. It chooses m4, the last of four.
	micro := rows[1]
	if micro.N != 4 || micro.Spearman != -1 || micro.Kendall != -1 || micro.PairwiseAccuracy != 0 || micro.Chosen != "m4" || micro.Best != "m0" ||
		micro.Rank != 4 || math.Abs(micro.Regret-3) > 1e-9 || !(micro.PearsonLow <= micro.Pearson && micro.Pearson <= micro.PearsonHigh) {
		t.Errorf("micro: %+v", micro)
	}
	if micro.Place != 4 || math.Abs(micro.PearsonP-1) > 0.1 || math.Abs(micro.RegretBlind-1.5) > 1e-9 || math.Abs(micro.Top3Share-2./3) > 1e-9 ||
		math.Abs(micro.Top3Regret-1) > 1e-9 {
		t.Errorf("micro: %+v", micro)
	}
	wantDecisions := []tables.DecisionRow{
		{Group: "pairs", Proxy: "macro", Sets: 1, Mixtures: 5, Right: 1, Top3: 1, MedianRank: 1, WorstRank: 1, PairwiseAccuracy: 1, RegretShare: 0},
		{Group: "pairs", Proxy: "micro", Sets: 1, Mixtures: 4, Right: 0, Top3: 0, MedianRank: 4, WorstRank: 4, PairwiseAccuracy: 0, RegretShare: 2},
	}
	if diff := cmp.Diff(wantDecisions, stagetest.ReadTable[tables.DecisionRow](t, r, kind.OutDecisions), approximately, cmp.AllowUnexported(tables.DecisionRow{})); diff != "" {
		t.Errorf("decisions, - want, + got:\n%s", diff)
	}
	var codes []string
	for _, w := range stagetest.ReadTable[tables.WarningRow](t, r, kind.OutWarnings) {
		codes = append(codes, strings.TrimSpace(w.Set+" "+w.Proxy+" "+w.Code))
	}
	if want := []string{"few", "ood micro chance"}; !slices.Equal(codes, want) {
		t.Errorf("warnings %q, want %q", codes, want)
	}
	scores := stagetest.ReadTable[tables.ScoreRow](t, r, kind.OutScores)
	wantScore := tables.ScoreRow{
		Group: "pairs", Mixture: "m1", Scorer: kind.ScorerSeq, Set: "ood", Perplexity: 12, Loss: math.Log(12), BitsPerByte: math.Log2(12) / 2, Documents: 2, Tokens: 10,
	}
	if diff := cmp.Diff(wantScore, scores[1], approximately, cmp.AllowUnexported(tables.ScoreRow{})); diff != "" {
		t.Errorf("score, - want, + got:\n%s", diff)
	}
	all := r.Outputs(t)
	if lines := strings.Split(all[kind.OutScoresCSV], "\n"); len(lines) != 2+len(p.Scores) || !strings.HasPrefix(lines[0], "mixture_set,mixture,scorer,eval_set,perplexity") {
		t.Errorf("scores.csv:\n%s", all[kind.OutScoresCSV])
	}
	if svg := all["figures/pairs-ood.svg"]; !strings.Contains(svg, "m4") || strings.Contains(svg, "m5") {
		t.Error("the figure must name m4, and not m5, which has no reference")
	}
	stagetest.SameOutputs(t, r, stagetest.Run(t, Kind, p, in))
}

func TestCorrelateWithoutReferences(t *testing.T) {
	p, in := stagetest.Study(t, map[string][]float64{"macro": {20, 24}})
	r := stagetest.Run(t, Kind, p, in)
	if rows := stagetest.ReadTable[tables.CorrelationRow](t, r, kind.OutCorrelations); len(rows) != 0 {
		t.Errorf("correlations %+v, want none", rows)
	}
	if rows := stagetest.ReadTable[tables.ScoreRow](t, r, kind.OutScores); len(rows) != 2 {
		t.Errorf("%d scores, want 2", len(rows))
	}
	if i := slices.IndexFunc(r.Names(t), func(n string) bool { return strings.HasPrefix(n, kind.FiguresFolder) }); i >= 0 {
		t.Errorf("outputs %v, want no figure", r.Names(t))
	}
}

func TestScoresAreMacroAverages(t *testing.T) {
	p := kind.CorrelateParams{
		Sets: []string{"in-domain"}, Proxies: []string{"mean_ind"}, Resamples: 10, Level: 0.9,
		// Two domains; in the first two models.
		Scores: []kind.Score{{Group: "g", Mixture: "m", Scorer: "mean_ind", Set: "in-domain", Losses: [][]int{{0, 1}, {2}}}},
	}
	in := stagetest.Roles{}.Numbered("losses", stagetest.LossFile(t, 10), stagetest.LossFile(t, 20), stagetest.LossFile(t, 100))
	row := stagetest.ReadTable[tables.ScoreRow](t, stagetest.Run(t, Kind, p, in), kind.OutScores)[0]
	want := tables.ScoreRow{
		Group: "g", Mixture: "m", Scorer: "mean_ind", Set: "in-domain", Perplexity: (15. + 100) / 2,
		Loss: ((math.Log(10)+math.Log(20))/2 + math.Log(100)) / 2, BitsPerByte: ((math.Log2(10)+math.Log2(20))/2 + math.Log2(100)) / 4,
		Documents: 4, Tokens: 20,
	}
	if diff := cmp.Diff(want, row, approximately, cmp.AllowUnexported(tables.ScoreRow{})); diff != "" {
		t.Errorf("- want, + got:\n%s", diff)
	}
	p.Scores[0].Losses = [][]int{{0}, {}}
	stagetest.Fail(t, Kind, p, in, "domain without tables")
	p.Scores[0].Losses = [][]int{{3}}
	stagetest.Fail(t, Kind, p, in, "table 3 of 3")
	p.Scores[0].Losses = nil
	stagetest.Fail(t, Kind, p, in, "has no tables")
}

func TestTablesOfOneDomainMustAgree(t *testing.T) {
	other := filepath.Join(t.TempDir(), "x")
	if err := table.WriteRows(other, []tables.LossRow{{ID: "a", Tokens: 11, Bytes: 20, Nats: 3}}); err != nil {
		t.Fatal(err)
	}
	p := kind.CorrelateParams{Scores: []kind.Score{{Mixture: "m", Scorer: "mean_ind", Set: "ood", Losses: [][]int{{0, 1}}}}}
	stagetest.Fail(t, Kind, p, stagetest.Roles{}.Numbered("losses", stagetest.LossFile(t, 10), other), "mean_ind of mixture m on ood", "10 tokens", "of 11")
}

// Models that differ in loss differ in perplexity, however much they diverged. Where a float64
// cannot tell them apart, they are not compared, and a warning says so.
func TestPerplexityOverflows(t *testing.T) {
	for _, c := range []struct {
		name     string
		losses   []float64 // of the references; the proxy's are one nat more
		compared bool
		says     string // the warnings of overflow
	}{
		{"usual", []float64{3, 2, 5, 4}, true, ""},
		{"above 1e30", []float64{93.13, 89.08, 90.61, 90.7}, true, ""},
		{"largest", []float64{707.5, 700, 701, 702}, true, ""},
		{"one beyond", []float64{710, 700, 701, 702}, false, "the perplexity of 2 of 8 scores overflows (losses of up to 711 nats per token): a proxy with such a score is not compared"},
		{"the proxy alone beyond", []float64{709, 700, 701, 702}, false, "the perplexity of 1 of 8 scores overflows"},
		{"all beyond", []float64{1e9, 2e9, 3e9, 5e9}, false, "the perplexity of 8 of 8 scores overflows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := kind.CorrelateParams{Sets: []string{"ood"}, Proxies: []string{"macro"}, Resamples: 100, Level: 0.95, Seed: 1}
			var paths []string
			for i, loss := range c.losses {
				for scorer, more := range map[string]float64{kind.ScorerSeq: 0, "macro": 1} {
					p.Scores = append(p.Scores, kind.Score{Group: "pairs", Mixture: fmt.Sprint("m", i), Scorer: scorer, Set: "ood", Losses: [][]int{{len(paths)}}})
					paths = append(paths, stagetest.NatsFile(t, loss+more))
				}
			}
			r := stagetest.Run(t, Kind, p, stagetest.Roles{}.Numbered("losses", paths...))
			losses, perplexities := map[float64]bool{}, map[float64]bool{}
			for _, s := range stagetest.ReadTable[tables.ScoreRow](t, r, kind.OutScores) {
				losses[s.Loss], perplexities[s.Perplexity] = true, true
			}
			if c.compared && len(losses) != len(perplexities) {
				t.Errorf("%d losses make %d perplexities", len(losses), len(perplexities))
			}
			row := stagetest.ReadTable[tables.CorrelationRow](t, r, kind.OutCorrelations)[0]
			if compared := row.Chosen != "" && row.Rank == 1 && math.Abs(row.Pearson-1) < 1e-9 && row.Spearman == 1 && row.Regret == 0; compared != c.compared {
				t.Errorf("compared: %+v", row)
			}
			if !c.compared && !math.IsNaN(row.Pearson+row.Spearman+row.Kendall+row.Regret) {
				t.Errorf("what is not compared has numbers: %+v", row)
			}
			var said []string
			for _, w := range stagetest.ReadTable[tables.WarningRow](t, r, kind.OutWarnings) {
				if w.Code == tables.WarnOverflow {
					said = append(said, w.Message)
				} else if !c.compared && w.Proxy != "" {
					t.Errorf("warned of %s, %q, although it was not compared", w.Code, w.Message)
				}
			}
			if got := strings.Join(said, "; "); !strings.HasPrefix(got, c.says) || c.says == "" && got != "" {
				t.Errorf("said %q, want %q", got, c.says)
			}
		})
	}
}

// In every figure a proxy has its own colour, which is its place among the study's proxies, and the
// title says which scores it shows.
func TestFiguresAreAlike(t *testing.T) {
	two := func(group, set, scorer string, at int) []kind.Score {
		return []kind.Score{
			{Group: group, Mixture: "m0", Scorer: scorer, Set: set, Losses: [][]int{{at}}},
			{Group: group, Mixture: "m1", Scorer: scorer, Set: set, Losses: [][]int{{at + 1}}},
		}
	}
	in := stagetest.Roles{}.Numbered("losses", stagetest.LossFile(t, 10), stagetest.LossFile(t, 20), stagetest.LossFile(t, 12), stagetest.LossFile(t, 22))
	p := kind.CorrelateParams{Sets: []string{"in-domain", "ood"}, Proxies: []string{"ind_id", "macro"}, Resamples: 10, Level: 0.95}
	p.Scores = slices.Concat(two("pairs", "in-domain", "ind_id", 2), two("pairs", "in-domain", "macro", 2), two("pairs", "in-domain", kind.ScorerSeq, 0),
		two("pairs", "ood", "macro", 2), two("pairs", "ood", kind.ScorerSeq, 0))
	const first, second = `class="p" fill="var(--plot-0)"`, `class="p" fill="var(--plot-1)"`
	check := func(figure, title string, want, not []string) {
		t.Helper()
		for _, w := range append(want, ">"+title+"</text>") {
			if !strings.Contains(figure, w) {
				t.Errorf("figure %s lacks %q", title, w)
			}
		}
		for _, n := range not {
			if strings.Contains(figure, n) {
				t.Errorf("figure %s has %q", title, n)
			}
		}
	}
	all := stagetest.Run(t, Kind, p, in).Outputs(t)
	check(all["figures/pairs-in-domain.svg"], "in-domain", []string{first, second, "ind_id", "macro"}, nil)
	check(all["figures/pairs-ood.svg"], "ood", []string{second, "macro"}, []string{first, "ind_id"})

	p.Scores = append(p.Scores, slices.Concat(two("triples", "ood", "macro", 2), two("triples", "ood", kind.ScorerSeq, 0))...)
	all = stagetest.Run(t, Kind, p, in).Outputs(t)
	check(all["figures/pairs-ood.svg"], "pairs: ood", []string{second}, []string{first})
	check(all["figures/triples-ood.svg"], "triples: ood", []string{second}, []string{first})
}
