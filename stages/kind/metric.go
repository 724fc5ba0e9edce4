package kind

import (
	"fmt"
	"math"

	"ablate/stages/internal/elementary"
)

// Metric is what a score is: its name, its direction, its unit, and how it is computed. Score
// tables, correlations, decisions, ranks, figures and the page take the word, the direction and the
// number of a score from its metric. A new metric is one value in Metrics.
type Metric struct {
	Name           string // one of them, in running text
	Plural         string
	HigherIsBetter bool
	Unit           string // empty: it is a number
	Formula        string // of Of, in words

	// Of is the score of one model on one domain. The score of several models or domains is the
	// mean of theirs. A score that is not finite takes no part in a comparison.
	Of func(Sums) float64
}

// Sums are what a table of losses sums up to: all documents of one domain, by one model.
type Sums struct {
	Documents, Tokens, Bytes int64
	Nats                     float64
}

// Perplexity is exp of the loss, as the paper has it, and the metric of every score that names
// none. It is infinite above a loss of 709.78 nats per token. The paper's code writes 1e30 for any
// perplexity above that, which makes models alike that differ in loss; here such scores take no
// part in a comparison, and a warning says so.
var Perplexity = Metric{
	Name: "perplexity", Plural: "perplexities", Formula: "exp(nats / tokens)",
	Of: func(s Sums) float64 { return elementary.Exp(s.Nats / float64(s.Tokens)) },
}

// Loss is the logarithm of one model's perplexity on one domain; rank orders mixtures by it.
var Loss = Metric{
	Name: "loss", Plural: "losses", Unit: "nats per token", Formula: "nats / tokens",
	Of: func(s Sums) float64 { return s.Nats / float64(s.Tokens) },
}

// Metrics are all that a score can name, the one of scores that name none first.
var Metrics = []Metric{Perplexity, Loss}

// FindMetric returns the metric of a score. Parameters and tables leave the name of the first of
// Metrics out, because it is the only one there was at first, so that older keys hold.
func FindMetric(name string) (Metric, error) {
	if name == "" {
		return Metrics[0], nil
	}
	var names []string
	for _, m := range Metrics {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return Metric{}, fmt.Errorf("unknown metric %q; this program knows %q", name, names)
}

// IsDefault reports whether the metric is that of scores that name none.
func (m Metric) IsDefault() bool { return m.Name == Metrics[0].Name }

// On names an evaluation set together with what is measured on it, in titles, figures and tables:
// the set alone for the metric of scores that name none, "arc (accuracy)" for others.
func (m Metric) On(set string) string {
	if m.IsDefault() {
		return set
	}
	return set + " (" + m.Name + ")"
}

// Extreme is where among scores the best one is.
func (m Metric) Extreme() string {
	if m.HigherIsBetter {
		return "highest"
	}
	return "lowest"
}

// Direction is which of two scores is the better one.
func (m Metric) Direction() string {
	if m.HigherIsBetter {
		return "higher"
	}
	return "lower"
}

// Better says whether a score is better than another. NaN is neither better nor worse than any.
func (m Metric) Better(a, b float64) bool { return m.Cost(a) < m.Cost(b) }

// Cost is a score, or the score with its sign turned, such that the lower is the better. The
// difference of two costs is what one score is worse by than the other, in the metric's unit.
func (m Metric) Cost(v float64) float64 {
	if m.HigherIsBetter {
		return -v
	}
	return v
}

// Costs are those of many scores.
func (m Metric) Costs(scores []float64) []float64 {
	if !m.HigherIsBetter {
		return scores
	}
	costs := make([]float64, len(scores))
	for i, v := range scores {
		costs[i] = -v
	}
	return costs
}

// Worst is worse than every score.
func (m Metric) Worst() float64 {
	if m.HigherIsBetter {
		return math.Inf(-1)
	}
	return math.Inf(1)
}
