package stagetest

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"ablate/cache/table"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// LossFile writes a loss table of one document of 10 tokens and 20 bytes, of the given perplexity,
// and an empty one.
func LossFile(t *testing.T, perplexity float64) string {
	t.Helper()
	return NatsFile(t, math.Log(perplexity))
}

// NatsFile is a loss table of ten tokens, each of so many nats.
func NatsFile(t *testing.T, loss float64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "losses.parquet")
	if err := table.WriteRows(path, []tables.LossRow{
		{ID: "a", Tokens: 10, Bytes: 20, Chars: 20, Words: 4, Nats: 10 * loss}, {ID: "b", Bytes: 0},
	}); err != nil {
		t.Fatal(err)
	}
	return path
}

// Study is scores of mixtures m0, m1, ... on a set called ood, each from a table of its own.
func Study(t *testing.T, scores map[string][]float64) (kind.CorrelateParams, Roles) {
	t.Helper()
	p := kind.CorrelateParams{Sets: []string{"in-domain", "ood"}, Proxies: []string{"macro", "micro"}, Resamples: 200, Level: 0.95, Seed: 1}
	var paths []string
	for _, scorer := range []string{kind.ScorerSeq, "macro", "micro"} {
		for i, x := range scores[scorer] {
			if math.IsNaN(x) {
				continue
			}
			p.Scores = append(p.Scores, kind.Score{
				Group: "pairs", Mixture: fmt.Sprint("m", i), Scorer: scorer, Set: "ood", Losses: [][]int{{len(paths)}},
			})
			paths = append(paths, LossFile(t, x))
		}
	}
	return p, Roles{}.Numbered("losses", paths...)
}
