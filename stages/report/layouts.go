package report

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"ablate/cache/table"
	"ablate/stages/correlate"
	"ablate/stages/internal/papertable"
	"ablate/stages/internal/stat"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// LayoutVersion changes with every table or figure that comes out otherwise from the same scores;
// output directories remember it.
//
//	1: the first
//	2: cost counts what fix, where, repeat, cross and tokens make of a set of mixtures; miniatures show what the paper prints of their studies
//	3: a ledger with the names of evaluation sets; the CSV form has the rows and columns of the Parquet form; mixture_set, eval_set; nulls, not NaN
//	4: captions in plain English
const LayoutVersion = 4

// LayoutInput is what tables and figures in the layouts of the paper's are made of. Like the
// report, they are no step.
type LayoutInput struct {
	Study                string
	Scores, Correlations string          // scores.parquet, correlations.parquet
	Params               json.RawMessage // of the step that compared: sets and proxies in their order
	InDomain             string          // name of the evaluation set that changes with the mixture
	Costs                []LayoutCost
	Ledgers              []LayoutLedger
	Trainings            []LayoutTraining
}

// LayoutTraining is a training whose sources have shares.
type LayoutTraining struct {
	Model   string
	Sources []string // names of its sources, in their order
	Path    string   // its sources.parquet
}

// LayoutLedger is what decontamination removed from a set of partitions.
type LayoutLedger struct {
	Set  string // of partitions; empty: the corpus of the seed model
	Path string // ledger.parquet of the split
	// Text says which text the ledger means by the name of an input: an evaluation set, or what is
	// held out of a corpus.
	Text func(input string) (evalSet, corpus string, err error)
}

// LayoutCost is what comparing all mixtures of a set takes, over the number of components,
// partitions or units, that it draws from.
type LayoutCost struct {
	Group  string
	K      int    // components of a mixture
	Repeat bool   // a component may be in a mixture more than once
	Of     string // partitions or units
	Beside string // of a crossing: the sets that do not grow
	Points []LayoutPoint
}

// LayoutPoint is one number of components, and the tokens that comparing their mixtures trains on.
type LayoutPoint struct {
	N       int
	Naive   float64 // a model for each mixture
	Modular float64 // a model for each unit
}

// LayoutFile is a file of the output directory, by its name with slashes.
type LayoutFile struct {
	Name string
	Data []byte
}

// Layouts makes the tables and figures. A study without references has no correlations to show, and
// one that draws no combinations no cost over the number of partitions. Same input, same bytes.
func Layouts(in LayoutInput) ([]LayoutFile, error) {
	l, err := newLayouts(in)
	if err != nil {
		return nil, fmt.Errorf("tables of study %s: %w", in.Study, err)
	}
	files, err := l.tables()
	if err != nil {
		return nil, fmt.Errorf("tables of study %s: %w", in.Study, err)
	}
	figures, err := l.figures()
	if err != nil {
		return nil, fmt.Errorf("figures of study %s: %w", in.Study, err)
	}
	ledger, err := l.ledger()
	if err != nil {
		return nil, fmt.Errorf("ledger of study %s: %w", in.Study, err)
	}
	sources, err := l.sources()
	if err != nil {
		return nil, fmt.Errorf("sources of study %s: %w", in.Study, err)
	}
	return slices.Concat(files, figures, ledger, sources), nil
}

// layouts is everything that tables and figures show.
type layouts struct {
	in     LayoutInput
	params kind.CorrelateParams
	groups []string
	rows   map[LayoutPlace]tables.LayoutRow
	pairs  map[LayoutPlace]correlate.ProxyPairs
	sets   map[string][]measured // group -> its sets in their order, and the average last where there are several
	bounds map[LayoutPlace][2]float64
	metric kind.Metric // of all scores; one named "score" where they differ
}

// LayoutPlace is a cell of a table. The set bears the name of the metric, if that is not
// perplexity.
type LayoutPlace struct{ Group, Set, Proxy string }

// measured is an evaluation set and what is measured on it.
type measured struct {
	set    string
	metric kind.Metric
}

// name is how tables and figures name it.
func (m measured) name() string { return m.metric.On(m.set) }

