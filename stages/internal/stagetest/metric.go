package stagetest

import (
	"math"
	"testing"

	"ablate/stages/kind"
)

// Certainty is a metric that no study has, of which more is better: the geometric mean of the
// probabilities of the tokens, which is 1 / perplexity.
var Certainty = kind.Metric{
	Name: "certainty", Plural: "certainties", HigherIsBetter: true, Unit: "probability per token", Formula: "exp(-nats / tokens)",
	Of: func(s kind.Sums) float64 { return math.Exp(-s.Nats / float64(s.Tokens)) },
}

// AddMetric makes a metric one of the program's while a test runs.
func AddMetric(t *testing.T, m kind.Metric) {
	t.Helper()
	before := kind.Metrics
	kind.Metrics = append(before[:len(before):len(before)], m)
	t.Cleanup(func() { kind.Metrics = before })
}
