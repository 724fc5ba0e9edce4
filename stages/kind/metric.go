package kind

import "math"

// Metric is what a score is: its name, its direction, its unit, and how it is computed. Tables, comparisons, decisions, figures and the page
// take the word and the direction from here.
type Metric struct {
	Name           string // one of them, in running text
	Plural         string
	HigherIsBetter bool
	Unit           string // empty: it is a number
	Formula        string // from the sums of a table of losses
}

// Perplexity is exp of the loss, as the paper has it.
var Perplexity = Metric{Name: "perplexity", Plural: "perplexities", Formula: "exp(nats / tokens)"}

// Loss is the logarithm of one model's perplexity on one domain; rank orders mixtures by it.
var Loss = Metric{Name: "loss", Plural: "losses", Unit: "nats per token", Formula: "nats / tokens"}

// Better says whether a score is better than another. NaN is neither better nor worse than any.
func (m Metric) Better(a, b float64) bool { return m.Cost(a) < m.Cost(b) }

// Cost is a score, or the score with its sign turned, such that the lower is the better. The difference of two costs is what one score is worse
// by than the other, in the metric's unit.
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
