package stages

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"slices"

	"ablate/cache/table"
	"ablate/stages/internal/plot"
	"ablate/stages/internal/report"
)

// ReportInput is what the report of a study is made of: words, and the paths of tables that steps left in the cache. The report is no
// step: its words may change without anything being done again.
type ReportInput struct {
	Study, About, Program string
	InDomain              string            // name of the evaluation set that changes with the mixture
	SetAbout              map[string]string // evaluation set -> one sentence
	Scores, Correlations  string            // scores.parquet, correlations.parquet
	Figure                func(group, set string) (path string, err error)
	Splits                []ReportSplit
	Models                []ReportModel
	Mixtures              []ReportMixture
	Steps                 []ReportSteps
	Warnings              []string
	Provenance            [][2]string // name, value
}

// ReportSplit is a partition set and its sizes.parquet.
type ReportSplit struct{ Corpus, Sizes string }

// ReportModel is a trained model and its curve.parquet.
type ReportModel struct {
	Name, Role      string // role: seed, unit, partition or reference
	Tokens          int64
	Key, Checkpoint string
	Curve           string
}

// ReportMixture is a mixture; units counts those of each partition.
type ReportMixture struct {
	Group, Name string
	Partitions  []string
	Units       []int
	Tokens      int64
	Reference   bool
}

// ReportSteps sums up the steps of one kind.
type ReportSteps struct {
	Kind    string
	Count   int
	Bytes   int64
	Seconds float64
}

// Report writes the page. Same input, same bytes.
func Report(in ReportInput) ([]byte, error) {
	b := &reportBuilder{in: in, d: report.Data{Study: in.Study, About: in.About, Program: in.Program, Metric: "perplexity", Warnings: in.Warnings}}
	for _, f := range []func() error{b.tables, b.partitions, b.curves} {
		if err := f(); err != nil {
			return nil, fmt.Errorf("report of study %s: %w", in.Study, err)
		}
	}
	b.mixtures()
	for _, s := range in.Steps {
		b.d.Steps = append(b.d.Steps, report.Steps(s))
	}
	for _, p := range in.Provenance {
		b.d.Provenance = append(b.d.Provenance, report.Fact{Name: p[0], Value: p[1]})
	}
	var page bytes.Buffer
	if err := report.Render(&page, b.d); err != nil {
		return nil, fmt.Errorf("report of study %s: %w", in.Study, err)
	}
	return page.Bytes(), nil
}

type reportBuilder struct {
	in ReportInput
	d  report.Data
}

// groupSet is one table of scores: a set of mixtures on an evaluation set.
type groupSet struct{ group, set string }

// title names a table; the set of mixtures is said only where there are several.
func (b *reportBuilder) title(g groupSet) string {
	for _, m := range b.in.Mixtures {
		if m.Group != g.group {
			return g.group + ": " + g.set
		}
	}
	return g.set
}

// tables reads scores and correlations and settles the choices.
func (b *reportBuilder) tables() error {
	scores, err := table.ReadRows[ScoreRow](b.in.Scores)
	if err != nil {
		return err
	}
	rows, err := table.ReadRows[CorrelationRow](b.in.Correlations)
	if err != nil {
		return err
	}
	for _, r := range rows {
		b.d.Correlations = append(b.d.Correlations, report.Correlation{
			Set: b.title(groupSet{r.Group, r.Set}), Proxy: r.Proxy, N: int(r.N),
			Pearson:  report.Interval{Value: r.Pearson, Low: r.PearsonLow, High: r.PearsonHigh},
			Spearman: report.Interval{Value: r.Spearman, Low: r.SpearmanLow, High: r.SpearmanHigh},
			Kendall:  report.Interval{Value: r.Kendall, Low: r.KendallLow, High: r.KendallHigh},
			Regret:   r.Regret, Chosen: r.Chosen, Rank: int(r.Rank), PairwiseAccuracy: r.PairwiseAccuracy,
		})
	}
	var order []groupSet
	by := map[groupSet][]ScoreRow{}
	for _, s := range scores {
		g := groupSet{s.Group, s.Set}
		if by[g] == nil {
			order = append(order, g)
		}
		by[g] = append(by[g], s)
	}
	for _, g := range order {
		t := b.scoreTable(g, by[g])
		b.d.Scores = append(b.d.Scores, t)
		if c, ok := choice(t); ok {
			b.d.Choices = append(b.d.Choices, c)
		}
		b.evalSet(g, by[g])
		if err := b.scatter(g, t); err != nil {
			return err
		}
	}
	return nil
}

