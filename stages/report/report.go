// Package report makes what a person reads from what steps left: the page (Page), and the tables
// and figures beside it (Layouts). It is no step and has no key: the same artifacts always give the
// same bytes.
package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"ablate/cache"
	"ablate/stages/correlate"
	"ablate/stages/internal/page"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// Input is what the report of a study is made of: words, and the paths of tables that steps left in
// the cache. The report is no step: its words may change without anything being done again.
type Input struct {
	Study, About, Program string
	InDomain              string            // name of the evaluation set that changes with the mixture
	SetAbout              map[string]string // evaluation set -> one sentence
	Scores, Correlations  string            // scores.parquet, correlations.parquet
	Decisions, Limits     string            // decisions.parquet, warnings.parquet; empty: not shown
	Level                 float64           // coverage of the intervals
	Figure                func(group, set string) (path string, err error)
	Training              Training
	Corpora               []Corpus
	Splits                []Split
	Models                []Model
	Mixtures              []Mixture
	Steps                 []Steps
	Flow                  []Flow
	Params                json.RawMessage // of the step that compared
	Warnings              []string
	Provenance            [][2]string // name, value
}

// Training is what the study's models cost in tokens, and what models of all mixtures that it
// allows would. Those can be too many for any integer.
type Training struct {
	Seed, Units, Partitions, References int64
	MixturesPossible, AllReferences     float64
}

// Corpus is a corpus, or the files of an evaluation set, and the counts.json of each step that read
// a part of it.
type Corpus struct {
	Name    string
	EvalSet bool
	Counts  []string
	Files   [][]string // names of the files that each of those steps read, in order; may be nil
}

// Split is a partition set and what its split left: sizes.parquet, and where they are given
// timeline.parquet, filter.json and ledger.parquet.
type Split struct {
	Set, Corpus, Sizes string
	Order, Timeline    string                  // the metadata that orders documents, and the table by its values
	Filter, Ledger     string                  // what was removed because of what
	Words              func(set string) string // what the ledger's name of an evaluation text means in this study
	Duplicates         string                  // the table of documents whose identity came before; empty: not known
	Places             []string                // of each shard of the corpus, the table of its documents' places
	Files              [][]string              // of each shard, the names of its files
}

// Model is a trained model and its curve.parquet.
type Model struct {
	Name, Role      string // role: seed, unit, partition or reference
	Tokens          int64
	Key, Checkpoint string
	Curve           string
}

// Mixture is a mixture; units counts those of each partition.
type Mixture struct {
	Group, Name string
	Partitions  []string
	Units       []int
	Tokens      int64
	Reference   bool
}

// Steps sums up steps of one kind; Of tells those of one kind apart, in words, and may be empty.
// Found counts those that were in the cache when the last run that did any of the study's work
// began; the others are of that run.
type Steps struct {
	Kind, Of      string
	Count, Found  int
	Tokens, Bytes int64 // trained on; of the results
	Seconds       float64
}

// Flow says how many times steps at From, a place in the list of steps, are taken from by steps at
// To.
type Flow struct{ From, To, Times int }

// Page writes the page. Same input, same bytes.
func Page(in Input) ([]byte, error) {
	b := &builder{in: in, metrics: map[string]kind.Metric{}, d: page.Data{Study: in.Study, About: in.About, Program: in.Program, Level: in.Level, Warnings: in.Warnings}}
	t := in.Training
	b.d.Training = page.Training{
		Seed: t.Seed, Units: t.Units, Partitions: t.Partitions, References: t.References, Possible: t.MixturesPossible, All: t.AllReferences,
	}
	for _, f := range []func() error{b.tables, b.judged, b.corpora, b.partitions, b.timelines, b.removed, b.curves} {
		if err := f(); err != nil {
			return nil, fmt.Errorf("report of study %s: %w", in.Study, err)
		}
	}
	b.mixtures()
	if err := b.flow(); err != nil {
		return nil, fmt.Errorf("report of study %s: %w", in.Study, err)
	}
	for _, p := range in.Provenance {
		b.d.Provenance = append(b.d.Provenance, page.Fact{Name: p[0], Value: p[1]})
	}
	var html bytes.Buffer
	if err := page.Render(&html, b.d); err != nil {
		return nil, fmt.Errorf("report of study %s: %w", in.Study, err)
	}
	return html.Bytes(), nil
}

type builder struct {
	in      Input
	d       page.Data
	metrics map[string]kind.Metric // of the scores, as they name them
}

// groupSet is one table of scores: a set of mixtures on an evaluation set, by one metric.
type groupSet struct {
	group, set string
	metric     string // as scores name it
}

