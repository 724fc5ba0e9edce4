package correlate

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"ablate/cache/table"
	"ablate/stages/internal/elementary"
	"ablate/stages/internal/step"
	"ablate/stages/internal/svg"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// correlate turns loss tables into scores, and compares proxies with references where there are any.
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
	if over := SetsAveraged(p.Sets); over != nil {
		scores = append(scores, Averages(scores, over)...)
		p.Sets = append(slices.Clone(p.Sets), kind.Average)
	}
	several := slices.ContainsFunc(scores, func(s tables.ScoreRow) bool { return s.Group != scores[0].Group })
	var correlations []tables.CorrelationRow
	all := Comparisons(p, scores)
	for _, c := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		correlations = append(correlations, c.rows(p)...)
		if err := c.draw(job, Titled(c.Group, c.Set, several), p.Proxies); err != nil {
			return fmt.Errorf("correlate: %w", err)
		}
	}
	if err := writeBoth(job, kind.OutScores, kind.OutScoresCSV, scores); err != nil {
		return err
	}
	if err := writeBoth(job, kind.OutCorrelations, kind.OutCorrCSV, correlations); err != nil {
		return err
	}
	if err := writeBoth(job, kind.OutDecisions, kind.OutDecisionsCSV, decisions(correlations)); err != nil {
		return err
	}
	return writeBoth(job, kind.OutWarnings, kind.OutWarningsCSV, warnings(all, scores, correlations, p.Level))
}

func writeBoth[T any](job *kind.Job, parquet, csv string, rows []T) error {
	if err := step.Table(job, parquet, rows); err != nil {
		return err
	}
	path, err := step.Out(job, csv)
	if err != nil {
		return err
	}
	return table.WriteCSV(path, rows)
}

// A measure sums up a loss table.
type measure struct {
	documents, tokens, bytes int64
	nats                     float64
}