func (b *reportBuilder) scoreTable(g groupSet, rows []ScoreRow) report.ScoreTable {
	t := report.ScoreTable{Set: b.title(g), Reference: -1}
	column, line := map[string]int{}, map[string]int{}
	for _, r := range rows {
		if _, ok := column[r.Scorer]; !ok {
			column[r.Scorer] = len(t.Columns)
			t.Columns = append(t.Columns, r.Scorer)
		}
		if _, ok := line[r.Mixture]; !ok {
			line[r.Mixture] = len(t.Rows)
			t.Rows = append(t.Rows, report.ScoreRow{Mixture: r.Mixture})
		}
	}
	if i, ok := column[scorerSeq]; ok {
		t.Reference = i
	}
	for i := range t.Rows {
		t.Rows[i].Values = slices.Repeat([]float64{math.NaN()}, len(t.Columns))
	}
	for _, r := range rows {
		t.Rows[line[r.Mixture]].Values[column[r.Scorer]] = r.Perplexity
	}
	return t
}

// proxyOrder is which proxy answers for a set: averages of parameters before averages of scores, macro before micro as the better one
// where partitions are of uneven size (paper, section 5.2). It is fixed beforehand: to take the proxy that turned out to correlate best
// would flatter the answer.
var proxyOrder = []string{"macro", "micro", "merged", "mean_ind", "ind_id"}

// choice is the answer of one table.
func choice(t report.ScoreTable) (report.Choice, bool) {
	c := report.Choice{Set: t.Set, ChosenProxy: math.Inf(1), ChosenReference: math.NaN(), BestReference: math.Inf(1)}
	proxy := -1
	for _, name := range proxyOrder {
		if proxy = slices.Index(t.Columns, name); proxy >= 0 {
			c.Proxy = name
			break
		}
	}
	if proxy < 0 {
		return c, false
	}
	for _, r := range t.Rows {
		if v := r.Values[proxy]; !math.IsNaN(v) {
			c.Candidates++
			if v < c.ChosenProxy {
				c.Chosen, c.ChosenProxy = r.Mixture, v
				if t.Reference >= 0 {
					c.ChosenReference = r.Values[t.Reference]
				}
			}
		}
		if t.Reference < 0 {
			continue
		}
		if v := r.Values[t.Reference]; !math.IsNaN(v) {
			c.References++
			if v < c.BestReference {
				c.Best, c.BestReference = r.Mixture, v
			}
		}
	}
	if c.References == 0 {
		c.BestReference = math.NaN()
		return c, c.Candidates > 0
	}
	if !math.IsNaN(c.ChosenReference) {
		c.Rank = 1
		for _, r := range t.Rows {
			if r.Values[t.Reference] < c.ChosenReference {
				c.Rank++
			}
		}
	}
	return c, c.Candidates > 0
}

// evalSet describes a set once. The in-domain set is as large as its largest mixture; its size is that of all test documents, added by
// partitions.
func (b *reportBuilder) evalSet(g groupSet, rows []ScoreRow) {
	for _, s := range b.d.EvalSets {
		if s.Name == g.set {
			return
		}
	}
	s := report.EvalSet{Name: g.set, About: b.in.SetAbout[g.set]}
	if g.set == b.in.InDomain {
		s.InDomain = true
		s.About = "Held-out documents of the mixture's own partitions; the score is the mean over the partitions."
	} else {
		s.Documents, s.Tokens = int(rows[0].Documents), rows[0].Tokens
	}
	b.d.EvalSets = append(b.d.EvalSets, s)
}

func (b *reportBuilder) scatter(g groupSet, t report.ScoreTable) error {
	if t.Reference < 0 {
		return nil
	}
	path, err := b.in.Figure(g.group, g.set)
	if err != nil {
		return err
	}
	svg, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	b.d.Scatters = append(b.d.Scatters, report.Figure{
		Title:   b.title(g),
		Caption: fmt.Sprintf("Each point is a mixture of %s: the perplexity of the model really trained on it over what a proxy says. Lower left is better; points on a rising line mean that the proxy ranks mixtures as the reference does.", b.title(g)),
		SVG:     svg,
	})
	return nil
}

