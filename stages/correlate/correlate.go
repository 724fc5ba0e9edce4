package correlate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"ablate/cache/table"
	"ablate/stages/internal/step"
	"ablate/stages/internal/svg"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// correlate turns loss tables into scores, and compares proxies with references where there are
// any.
func correlate(ctx context.Context, job *kind.Job) error {
	var p kind.CorrelateParams
	if err := job.Decode(&p); err != nil {
		return err
	}
	measures, err := measureAll(ctx, job)
	if err != nil {
		return fmt.Errorf("correlate: %w", err)
	}
	scores, err := scoreAll(p.Scores, measures)
	if err != nil {
		return fmt.Errorf("correlate: %w", err)
	}
	for _, metric := range metricsOf(p) {
		scores = append(scores, Averages(scores, SetsAveraged(p, metric), metric)...)
	}
	several := slices.ContainsFunc(scores, func(s tables.ScoreRow) bool { return s.Group != scores[0].Group })
	var correlations []tables.CorrelationRow
	all, err := Comparisons(p, scores)
	if err != nil {
		return fmt.Errorf("correlate: %w", err)
	}
	for _, c := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		correlations = append(correlations, c.rows(p)...)
		if err := c.draw(job, Titled(c.Group, c.Metric.On(c.Set), several), p.Proxies); err != nil {
			return fmt.Errorf("correlate: %w", err)
		}
	}
	metrics := tables.HasMetrics(p)
	return errors.Join(
		writeBoth(job, kind.OutScores, kind.OutScoresCSV, tables.Scores.Write, scores, metrics),
		writeBoth(job, kind.OutCorrelations, kind.OutCorrCSV, tables.Correlations.Write, correlations, metrics),
		writeBoth(job, kind.OutDecisions, kind.OutDecisionsCSV, tables.Decisions.Write, decisions(correlations), metrics),
		writeBoth(job, kind.OutWarnings, kind.OutWarningsCSV, tables.Warnings.Write, warnings(all, scores, correlations, p.Level), metrics))
}

func writeBoth[T any](job *kind.Job, parquet, csv string, write func(parquet, csv string, rows []T, metrics bool) error, rows []T, metrics bool) error {
	rowsPath, err := step.Out(job, parquet)
	if err != nil {
		return err
	}
	csvPath, err := step.Out(job, csv)
	if err != nil {
		return err
	}
	return write(rowsPath, csvPath, rows, metrics)
}

// measureAll sums up each table of losses.
func measureAll(ctx context.Context, job *kind.Job) ([]kind.Sums, error) {
	ins := job.Numbered("losses")
	all := make([]kind.Sums, len(ins))
	for i, in := range ins {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rows, err := table.ReadRows[tables.LossRow](in.Path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", in.Role, err)
		}
		if all[i], err = measured(rows); err != nil {
			return nil, fmt.Errorf("%s: %w", in.Role, err)
		}
		step.Progress(job, int64(i+1), int64(len(ins)), "documents")
	}
	return all, nil
}

func measured(rows []tables.LossRow) (kind.Sums, error) {
	var m kind.Sums
	for _, r := range rows {
		m.Documents, m.Tokens, m.Bytes, m.Nats = m.Documents+1, m.Tokens+r.Tokens, m.Bytes+r.Bytes, m.Nats+r.Nats
	}
	if m.Tokens == 0 || m.Bytes == 0 {
		return m, fmt.Errorf("%d tokens and %d bytes", m.Tokens, m.Bytes)
	}
	return m, nil
}

func bitsPerByte(m kind.Sums) float64 { return m.Nats / (float64(m.Bytes) * math.Ln2) }

// scoreAll computes every score: the mean over domains of the mean over a domain's tables, in the
// order given.
func scoreAll(scores []kind.Score, measures []kind.Sums) ([]tables.ScoreRow, error) {
	rows := make([]tables.ScoreRow, 0, len(scores))
	for _, s := range scores {
		metric, err := kind.FindMetric(s.Metric)
		if err != nil {
			return nil, fmt.Errorf("%s of mixture %s on %s: %w", s.Scorer, s.Mixture, s.Set, err)
		}
		if s.Metric != "" && metric.IsDefault() {
			return nil, fmt.Errorf("internal error: score %+v names the metric that others leave out", s)
		}
		row := tables.ScoreRow{Group: s.Group, Mixture: s.Mixture, Scorer: s.Scorer, Set: s.Set, Metric: s.Metric}
		for _, domain := range s.Losses {
			var d tables.ScoreRow
			for i, n := range domain {
				if n < 0 || n >= len(measures) {
					return nil, fmt.Errorf("internal error: score %+v: table %d of %d", s, n, len(measures))
				}
				m, first := measures[n], measures[domain[0]]
				if m.Tokens != first.Tokens || m.Bytes != first.Bytes || m.Documents != first.Documents {
					return nil, fmt.Errorf("%s of mixture %s on %s: losses.%d is over %d documents of %d tokens, losses.%d over %d of %d",
						s.Scorer, s.Mixture, s.Set, domain[0], first.Documents, first.Tokens, n, m.Documents, m.Tokens)
				}
				d.Perplexity += kind.Perplexity.Of(m)
				d.Loss += kind.Loss.Of(m)
				d.BitsPerByte += bitsPerByte(m)
				d.Value += metric.Of(m)
				if i == 0 {
					row.Documents += m.Documents
					row.Tokens += m.Tokens
				}
			}
			tables := float64(len(domain))
			row.Perplexity += d.Perplexity / tables
			row.Loss += d.Loss / tables
			row.BitsPerByte += d.BitsPerByte / tables
			row.Value += d.Value / tables
			if len(domain) == 0 {
				return nil, fmt.Errorf("internal error: score %+v has a domain without tables", s)
			}
		}
		if len(s.Losses) == 0 {
			return nil, fmt.Errorf("internal error: score %+v has no tables", s)
		}
		domains := float64(len(s.Losses))
		row.Perplexity /= domains
		row.Loss /= domains
		row.BitsPerByte /= domains
		row.Value /= domains
		rows = append(rows, row)
	}
	return rows, nil
}

