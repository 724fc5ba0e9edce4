package correlate

import (
	"math"
	"slices"
	"testing"

	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

func TestAverageOverSets(t *testing.T) {
	score := func(mixture, scorer, set string, at int) kind.Score {
		return kind.Score{Group: "g", Mixture: mixture, Scorer: scorer, Set: set, Losses: [][]int{{at}}}
	}
	p := kind.CorrelateParams{Sets: []string{kind.InDomain, "a", "b"}, Proxies: []string{"macro"}, Resamples: 10, Level: 0.9}
	for i, m := range []string{"m0", "m1", "m2"} {
		p.Scores = append(p.Scores, score(m, kind.ScorerSeq, "a", i), score(m, kind.ScorerSeq, "b", 3), score(m, "macro", "a", 2-i), score(m, "macro", kind.InDomain, 0))
		if m != "m2" { // whose average is not known
			p.Scores = append(p.Scores, score(m, "macro", "b", 3))
		}
	}
	in := stagetest.Roles{}.Numbered("losses", stagetest.LossFile(t, 10), stagetest.LossFile(t, 20), stagetest.LossFile(t, 30), stagetest.LossFile(t, 100))
	r := stagetest.Run(t, Kind, p, in)
	var got []float64
	for _, s := range stagetest.ReadTable[tables.ScoreRow](t, r, kind.OutScores) {
		if s.Set == kind.Average {
			got = append(got, math.Round(s.Perplexity*1e6)/1e6)
			if s.Documents != 4 || s.Tokens != 20 || math.Abs(s.Loss-(math.Log(s.Perplexity*2-100)+math.Log(100))/2) > 1e-9 {
				t.Errorf("%+v", s)
			}
		}
	}
	if want := []float64{55, 65, 60, 60, 65}; !slices.Equal(got, want) {
		t.Errorf("averages %v, want %v", got, want)
	}
	rows := stagetest.ReadTable[tables.CorrelationRow](t, r, kind.OutCorrelations)
	if last := rows[len(rows)-1]; last.Set != kind.Average || last.N != 2 || last.Chosen != "m1" || last.Best != "m0" {
		t.Errorf("last correlation %+v, want that of the average, over two mixtures", last)
	}
	if d := stagetest.ReadTable[tables.DecisionRow](t, r, kind.OutDecisions); len(d) != 1 || d[0].Sets != 2 {
		t.Errorf("decisions %+v, want one over two sets", d)
	}
	if _, ok := r.Outputs(t)["figures/g-out-of-domain.svg"]; !ok {
		t.Error("no figure of the average")
	}
}

func TestWhatIsAveraged(t *testing.T) {
	by := func(metric string, sets ...string) (out []kind.Score) {
		for _, set := range sets {
			out = append(out, kind.Score{Set: set, Metric: metric})
		}
		return out
	}
	mixed := slices.Concat(by("", "in-domain", "a", "b"), by("loss", "b", "c", "d"))
	for _, c := range []struct {
		name   string
		sets   []string
		scores []kind.Score
		metric string
		want   []string
	}{
		{"all but in-domain", []string{"in-domain", "a", "b"}, nil, "", []string{"a", "b"}},
		{"not one", []string{"in-domain", "a"}, nil, "", nil},
		{"a set of the average's name", []string{"a", "out-of-domain"}, nil, "", nil},
		{"nothing", nil, nil, "", nil},
		{"those with perplexities", []string{"in-domain", "a", "b", "c", "d"}, mixed, "", []string{"a", "b"}},
		{"those with another metric", []string{"in-domain", "a", "b", "c", "d"}, mixed, "loss", []string{"b", "c", "d"}},
		{"one with another metric", []string{"a", "b", "c"}, slices.Concat(by("", "a", "b"), by("loss", "c")), "loss", nil},
	} {
		if got := SetsAveraged(kind.CorrelateParams{Sets: c.sets, Scores: c.scores}, c.metric); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