// partitions reads the table of sizes of each partition set.
func (b *reportBuilder) partitions() error {
	for _, split := range b.in.Splits {
		rows, err := table.ReadRows[SizeRow](split.Sizes)
		if err != nil {
			return err
		}
		at := map[string]int{}
		for _, r := range rows {
			if r.Part != PartUnit && r.Part != PartTest && r.Part != PartValidation {
				continue
			}
			i, ok := at[r.Partition]
			if !ok {
				i = len(b.d.Partitions)
				at[r.Partition] = i
				b.d.Partitions = append(b.d.Partitions, report.Partition{Name: r.Partition, Corpus: split.Corpus})
			}
			p := &b.d.Partitions[i]
			if r.Part != PartUnit {
				p.HeldOut += int(r.Documents)
				if r.Part == PartTest {
					b.testDocuments(r)
				}
				continue
			}
			p.Units++
			p.Documents += int(r.Documents)
			p.Tokens += r.Tokens
			p.RemovedDocuments += int(r.RemovedDocuments)
			p.RemovedTokens += r.RemovedTokens
		}
		// A held-out row of a partition that was left out is no partition of the study.
		b.d.Partitions = slices.DeleteFunc(b.d.Partitions, func(p report.Partition) bool { return p.Units == 0 })
	}
	return nil
}

func (b *reportBuilder) testDocuments(r SizeRow) {
	for i := range b.d.EvalSets {
		if s := &b.d.EvalSets[i]; s.InDomain {
			s.Documents += int(r.Documents)
			s.Tokens += r.Tokens
		}
	}
}

// curves reads the loss curves: one figure for each role.
func (b *reportBuilder) curves() error {
	roles := []struct{ role, title, caption string }{
		{"seed", "Seed model", "Training loss of the common start."},
		{"unit", "Unit models", "Training loss of the model of each base unit, from the seed model on."},
		{"partition", "Partition models", "Training loss of the model of each partition of several units."},
		{"reference", "Reference models", "Training loss of the model of each mixture."},
	}
	series := map[string][]plot.Series{}
	for _, m := range b.in.Models {
		rows, err := table.ReadRows[CurveRow](m.Curve)
		if err != nil {
			return fmt.Errorf("model %s: %w", m.Name, err)
		}
		s := plot.Series{Name: m.Name}
		for _, r := range smooth(rows) {
			s.Points = append(s.Points, plot.Point{X: float64(r.Tokens), Y: r.Loss})
		}
		series[m.Role] = append(series[m.Role], s)
		final := math.NaN()
		if n := len(s.Points); n > 0 {
			final = s.Points[n-1].Y
		}
		b.d.Models = append(b.d.Models, report.Model{
			Name: m.Name, Kind: m.Role, Tokens: m.Tokens, FinalLoss: final, Key: m.Key, Checkpoint: m.Checkpoint,
		})
	}
	for _, r := range roles {
		if len(series[r.role]) == 0 {
			continue
		}
		svg, err := plot.Lines{Title: r.title, XLabel: "tokens", YLabel: "loss (nats per token)", Series: series[r.role]}.SVG()
		if err != nil {
			return err
		}
		b.d.Curves = append(b.d.Curves, report.Figure{Title: r.title, Caption: r.caption, SVG: svg})
	}
	return nil
}

// smooth gathers a curve into at most 100 points, each the mean over as many steps: batches differ more than the model moves.
func smooth(rows []CurveRow) []CurveRow {
	const most = 100
	width := (len(rows) + most - 1) / most
	if width <= 1 {
		return rows
	}
	var out []CurveRow
	for i := 0; i < len(rows); i += width {
		chunk := rows[i:min(i+width, len(rows))]
		r := chunk[len(chunk)-1]
		var sum float64
		for _, c := range chunk {
			sum += c.Loss
		}
		r.Loss = sum / float64(len(chunk))
		out = append(out, r)
	}
	return out
}

func (b *reportBuilder) mixtures() {
	for _, m := range b.in.Mixtures {
		units := 0
		for _, n := range m.Units {
			units += n
		}
		r := report.Mixture{Name: m.Name, Partitions: m.Partitions, Units: units, Tokens: m.Tokens, Reference: m.Reference}
		for i, p := range m.Partitions {
			r.Shares = append(r.Shares, report.Share{Partition: p, Share: float64(m.Units[i]) / float64(units)})
		}
		b.d.Mixtures = append(b.d.Mixtures, r)
	}
}