// A comparison is one group of mixtures on one evaluation set by one metric: pairs of proxy and
// reference score for each proxy.
type comparison struct {
	Group, Set string
	Metric     kind.Metric // what the scores are
	Pairs      []ProxyPairs
	named      string      // the metric as scores name it
	replicates [][]float64 // reference scores of each mixture that has several, one a seed
}

// ProxyPairs are the scores of a proxy and of the reference for the mixtures that have both, in one
// order.
type ProxyPairs struct {
	Proxy      string
	Mixtures   []string
	Proxies    []float64
	References []float64
}

// scorePlace is where a score belongs; without a scorer, where the scores of all replicates of a
// reference do.
type scorePlace struct{ group, mixture, scorer, set, metric string }

// Comparisons groups the scores: groups in order of first appearance, sets and proxies in display
// order, metrics and mixtures in the order of the scores. Only mixtures with a reference take part,
// sets with a reference, and proxies with a mixture of those.
func Comparisons(p kind.CorrelateParams, scores []tables.ScoreRow) ([]comparison, error) {
	scored := map[scorePlace]float64{}
	replicates := map[scorePlace][]float64{}
	var groups, metrics []string
	mixtures := map[string][]string{} // with a reference, by group
	for _, s := range scores {
		scored[scorePlace{s.Group, s.Mixture, s.Scorer, s.Set, s.Metric}] = s.Score()
		if strings.HasPrefix(s.Scorer, kind.ScorerReplicate) {
			m := scorePlace{s.Group, s.Mixture, "", s.Set, s.Metric}
			replicates[m] = append(replicates[m], s.Score())
		}
		if _, known := mixtures[s.Group]; !known {
			groups, mixtures[s.Group] = append(groups, s.Group), nil
		}
		if !slices.Contains(metrics, s.Metric) {
			metrics = append(metrics, s.Metric)
		}
	}
	seen := map[scorePlace]bool{}
	for _, s := range scores {
		if m := (scorePlace{group: s.Group, mixture: s.Mixture}); s.Scorer == kind.ScorerSeq && !seen[m] {
			seen[m] = true
			mixtures[s.Group] = append(mixtures[s.Group], s.Mixture)
		}
	}
	var all []comparison
	for _, group := range groups {
		for _, set := range SetsCompared(p) {
			for _, named := range metrics {
				metric, err := kind.FindMetric(named)
				if err != nil {
					return nil, err
				}
				c := comparison{Group: group, Set: set, Metric: metric, named: named}
				if c.fill(p.Proxies, mixtures[group], scored, replicates) {
					all = append(all, c)
				}
			}
		}
	}
	return all, nil
}

// fill gives the comparison its pairs; false: no mixture has a reference score.
func (c *comparison) fill(proxies, mixtures []string, scored map[scorePlace]float64, replicates map[scorePlace][]float64) bool {
	at := func(mixture, scorer string) scorePlace { return scorePlace{c.Group, mixture, scorer, c.Set, c.named} }
	if !slices.ContainsFunc(mixtures, func(m string) bool { _, ok := scored[at(m, kind.ScorerSeq)]; return ok }) {
		return false
	}
	for _, m := range mixtures {
		if r := replicates[at(m, "")]; len(r) > 1 {
			c.replicates = append(c.replicates, r)
		}
	}
	for _, proxy := range proxies {
		pairs := ProxyPairs{Proxy: proxy}
		for _, m := range mixtures {
			x, hasX := scored[at(m, proxy)]
			y, hasY := scored[at(m, kind.ScorerSeq)]
			if hasX && hasY {
				pairs.Mixtures = append(pairs.Mixtures, m)
				pairs.Proxies = append(pairs.Proxies, x)
				pairs.References = append(pairs.References, y)
			}
		}
		if len(pairs.Mixtures) > 0 {
			c.Pairs = append(c.Pairs, pairs)
		}
	}
	return true
}

// draw leaves the figure: reference scores over proxy scores, one series a proxy. A proxy without
// scores on this set keeps its place among the series, so that each has the same colour and shape
// in every figure.
func (c comparison) draw(job *kind.Job, title string, proxies []string) error {
	figure := svg.Scatter{Title: title, XLabel: "proxy " + c.Metric.Name, YLabel: "reference " + c.Metric.Name, Diagonal: true}
	for _, proxy := range proxies {
		s := svg.Series{Name: proxy, Fit: true}
		if i := slices.IndexFunc(c.Pairs, func(p ProxyPairs) bool { return p.Proxy == proxy }); i >= 0 {
			for k, m := range c.Pairs[i].Mixtures {
				s.Points = append(s.Points, svg.Point{X: c.Pairs[i].Proxies[k], Y: c.Pairs[i].References[k], Label: m})
			}
		}
		figure.Series = append(figure.Series, s)
	}
	drawing, err := figure.SVG()
	if err != nil {
		return fmt.Errorf("figure of %s on %s: %w", c.Group, c.Set, err)
	}
	path, err := step.Out(job, kind.FigureOutput(c.Group, c.Metric.On(c.Set)))
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, drawing, 0o666); err != nil {
		return fmt.Errorf("write figure: %w", err)
	}
	return nil
}

// Titled names what shows one set of mixtures on one evaluation set, in figures as on the page; the
// set of mixtures is said only where there are several.
func Titled(group, set string, several bool) string {
	if several {
		return group + ": " + set
	}
	return set
}
