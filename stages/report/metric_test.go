package report

import (
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"ablate/stages/correlate"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// quizStudy has six mixtures with a score by Certainty on the set quiz, and by perplexity on the
// set far. On quiz micro predicts well and macro does not. On far macro does.
func quizStudy(t *testing.T) (kind.CorrelateParams, stagetest.Roles) {
	t.Helper()
	stagetest.AddMetric(t, stagetest.Certainty)
	p := kind.CorrelateParams{Sets: []string{"far", "quiz"}, Proxies: []string{"macro", "micro"}, Resamples: 200, Level: 0.95, Seed: 1}
	var paths []string
	for _, scores := range []struct {
		set, metric, scorer string
		values              []float64
	}{
		{"far", "", kind.ScorerSeq, []float64{10, 11, 12, 13, 14, 15}},
		{"far", "", "macro", []float64{20, 21, 22, 23, 24, 26}},
		{"far", "", "micro", []float64{24, 20, 26, 21, 23, 22}},
		{"quiz", "certainty", kind.ScorerSeq, []float64{0.30, 0.35, 0.90, 0.50, 0.60, 0.45}},
		{"quiz", "certainty", "macro", []float64{0.50, 0.30, 0.40, 0.20, 0.35, 0.60}},
		{"quiz", "certainty", "micro", []float64{0.20, 0.25, 0.70, 0.41, 0.50, 0.33}},
	} {
		for i, v := range scores.values {
			if scores.metric != "" {
				v = 1 / v
			}
			p.Scores = append(p.Scores, kind.Score{
				Group: "pairs", Mixture: string(rune('a' + i)), Scorer: scores.scorer, Set: scores.set, Metric: scores.metric, Losses: [][]int{{len(paths)}},
			})
			paths = append(paths, stagetest.LossFile(t, v))
		}
	}
	return p, stagetest.Roles{}.Numbered("losses", paths...)
}

// A metric is one value: of one that the program did not have, of which more is better, tables,
// decisions, the page, the figures and the paper's tables name the right winners in its words.
func TestAMetricOfItsOwn(t *testing.T) {
	p, in := quizStudy(t)
	r := stagetest.Run(t, correlate.Kind, p, in)
	path := r.Path

	scores, err := tables.Scores.Read(path(kind.OutScores))
	if err != nil {
		t.Fatal(err)
	}
	if s := scores[18]; s.Set != "quiz" || s.Metric != "certainty" || math.Abs(s.Score()-0.3) > 1e-12 || math.Abs(s.Perplexity-1/0.3) > 1e-9 {
		t.Errorf("score %+v", s)
	}
	if s := scores[0]; s.Metric != "" || math.Abs(s.Score()-10) > 1e-9 {
		t.Errorf("score %+v", s)
	}
	rows, err := tables.Correlations.Read(path(kind.OutCorrelations))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []tables.CorrelationRow{
		{Set: "far", Proxy: "macro", Chosen: "a", Best: "a", Rank: 1},
		{Set: "far", Proxy: "micro", Chosen: "b", Best: "a", Rank: 2, Regret: 1},
		{Set: "quiz", Metric: "certainty", Proxy: "macro", Chosen: "f", Best: "c", Rank: 4, Regret: 0.45},
		{Set: "quiz", Metric: "certainty", Proxy: "micro", Chosen: "c", Best: "c", Rank: 1},
	} {
		got := rows[i]
		if got.Set != want.Set || got.Metric != want.Metric || got.Proxy != want.Proxy || got.Chosen != want.Chosen || got.Best != want.Best || got.Rank != want.Rank ||
			math.Abs(got.Regret-want.Regret) > 1e-9 {
			t.Errorf("correlation %+v, want %+v", got, want)
		}
	}
	decided, err := tables.Decisions.Read(path(kind.OutDecisions))
	if err != nil {
		t.Fatal(err)
	}
	if len(decided) != 4 || decided[3].Metric != "certainty" || decided[3].Proxy != "micro" || decided[3].Right != 1 || decided[2].Right != 0 || decided[0].Right != 1 {
		t.Errorf("decisions %+v", decided)
	}

	in0 := pairsStudy(t)
	in0.Scores, in0.Correlations, in0.Decisions, in0.Limits = path(kind.OutScores), path(kind.OutCorrelations), path(kind.OutDecisions), path(kind.OutWarnings)
	in0.Figure = func(group, set string) (string, error) { return path(kind.FigureOutput(group, set)), nil }
	text := reportText(t, in0)
	for _, want := range []string{
		"a for far", "c for quiz (certainty)",
		"Lower perplexity and higher certainty are better.",
		"The predictions are by macro on far and micro on quiz (certainty), the proxies whose correlations with the references have the highest lower bounds there",
		"quiz (certainty) c micro", "0.70 0.90 1 of 6 c 0.90 none",
		"certainty exp(-nats / tokens), in probability per token. Higher is better.",
		"The darker, the better in its column; bold is the best.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}

	params, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	files, err := Layouts(LayoutInput{Study: "quiz", Params: params, InDomain: kind.InDomain, Scores: in0.Scores, Correlations: in0.Correlations})
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]string{}
	for _, f := range files {
		made[f.Name] = string(f.Data)
	}
	for name, want := range map[string]string{
		"tables/overview.md":    "quiz (certainty)",
		"tables/sets/pairs.csv": "pairs,quiz (certainty),micro,6,",
		"figures/overview.svg":  "reference score",
		"figures/pairs/" + kind.Escape("average (certainty)") + ".svg": "reference certainty",
		"figures/pairs/average.svg":                                    "reference perplexity",
		"tables/sets/pairs.md":                                         "between the scores of reference models",
	} {
		if !strings.Contains(made[name], want) {
			t.Errorf("%s lacks %q", name, want)
		}
	}
	svg, err := filepath.Glob(r.Path("figures/*"))
	if err != nil || len(svg) != 2 {
		t.Errorf("figures %v, %v", svg, err)
	}
}

// Mixtures are ranked by any metric, the best first, with the reference to expect in its unit.
func TestRankByAMetric(t *testing.T) {
	stagetest.AddMetric(t, stagetest.Certainty)
	in := correlate.RankInput{Metric: "certainty", Level: 0.95}
	for name, v := range map[string][2]float64{"a": {0.2, 0.25}, "b": {0.7, 0.75}, "c": {0.4, 0.45}, "d": {0.5, 0.55}} {
		m := correlate.RankMixture{Group: "g", Name: name, Losses: [][]string{{stagetest.LossFile(t, 1/v[0])}}}
		in.Candidates = append(in.Candidates, m)
		in.References = append(in.References, correlate.RankReference{RankMixture: m, Reference: [][]string{{stagetest.LossFile(t, 1/v[1])}}})
	}
	ranked, lines, err := correlate.Rank(in)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, r := range ranked {
		order = append(order, r.Mixture)
	}
	if got := strings.Join(order, " "); got != "b d c a" {
		t.Errorf("order %s, want b d c a", got)
	}
	if best := ranked[0]; math.Abs(best.Score-0.7) > 1e-9 || math.Abs(best.Expected-0.75) > 1e-9 || math.Abs(best.Reference-0.75) > 1e-9 || math.Abs(best.Loss+math.Log(0.7)) > 1e-9 {
		t.Errorf("the best is %+v", best)
	}
	if math.Abs(lines[0].Slope-1) > 1e-6 || math.Abs(lines[0].Intercept-0.05) > 1e-6 {
		t.Errorf("line %+v", lines[0])
	}
	if _, _, err := correlate.Rank(correlate.RankInput{Metric: "elegance"}); err == nil || !strings.Contains(err.Error(), `unknown metric "elegance"; this program knows ["perplexity" "loss" "certainty"]`) {
		t.Errorf("a metric that nobody knows: %v", err)
	}
}