func measureAll(ctx context.Context, job *kind.Job) ([]measure, error) {
	ins := job.Numbered("losses")
	all := make([]measure, len(ins))
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

func measured(rows []tables.LossRow) (measure, error) {
	var m measure
	for _, r := range rows {
		m.documents, m.tokens, m.bytes, m.nats = m.documents+1, m.tokens+r.Tokens, m.bytes+r.Bytes, m.nats+r.Nats
	}
	if m.tokens == 0 || m.bytes == 0 {
		return m, fmt.Errorf("%d tokens and %d bytes", m.tokens, m.bytes)
	}
	return m, nil
}

func (m measure) loss() float64 { return m.nats / float64(m.tokens) }

// perplexity is exp(loss), which is infinite above a loss of 709.78 nats per token. The paper's code writes 1e30 for any perplexity above
// it, which makes models alike that differ in loss; here such scores take no part in a comparison, and a warning says so.
func (m measure) perplexity() float64 { return elementary.Exp(m.loss()) }

func (m measure) bitsPerByte() float64 { return m.nats / (float64(m.bytes) * math.Ln2) }

// scoreAll computes every score: the mean over domains of the mean over a domain's tables, in the order given.
func scoreAll(scores []kind.Score, measures []measure) ([]tables.ScoreRow, error) {
	rows := make([]tables.ScoreRow, 0, len(scores))
	for _, s := range scores {
		row := tables.ScoreRow{Group: s.Group, Mixture: s.Mixture, Scorer: s.Scorer, Set: s.Set}
		for _, domain := range s.Losses {
			var d tables.ScoreRow
			for i, n := range domain {
				if n < 0 || n >= len(measures) {
					return nil, fmt.Errorf("internal error: score %+v: table %d of %d", s, n, len(measures))
				}
				m, first := measures[n], measures[domain[0]]
				if m.tokens != first.tokens || m.bytes != first.bytes || m.documents != first.documents {
					return nil, fmt.Errorf("%s of mixture %s on %s: losses.%d is over %d documents of %d tokens, losses.%d over %d of %d",
						s.Scorer, s.Mixture, s.Set, domain[0], first.documents, first.tokens, n, m.documents, m.tokens)
				}
				d.Perplexity += m.perplexity()
				d.Loss += m.loss()
				d.BitsPerByte += m.bitsPerByte()
				if i == 0 {
					row.Documents += m.documents
					row.Tokens += m.tokens
				}
			}
			tables := float64(len(domain))
			row.Perplexity += d.Perplexity / tables
			row.Loss += d.Loss / tables
			row.BitsPerByte += d.BitsPerByte / tables
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
		rows = append(rows, row)
	}
	return rows, nil
}

// A comparison is one group of mixtures on one evaluation set: pairs of proxy and reference score for each proxy.
type comparison struct {
	Group, Set string
	Pairs      []ProxyPairs
	metric     kind.Metric // what the scores are
	replicates [][]float64 // reference scores of each mixture that has several, one a seed
}

// ProxyPairs are the scores of a proxy and of the reference for the mixtures that have both, in one order.
type ProxyPairs struct {
	Proxy      string
	Mixtures   []string
	Proxies    []float64
	References []float64
}

// Comparisons groups the scores: groups in order of first appearance, sets and proxies in display order, mixtures in the order of the
// scores. Only mixtures with a reference take part, sets with a reference, and proxies with a mixture of those.
func Comparisons(p kind.CorrelateParams, scores []tables.ScoreRow) []comparison {
	type at struct{ group, mixture, scorer, set string }
	scored := map[at]float64{}
	replicates := map[at][]float64{} // of a mixture on a set
	var groups []string
	mixtures := map[string][]string{} // with a reference, by group
	known := map[at]bool{}
	for _, s := range scores {
		scored[at{s.Group, s.Mixture, s.Scorer, s.Set}] = s.Perplexity
		if strings.HasPrefix(s.Scorer, kind.ScorerReplicate) {
			m := at{s.Group, s.Mixture, "", s.Set}
			replicates[m] = append(replicates[m], s.Perplexity)
		}
		if g := (at{group: s.Group}); !known[g] {
			known[g] = true
			groups = append(groups, s.Group)
		}
		if m := (at{group: s.Group, mixture: s.Mixture, scorer: kind.ScorerSeq}); s.Scorer == kind.ScorerSeq && !known[m] {
			known[m] = true
			mixtures[s.Group] = append(mixtures[s.Group], s.Mixture)
		}
	}
	var all []comparison
	for _, group := range groups {
		for _, set := range p.Sets {
			c := comparison{Group: group, Set: set, metric: kind.Perplexity}
			if !slices.ContainsFunc(mixtures[group], func(m string) bool { _, ok := scored[at{group, m, kind.ScorerSeq, set}]; return ok }) {
				continue
			}
			for _, m := range mixtures[group] {
				if r := replicates[at{group, m, "", set}]; len(r) > 1 {
					c.replicates = append(c.replicates, r)
				}
			}
			for _, proxy := range p.Proxies {
				pairs := ProxyPairs{Proxy: proxy}
				for _, m := range mixtures[group] {
					x, hasX := scored[at{group, m, proxy, set}]
					y, hasY := scored[at{group, m, kind.ScorerSeq, set}]
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
			all = append(all, c)
		}
	}
	return all
}

// draw leaves the figure: reference scores over proxy scores, one series a proxy. A proxy without scores on this set keeps its place
// among the series, so that each has the same colour and shape in every figure.
func (c comparison) draw(job *kind.Job, title string, proxies []string) error {
	figure := svg.Scatter{Title: title, XLabel: "proxy " + c.metric.Name, YLabel: "reference " + c.metric.Name, Diagonal: true}
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
	path, err := step.Out(job, kind.FigureOutput(c.Group, c.Set))
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, drawing, 0o666); err != nil {
		return fmt.Errorf("write figure: %w", err)
	}
	return nil
}

// Titled names what shows one set of mixtures on one evaluation set, in figures as on the page; the set of mixtures is said only where there
// are several.
func Titled(group, set string, several bool) string {
	if several {
		return group + ": " + set
	}
	return set
}
