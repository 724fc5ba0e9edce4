package correlate

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// Each claim that a sample cannot support is told once, and nothing else is.
func TestWarnings(t *testing.T) {
	up := func(n int, f func(i float64) float64) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = f(float64(i))
		}
		return out
	}
	line := func(i float64) float64 { return 20 + i }
	same := func(float64) float64 { return 20 }
	zigzag := func(i float64) float64 { return 20 + math.Mod(i*7, 12) }
	for _, c := range []struct {
		name       string
		proxy, ref []float64
		want       []string // set proxy code
		says       string
	}{
		{"nothing", up(12, line), up(12, line), nil, ""},
		{"few", up(9, line), up(9, line), []string{"few"}, "only 9 mixtures have a reference; with fewer than 10"},
		{"one mixture", up(1, line), up(1, line), []string{"few", "ood macro none"}, "only 1 mixture has a reference"},
		{"all references the same", up(12, line), up(12, same), []string{"ood macro none"}, "all scores are equal"},
		{"references alike", up(12, line), up(12, func(i float64) float64 { return 20 + i/1000 }), []string{"ood alike"}, "differ by at most 0.055%"},
		{"no relation", up(12, zigzag), up(12, func(i float64) float64 { return 20 + math.Mod(i*5, 12) }), []string{"ood macro zero", "ood macro chance"}, "includes zero"},
		{"one mixture carries it", append(up(11, func(i float64) float64 { return 20 + math.Mod(i*7, 11) }), 200), append(up(11, line), 300),
			[]string{"ood macro zero", "ood macro one"}, "without mixture m11 the correlation is"},
		{"four mixtures", []float64{1, 2, 3, 4}, []float64{5, 5, 5, 5.5}, []string{"few", "ood macro chance"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, in := stagetest.Study(t, map[string][]float64{kind.ScorerSeq: c.ref, "macro": c.proxy})
			var got, said []string
			for _, w := range stagetest.ReadTable[tables.WarningRow](t, stagetest.Run(t, Kind, p, in), kind.OutWarnings) {
				if w.Group != "pairs" {
					t.Errorf("warning of group %q", w.Group)
				}
				got = append(got, strings.TrimSpace(strings.TrimSpace(w.Set+" "+w.Proxy)+" "+w.Code))
				said = append(said, w.Message)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q (%q), want %q", got, said, c.want)
			}
			if !strings.Contains(strings.Join(said, "; "), c.says) {
				t.Errorf("said %q, want %q in it", said, c.says)
			}
		})
	}
}

// Over sets, ranks have a median and a worst; the in-domain set takes no part.
func TestDecisions(t *testing.T) {
	row := func(set string, rank, place int64, regret float64) tables.CorrelationRow {
		return tables.CorrelationRow{Group: "g", Set: set, Proxy: "macro", N: 5, Rank: rank, Place: place, Regret: regret, RegretBlind: 4, PairwiseAccuracy: 0.5}
	}
	got := decisions([]tables.CorrelationRow{
		row(kind.InDomain, 5, 5, 9), row("a", 1, 1, 0), row("b", 2, 3, 2), row("c", 3, 3, 3), row("d", 4, 5, 7), {Group: "g", Set: "e", Proxy: "macro"},
		{Group: "h", Set: "a", Proxy: "macro", N: 1, Rank: 1, Place: 1, PairwiseAccuracy: math.NaN()},
	})
	want := tables.DecisionRow{Group: "g", Proxy: "macro", Sets: 4, Mixtures: 5, Right: 1, Top3: 3, MedianRank: 2.5, WorstRank: 4, PairwiseAccuracy: 0.5, RegretShare: 0.75}
	if len(got) != 2 || got[0] != want {
		t.Errorf("got %+v, want %+v first of two", got, want)
	}
	if !math.IsNaN(got[1].RegretShare) || got[1].Right != 1 {
		t.Errorf("of one mixture: %+v", got[1])
	}
}

// References of several seeds show how far a score moves by itself.
func TestNoiseOfReplicates(t *testing.T) {
	p, in := stagetest.Study(t, map[string][]float64{kind.ScorerSeq: {10, 12, 11, 15, 13}, "macro": {24, 20, 22, 30, 26}})
	paths := len(in)
	for i, pair := range [][]float64{{9, 11}, {11, 13}, {10, 12}, {14, 16}, {12, 14}} { // a standard deviation of sqrt(2) each
		for r, x := range pair {
			in[kind.Role("losses", paths)] = stagetest.LossFile(t, x)
			p.Scores = append(p.Scores, kind.Score{
				Group: "pairs", Mixture: fmt.Sprint("m", i), Scorer: fmt.Sprint(kind.ScorerReplicate, r+1), Set: "ood", Losses: [][]int{{paths}},
			})
			paths++
		}
	}
	r := stagetest.Run(t, Kind, p, in)
	row := stagetest.ReadTable[tables.CorrelationRow](t, r, kind.OutCorrelations)[0]
	// Of a mean of two: 1. t(5, 0.975) = 2.5706. The variance of the references is 3.7.
	if math.Abs(row.Noise-1) > 1e-9 || math.Abs(row.NoiseLeast-2.570581835636314*math.Sqrt2) > 1e-9 || math.Abs(row.Ceiling-math.Sqrt(1-1/3.7)) > 1e-9 {
		t.Errorf("noise %g, least difference %g, ceiling %g", row.Noise, row.NoiseLeast, row.Ceiling)
	}
	if row.Chosen != "m1" || row.Best != "m0" {
		t.Fatalf("chosen %s, best %s", row.Chosen, row.Best)
	}
	var said []string
	for _, w := range stagetest.ReadTable[tables.WarningRow](t, r, kind.OutWarnings) {
		said = append(said, w.Code+": "+w.Message)
	}
	if !slices.ContainsFunc(said, func(s string) bool {
		return strings.HasPrefix(s, "noise: the chosen mixture is worse than the best by 2 perplexity, which is within seed noise (3.64)")
	}) || slices.ContainsFunc(said, func(s string) bool { return strings.HasPrefix(s, tables.WarnAlike) }) {
		t.Errorf("said %q", said)
	}
}