func newLayouts(in LayoutInput) (*layouts, error) {
	l := &layouts{in: in, rows: map[LayoutPlace]tables.LayoutRow{}, pairs: map[LayoutPlace]correlate.ProxyPairs{}, sets: map[string][]measured{}, bounds: map[LayoutPlace][2]float64{}}
	if err := json.Unmarshal(in.Params, &l.params); err != nil {
		return nil, err
	}
	scores, err := tables.Scores.Read(in.Scores)
	if err != nil {
		return nil, err
	}
	correlations, err := tables.Correlations.Read(in.Correlations)
	if err != nil {
		return nil, err
	}
	for _, c := range correlations {
		metric, err := kind.FindMetric(c.Metric)
		if err != nil {
			return nil, err
		}
		l.bounds[LayoutPlace{c.Group, metric.On(c.Set), c.Proxy}] = [2]float64{c.PearsonLow, c.PearsonHigh}
	}
	all, err := correlate.Comparisons(l.params, scores)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if !slices.Contains(l.groups, c.Group) {
			l.groups = append(l.groups, c.Group)
		}
		l.sets[c.Group] = append(l.sets[c.Group], measured{c.Set, c.Metric})
		switch {
		case l.metric.Name == "":
			l.metric = c.Metric
		case l.metric.Name != c.Metric.Name:
			l.metric = kind.Metric{Name: "score", Plural: "scores"}
		}
	}
	for _, c := range all {
		for _, pairs := range c.Pairs {
			l.add(c.Group, measured{c.Set, c.Metric}, pairs)
		}
	}
	return l, nil
}

func (l *layouts) add(group string, on measured, pairs correlate.ProxyPairs) {
	at := LayoutPlace{group, on.name(), pairs.Proxy}
	was := correlate.Published(on.metric, l.in.Study, on.set, at.Proxy)
	if slices.ContainsFunc(l.averages(group), func(m measured) bool { return m.name() == at.Set }) { // also of the only set out of domain
		was = correlate.Published(on.metric, l.in.Study, kind.Average, at.Proxy)
	}
	bounds, ok := l.bounds[at]
	if !ok {
		bounds = [2]float64{math.NaN(), math.NaN()}
	}
	l.pairs[at] = pairs
	l.rows[at] = tables.LayoutRow{
		Group: at.Group, Set: at.Set, Proxy: at.Proxy, N: int64(len(pairs.Mixtures)), Pearson: stat.Pearson(pairs.Proxies, pairs.References),
		PearsonLow: bounds[0], PearsonHigh: bounds[1], Published: was.Pearson, Source: was.Source,
	}
}

// averages are the sets that stand for everything out of domain, one a metric: the mean of several,
// or the only one.
func (l *layouts) averages(group string) []measured {
	var last []measured
	for _, s := range l.sets[group] {
		i := slices.IndexFunc(last, func(m measured) bool { return m.metric.Name == s.metric.Name })
		switch {
		case s.set == l.in.InDomain:
		case i < 0:
			last = append(last, s)
		default:
			last[i] = s
		}
	}
	return last
}

// inDomain are the comparisons in domain, one a metric.
func (l *layouts) inDomain(group string) []measured {
	return slices.DeleteFunc(slices.Clone(l.sets[group]), func(m measured) bool { return m.set != l.in.InDomain })
}

// inAndOut are inDomain and averages: the rows of the overview.
func (l *layouts) inAndOut(group string) []measured {
	return slices.Concat(l.inDomain(group), l.averages(group))
}

// proxies are those with a correlation in one of the places, in display order.
func (l *layouts) proxies(has func(proxy string) bool) []string {
	var out []string
	for _, p := range l.params.Proxies {
		if has(p) {
			out = append(out, p)
		}
	}
	return out
}

// line is a row of a table, for one set of mixtures on one evaluation set.
func (l *layouts) line(group, set string, proxies []string) papertable.Row {
	r := papertable.Row{}
	for _, p := range proxies {
		c := papertable.None
		if row, ok := l.rows[LayoutPlace{group, set, p}]; ok {
			c = papertable.Cell{Value: row.Pearson, Published: row.Published}
			r.N = max(r.N, int(row.N))
		}
		r.Cells = append(r.Cells, c)
	}
	return r
}

