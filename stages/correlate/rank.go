package correlate

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"ablate/cache/table"
	"ablate/stages/internal/stat"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// RankInput is what mixtures are ranked by: loss tables that evaluations on one set left.
type RankInput struct {
	Metric     string  // name of what mixtures are ranked by; empty: the loss
	Level      float64 // coverage of the intervals
	Candidates []RankMixture
	References []RankReference
}

// RankMixture is a mixture as a proxy scores it.
type RankMixture struct {
	Group, Name string
	Losses      [][]string // domain -> paths of loss tables, as in kind.Score
}

// RankReference is a mixture that has a reference model too.
type RankReference struct {
	RankMixture            // scored by the proxy
	Reference   [][]string // scored by the reference model
}

// Ranked is a mixture in its place. Scores are in the unit of the metric that mixtures are ranked
// by, losses in nats per token: means over domains, and over a domain's models where the proxy is a
// mean of scores. What is not known is NaN.
type Ranked struct {
	Group, Mixture         string
	Score                  float64 // by the proxy: of the metric that mixtures are ranked by
	Loss                   float64 // by the proxy
	Expected, Low, High    float64 // of the reference, by its line; Low and High are the interval that a new reference would lie in
	Beyond                 bool    // the proxy's score lies outside the range of the references' proxies: the line is a guess there
	Reference              float64 // of its reference model, where one was trained, in the metric's unit
	Perplexity, ReferenceP float64 // perplexities of the proxy and the reference by the same means, not exponentials of losses
}

// RankLine is how reference scores of a set of mixtures follow from the proxy's: reference =
// Intercept + Slope * proxy.
type RankLine struct {
	Group            string
	References       int
	Intercept, Slope float64 // NaN with too few references
	SD               float64 // of the residuals, in the metric's unit
	Left             float64 // root mean square error of each reference predicted by the line through the others
	Pearson          float64
}

// fewestReferences is how many references a line with an interval wants: with three, one degree of
// freedom is left, and t is 12.7.
const fewestReferences = 4

// Rank orders mixtures by the proxy's score, the best first, ties by name, and says for each what
// reference score to expect, by a line through the references of its own set of mixtures. A set
// with fewer than four references gets no line: NaN in place of expectations.
func Rank(in RankInput) ([]Ranked, []RankLine, error) {
	metric := kind.Loss
	if in.Metric != "" {
		var err error
		if metric, err = kind.FindMetric(in.Metric); err != nil {
			return nil, nil, fmt.Errorf("rank: %w", err)
		}
	}
	r := ranker{metric: metric, sums: map[string]kind.Sums{}}
	type name struct{ group, mixture string }
	trained := map[name]tables.ScoreRow{}
	var lines []RankLine
	fits := map[string]stat.Line{}
	proxies, references := map[string][]float64{}, map[string][]float64{}
	var groups []string
	for _, m := range in.References {
		x, err := r.score(m.Group, m.Name, m.Losses)
		if err != nil {
			return nil, nil, err
		}
		y, err := r.score(m.Group, m.Name, m.Reference)
		if err != nil {
			return nil, nil, err
		}
		if proxies[m.Group] == nil {
			groups = append(groups, m.Group)
		}
		proxies[m.Group], references[m.Group] = append(proxies[m.Group], x.Value), append(references[m.Group], y.Value)
		trained[name{m.Group, m.Name}] = y
	}
	for _, g := range groups {
		l := RankLine{Group: g, References: len(proxies[g]), Intercept: math.NaN(), Slope: math.NaN(), SD: math.NaN(), Left: math.NaN(), Pearson: math.NaN()}
		if l.References >= fewestReferences {
			fit := stat.FitLine(proxies[g], references[g])
			fits[g] = fit
			l.Intercept, l.Slope, l.SD, l.Left = fit.Intercept, fit.Slope, fit.SD, fit.Left
			l.Pearson = stat.Pearson(proxies[g], references[g])
		}
		lines = append(lines, l)
	}
	out := make([]Ranked, 0, len(in.Candidates))
	for _, m := range in.Candidates {
		s, err := r.score(m.Group, m.Name, m.Losses)
		if err != nil {
			return nil, nil, err
		}
		row := Ranked{Group: m.Group, Mixture: m.Name, Score: s.Value, Loss: s.Loss, Perplexity: s.Perplexity, Expected: math.NaN(), Low: math.NaN(), High: math.NaN(), Reference: math.NaN(), ReferenceP: math.NaN()}
		if fit, ok := fits[m.Group]; ok {
			p := fit.Predict(s.Value, in.Level)
			row.Expected, row.Low, row.High, row.Beyond = p.Value, p.Low, p.High, fit.Beyond(s.Value)
		}
		if y, ok := trained[name{m.Group, m.Name}]; ok {
			row.Reference, row.ReferenceP = y.Value, y.Perplexity
		}
		out = append(out, row)
	}
	slices.SortStableFunc(out, func(a, b Ranked) int {
		return cmp.Or(cmp.Compare(metric.Cost(a.Score), metric.Cost(b.Score)), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Mixture, b.Mixture))
	})
	return out, lines, nil
}

// ranker reads each loss table once: units are in many mixtures.
type ranker struct {
	metric kind.Metric
	sums   map[string]kind.Sums // by path
}

func (r *ranker) score(group, mixture string, losses [][]string) (tables.ScoreRow, error) {
	s := kind.Score{Group: group, Mixture: mixture, Losses: make([][]int, len(losses))}
	var all []kind.Sums
	for d, paths := range losses {
		for _, path := range paths {
			m, ok := r.sums[path]
			if !ok {
				rows, err := table.ReadRows[tables.LossRow](path)
				if err == nil {
					m, err = measured(rows)
				}
				if err != nil {
					return tables.ScoreRow{}, fmt.Errorf("rank %s: %s: %w", mixture, path, err)
				}
				r.sums[path] = m
			}
			s.Losses[d] = append(s.Losses[d], len(all))
			all = append(all, m)
		}
	}
	if !r.metric.IsDefault() {
		s.Metric = r.metric.Name
	}
	rows, err := scoreAll([]kind.Score{s}, all)
	if err != nil {
		return tables.ScoreRow{}, fmt.Errorf("rank: %w", err)
	}
	rows[0].Value = rows[0].Score()
	return rows[0], nil
}