// title names the table; tables() has seen that the metric is known.
func (b *builder) title(g groupSet) string {
	several := slices.ContainsFunc(b.in.Mixtures, func(m Mixture) bool { return m.Group != g.group })
	return correlate.Titled(g.group, b.metrics[g.metric].On(g.set), several)
}

// tables reads scores and correlations and settles the choices.
func (b *builder) tables() error {
	scores, err := tables.Scores.Read(b.in.Scores)
	if err != nil {
		return err
	}
	rows, err := tables.Correlations.Read(b.in.Correlations)
	if err != nil {
		return err
	}
	var order []groupSet
	by := map[groupSet][]tables.ScoreRow{}
	for _, s := range scores {
		g := groupSet{s.Group, s.Set, s.Metric}
		if by[g] == nil {
			order = append(order, g)
		}
		by[g] = append(by[g], s)
		if b.metrics[s.Metric], err = kind.FindMetric(s.Metric); err != nil {
			return err
		}
	}
	judged := map[groupSet][]tables.CorrelationRow{}
	for _, r := range rows {
		g := groupSet{r.Group, r.Set, r.Metric}
		if b.metrics[r.Metric], err = kind.FindMetric(r.Metric); err != nil {
			return err
		}
		judged[g] = append(judged[g], r)
		b.d.Correlations = append(b.d.Correlations, page.Correlation{
			Average: r.Set == kind.Average, Set: b.title(g), Proxy: r.Proxy, N: int(r.N),
			Pearson:  page.Interval{Value: r.Pearson, Low: r.PearsonLow, High: r.PearsonHigh},
			Spearman: page.Interval{Value: r.Spearman, Low: r.SpearmanLow, High: r.SpearmanHigh},
			Kendall:  page.Interval{Value: r.Kendall, Low: r.KendallLow, High: r.KendallHigh},
			Regret:   r.Regret, Chosen: r.Chosen, Rank: int(r.Rank), PairwiseAccuracy: r.PairwiseAccuracy,
			Published: correlate.Published(b.metrics[r.Metric], b.in.Study, r.Set, r.Proxy).Pearson,
		})
	}
	b.d.Paper, b.d.Miniature = correlate.PublishedIn(b.in.Study), correlate.IsMiniature(b.in.Study)
	for _, g := range order {
		t := b.scoreTable(g, by[g])
		b.d.Scores = append(b.d.Scores, t)
		if c, ok := choice(t, judged[g]); ok && g.set != kind.Average { // the page counts sets
			b.d.Choices = append(b.d.Choices, c)
		}
		b.evalSet(g, by[g])
		if err := b.scatter(g, t); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) scoreTable(g groupSet, rows []tables.ScoreRow) page.ScoreTable {
	t := page.ScoreTable{Set: b.title(g), Metric: b.metrics[g.metric], Reference: -1}
	column, line := map[string]int{}, map[string]int{}
	for _, r := range rows {
		if _, ok := column[r.Scorer]; !ok {
			column[r.Scorer] = len(t.Columns)
			t.Columns = append(t.Columns, r.Scorer)
		}
		if _, ok := line[r.Mixture]; !ok {
			line[r.Mixture] = len(t.Rows)
			t.Rows = append(t.Rows, page.ScoreRow{Mixture: r.Mixture})
		}
	}
	if i, ok := column[kind.ScorerSeq]; ok {
		t.Reference = i
		t.Columns[i] = "reference (" + kind.ScorerSeq + ")" // the page's word, and that of scores.parquet
	}
	for i := range t.Rows {
		t.Rows[i].Values = slices.Repeat([]float64{math.NaN()}, len(t.Columns))
	}
	for _, r := range rows {
		t.Rows[line[r.Mixture]].Values[column[r.Scorer]] = r.Score()
	}
	return t
}

// answering is the proxy that answers for a table of scores: the best supported by the correlations
// on it, of the proxies that score as many mixtures as any does. One that scores fewer, as that of
// models trained on some mixtures, would leave mixtures out of the answer.
func answering(t page.ScoreTable, correlations []tables.CorrelationRow) correlate.Answering {
	var proxies []string
	most := 1
	for i, name := range t.Columns {
		if i == t.Reference || strings.HasPrefix(name, kind.ScorerReplicate) {
			continue
		}
		n := 0
		for _, r := range t.Rows {
			if !math.IsNaN(r.Values[i]) {
				n++
			}
		}
		if n > most {
			most, proxies = n, nil
		}
		if n == most {
			proxies = append(proxies, name)
		}
	}
	return correlate.BestProxy(correlations, proxies)
}

// choice is the answer of one table of scores.
func choice(t page.ScoreTable, correlations []tables.CorrelationRow) (page.Choice, bool) {
	a, metric := answering(t, correlations), t.Metric
	c := page.Choice{
		Set: t.Set, Metric: metric, Proxy: a.Proxy, Support: page.Support{Supported: a.Supported, R: a.R, Low: a.Low, References: a.References, Judged: a.Judged},
		ChosenProxy: metric.Worst(), ChosenReference: math.NaN(), BestReference: metric.Worst(),
	}
	proxy := slices.Index(t.Columns, a.Proxy)
	if proxy < 0 {
		return c, false
	}
	for _, r := range t.Rows {
		if v := r.Values[proxy]; !math.IsNaN(v) {
			c.Candidates++
			if metric.Better(v, c.ChosenProxy) {
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
			if metric.Better(v, c.BestReference) {
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
			if metric.Better(r.Values[t.Reference], c.ChosenReference) {
				c.Rank++
			}
		}
	}
	return c, c.Candidates > 0
}

// evalSet describes a set once. Of the in-domain set, which changes with the mixture, the size of
// the largest is shown.
func (b *builder) evalSet(g groupSet, rows []tables.ScoreRow) {
	if slices.ContainsFunc(b.d.EvalSets, func(s page.EvalSet) bool { return s.Name == g.set }) {
		return
	}
	s := page.EvalSet{Name: g.set, About: b.in.SetAbout[g.set]}
	if g.set == kind.Average && s.About == "" {
		s.About = "All eval sets but the in-domain one together. The score is the mean of their scores."
	}
	if g.set == b.in.InDomain {
		s.InDomain = true
		s.About = "Held-out documents of the mixture’s own partitions. The score is the mean over the partitions. The counts are those of the largest mixture."
	}
	for _, r := range rows {
		s.Documents, s.Tokens = max(s.Documents, int(r.Documents)), max(s.Tokens, r.Tokens)
	}
	b.d.EvalSets = append(b.d.EvalSets, s)
}

func (b *builder) scatter(g groupSet, t page.ScoreTable) error {
	if t.Reference < 0 {
		return nil
	}
	path, err := b.in.Figure(g.group, b.metrics[g.metric].On(g.set))
	if err != nil {
		return err
	}
	svg, err := cache.ReadFile(path, tables.MostText)
	if err != nil {
		return err
	}
	b.d.Scatters = append(b.d.Scatters, page.Figure{Title: b.title(g), Caption: b.caption(t), SVG: svg})
	return nil
}

// caption says what the eye cannot tell from a figure: which proxy is best, and which of them hide
// each other because their scores are the same (macro, micro and merged are one merge where every
// partition has one unit).
func (b *builder) caption(t page.ScoreTable) string {
	best, n := math.NaN(), 0
	var names []string
	for _, c := range b.d.Correlations {
		if c.Set != t.Set {
			continue
		}
		n = max(n, c.N)
		switch r := c.Pearson.Value; {
		case math.IsNaN(r):
		case math.IsNaN(best) || r > best:
			best, names = r, []string{c.Proxy}
		case r == best:
			names = append(names, c.Proxy)
		}
	}
	s := fmt.Sprintf("%d mixtures", n)
	if n == 1 {
		s = "1 mixture"
	}
	if len(names) > 0 {
		s += fmt.Sprintf("; closest is %s, r\u00a0%.3f", strings.Join(names, " = "), best)
	}
	s += "."
	for _, same := range coinciding(t) {
		if !slices.Equal(same, names) {
			s += " Under one another: " + strings.Join(same, " = ") + "."
		}
	}
	return s
}

// coinciding groups the proxies whose scores are the same for every mixture.
func coinciding(t page.ScoreTable) [][]string {
	var groups [][]string
	grouped := make([]bool, len(t.Columns))
	for i := range t.Columns {
		if i == t.Reference || grouped[i] {
			continue
		}
		same := []string{t.Columns[i]}
		for j := i + 1; j < len(t.Columns); j++ {
			differs := slices.ContainsFunc(t.Rows, func(r page.ScoreRow) bool {
				x, y := r.Values[i], r.Values[j]
				return x != y && !(math.IsNaN(x) && math.IsNaN(y))
			})
			if j != t.Reference && !differs {
				grouped[j] = true
				same = append(same, t.Columns[j])
			}
		}
		if len(same) > 1 {
			groups = append(groups, same)
		}
	}
	return groups
}