// tables writes, in four forms, the correlations in and out of domain of each set of mixtures (the
// paper's Table 2), and those on each evaluation set, with the average, a table for each set of
// mixtures (Tables 3 and 4).
func (l *layouts) tables() ([]LayoutFile, error) {
	if len(l.groups) == 0 {
		return nil, nil
	}
	all := l.proxies(func(p string) bool {
		return slices.ContainsFunc(l.groups, func(g string) bool {
			return slices.ContainsFunc(l.inAndOut(g), func(m measured) bool { return l.rows[LayoutPlace{g, m.name(), p}].N > 0 })
		})
	})
	overview := papertable.Table{
		Caption:   fmt.Sprintf("Pearson's r between the %s of reference models and of proxies, in and out of domain.", l.metric.Plural),
		Miniature: correlate.IsMiniature(l.in.Study), Label: l.in.Study, Stubs: []string{"mixtures", "eval set"}, Columns: all,
	}
	var rows []tables.LayoutRow
	for k, g := range l.groups {
		for _, m := range l.inAndOut(g) {
			set := m.name()
			r := l.line(g, set, all)
			r.Stubs, r.Rule = []string{g, set}, k > 0 && (len(overview.Rows) == 0 || overview.Rows[len(overview.Rows)-1].Stubs[0] != g)
			overview.Rows = append(overview.Rows, r)
			rows = append(rows, l.tidy(g, set, all)...)
		}
	}
	files, err := l.write("tables/overview", overview, rows)
	if err != nil {
		return nil, err
	}
	for _, g := range l.groups {
		proxies := l.proxies(func(p string) bool {
			return slices.ContainsFunc(l.sets[g], func(m measured) bool { return l.rows[LayoutPlace{g, m.name(), p}].N > 0 })
		})
		t := papertable.Table{
			Caption:   fmt.Sprintf("Pearson's r between the %s of reference models and of proxies on each evaluation set, for the mixtures %s.", l.metric.Plural, g),
			Miniature: correlate.IsMiniature(l.in.Study), Label: l.in.Study + ":" + g, Stubs: []string{"eval set"}, Columns: proxies,
		}
		var rows []tables.LayoutRow
		for _, m := range l.sets[g] {
			r := l.line(g, m.name(), proxies)
			r.Stubs, r.Rule = []string{m.name()}, m.set == kind.Average
			if m.set == kind.Average {
				r.Stubs[0] = m.metric.On("average out of domain")
			}
			t.Rows = append(t.Rows, r)
			rows = append(rows, l.tidy(g, m.name(), proxies)...)
		}
		more, err := l.write("tables/sets/"+kind.Escape(g), t, rows)
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	return files, nil
}

// tidy are the rows of a line of a table, one a proxy.
func (l *layouts) tidy(group, set string, proxies []string) []tables.LayoutRow {
	var out []tables.LayoutRow
	for _, p := range proxies {
		if r, ok := l.rows[LayoutPlace{group, set, p}]; ok {
			out = append(out, r)
		}
	}
	return out
}

// write gives a table in its four forms: for people as t sets it, for programs a row a proxy.
func (l *layouts) write(name string, t papertable.Table, rows []tables.LayoutRow) (files []LayoutFile, err error) {
	if files, err = rowForms(name, rows); err != nil {
		return nil, err
	}
	return append(files, LayoutFile{name + ".md", t.Markdown()}, LayoutFile{name + ".tex", t.LaTeX()}), nil
}

// rowForms gives a table in the forms for programs, CSV and Parquet, which have the same rows and
// columns. The writers want a file.
func rowForms[T any](name string, rows []T) (files []LayoutFile, err error) {
	dir, err := os.MkdirTemp("", "ablate-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "table")
	for _, form := range []struct {
		ending string
		write  func(string, []T) error
	}{{".csv", table.WriteCSV[T]}, {".parquet", table.WriteRows[T]}} {
		if err := form.write(path, rows); err != nil {
			return nil, err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files = append(files, LayoutFile{name + form.ending, data})
	}
	return files, nil
}
