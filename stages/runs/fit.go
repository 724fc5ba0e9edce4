package runs

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"ablate/stages/internal/fit"
	"ablate/stages/internal/stat"
)

// Laws names the laws that Fit knows.
func Laws() []string {
	var out []string
	for _, l := range fit.Laws() {
		out = append(out, string(l))
	}
	return out
}

// Input is what to fit, and what to predict.
type Input struct {
	Ratios, Metrics string // paths of CSV files
	Law             string
	Delta           float64 // where the Huber loss of the law loglinear turns linear, in the metric's unit; 0: by the residuals
	Predict         string  // ratios of other runs; "": none
	Truth           string  // metrics of those; "": none
	Resamples       int     // of bootstrap bands of the predictions; 0: no bands
	Seed            int64   // of the bands
}

// Result is the fits of all metrics.
type Result struct {
	Law     string
	Sources []string // sorted by name
	Runs    int      // fitted
	Metrics map[string]Metric
	Notes   []string // what was left out, in sentences
}

// Metric is the fit of one metric.
type Metric struct {
	OutOfFold   float64            // Spearman correlation of out-of-fold predictions and scores of the fitted runs; NaN where undefined
	Held        map[string]float64 // the out-of-fold prediction of each fitted run
	Predictions map[string]float64 // of each run of Predict
	Bands       map[string]Band    // likewise, with Resamples
	Spearman    float64            // of Predictions and Truth; NaN without Truth
	Pearson     float64            // likewise
	Compared    int                // runs of Predict that are in Truth
}

// Band is the bounds between which 95 % of the resampled laws predict.
type Band struct{ Low, High float64 }

// Fit reads the files, fits a law to each metric and predicts.
func Fit(in Input) (*Result, error) {
	if in.Truth != "" && in.Predict == "" {
		return nil, errors.New("the truth holds metrics of runs to predict: name their ratios, too")
	}
	if in.Resamples > 0 && in.Predict == "" {
		return nil, errors.New("bands are those of predictions: name the ratios of runs to predict, too")
	}
	r, m, err := ReadPair(in.Ratios, in.Metrics)
	if err != nil {
		return nil, err
	}
	if err := r.checkShares(); err != nil {
		return nil, err
	}
	runs, x, y, notes, err := Joined(r, m)
	if err != nil {
		return nil, err
	}
	f := &fitting{in: in, metrics: m, runs: runs, y: y, leftOut: notes}
	f.Notes = slices.Concat(r.notes("sources"), m.notes("metrics"), notes)
	if err := f.design(r, x); err != nil {
		return nil, err
	}
	if err := f.others(r); err != nil {
		return nil, err
	}
	return f.fit()
}

// fitting is a Fit under way, and then its result.
type fitting struct {
	Result
	in      Input
	metrics *Table
	runs    []string
	y       [][]float64 // of each run, by column of metrics
	leftOut []string    // runs that are in one file only, in sentences
	columns []int       // of the ratios: the sources of the law
	laws    *fit.Design

	predict   []string // runs to predict
	shares    [][]float64
	truth     *Table
	compared  []int // positions in predict of the runs that have a truth
	trueValue [][]float64
}

// design leaves out sources that no run has.
func (f *fitting) design(r *Table, x [][]float64) error {
	sources, columns, absent := present(r, x)
	f.columns = columns
	if len(absent) > 0 {
		f.Notes = append(f.Notes, fmt.Sprintf("no fitted run has a share of %s: the law cannot predict the effect of %s", strings.Join(absent, ", "), them(absent)))
	}
	var err error
	if f.laws, err = fit.New(fit.Runs{Sources: sources, Names: f.runs, Shares: only(x, f.columns)}); err != nil {
		return fmt.Errorf("%s: %w", r.Path, err)
	}
	f.Sources = slices.Sorted(slices.Values(sources))
	f.Law, f.Runs, f.Metrics = f.in.Law, len(f.runs), map[string]Metric{}
	return nil
}

func them(names []string) string {
	if len(names) == 1 {
		return "it"
	}
	return "them"
}

// others reads the runs to predict, and their truth.
func (f *fitting) others(r *Table) (err error) {
	if f.in.Predict == "" {
		return nil
	}
	var p *Table
	if f.in.Truth == "" {
		p, err = ReadRatios(f.in.Predict)
	} else {
		p, f.truth, err = ReadPair(f.in.Predict, f.in.Truth)
	}
	if err != nil {
		return err
	}
	if err := p.checkShares(); err != nil {
		return err
	}
	f.Notes = append(f.Notes, p.notes("sources")...)
	if f.shares, err = f.sharesOf(p, r); err != nil {
		return err
	}
	f.predict = p.Runs
	if f.truth == nil {
		return nil
	}
	runs, _, y, notes, err := Joined(p, f.truth)
	if err != nil {
		return err
	}
	f.Notes = slices.Concat(f.Notes, f.truth.notes("metrics"), notes)
	for _, run := range runs {
		f.compared = append(f.compared, slices.Index(p.Runs, run))
	}
	f.trueValue = y
	return f.sameMetrics()
}

// sharesOf are the rows of a table by the sources of the law.
func (f *fitting) sharesOf(p, r *Table) ([][]float64, error) {
	for c, name := range p.Columns {
		k := slices.Index(r.Columns, name)
		if k < 0 {
			return nil, fmt.Errorf("%s: source %s is not in %s, whose sources are %s", p.Path, name, r.Path, listed(r.Columns))
		}
		if slices.Contains(f.columns, k) {
			continue
		}
		for i, row := range p.Values {
			if row[c] > 0 {
				return nil, fmt.Errorf("%s:%d: run %s has a share %v of %s, and no fitted run has any: the law cannot predict its effect", p.Path, p.line[i], p.Runs[i], row[c], name)
			}
		}
	}
	var at []int
	for _, k := range f.columns {
		c := slices.Index(p.Columns, r.Columns[k])
		if c < 0 {
			return nil, fmt.Errorf("%s: no column for source %s of %s; where no run has a share of it, write 0", p.Path, r.Columns[k], r.Path)
		}
		at = append(at, c)
	}
	return only(p.Values, at), nil
}

// sameMetrics says which metrics have no truth.
func (f *fitting) sameMetrics() error {
	lacks := slices.DeleteFunc(slices.Clone(f.metrics.Columns), func(name string) bool { return slices.Contains(f.truth.Columns, name) })
	if len(lacks) == len(f.metrics.Columns) {
		return fmt.Errorf("%s and %s have no metric in common: the first has %s, the second %s", f.metrics.Path, f.truth.Path, listed(f.metrics.Columns), listed(f.truth.Columns))
	}
	if len(lacks) > 0 {
		f.Notes = append(f.Notes, fmt.Sprintf("%s has no column for %s: there is nothing to compare with", f.truth.Path, listed(lacks)))
	}
	more := slices.DeleteFunc(slices.Clone(f.truth.Columns), func(name string) bool { return slices.Contains(f.metrics.Columns, name) })
	if len(more) > 0 {
		f.Notes = append(f.Notes, fmt.Sprintf("%s has metrics that %s lacks and that are not predicted: %s", f.truth.Path, f.metrics.Path, listed(more)))
	}
	return nil
}

// fit fits each metric on its own.
func (f *fitting) fit() (*Result, error) {
	options := fit.Options{Law: fit.Law(f.in.Law), Delta: f.in.Delta}
	for c, name := range f.metrics.Columns {
		scores := make([]float64, len(f.runs))
		for i := range scores {
			scores[i] = f.y[i][c]
		}
		law, err := f.laws.Fit(scores, options)
		if err != nil {
			err = fmt.Errorf("%s: metric %s: %w", f.metrics.Path, name, err)
			if len(f.leftOut) > 0 {
				err = fmt.Errorf("%w (%s)", err, strings.Join(f.leftOut, "; "))
			}
			return nil, err
		}
		m := Metric{OutOfFold: law.Spearman, Held: map[string]float64{}, Predictions: map[string]float64{}, Spearman: math.NaN(), Pearson: math.NaN()}
		for i, run := range f.runs {
			m.Held[run] = law.OutOfFold[i]
		}
		predicted := make([]float64, len(f.predict))
		for i, run := range f.predict {
			predicted[i] = law.Predict(f.shares[i])
			m.Predictions[run] = predicted[i]
		}
		if f.in.Resamples > 0 {
			m.Bands = map[string]Band{}
			for i, b := range law.Bands(f.shares, fit.Bands{Resamples: f.in.Resamples, Seed: f.in.Seed}, options) {
				m.Bands[f.predict[i]] = Band{b.Low, b.High}
			}
		}
		f.compare(&m, name, predicted)
		f.Metrics[name] = m
	}
	return &f.Result, nil
}

// compare settles the correlations with the truth. The runs are sorted, so that their order changes
// no bit.
func (f *fitting) compare(m *Metric, name string, predicted []float64) {
	if f.truth == nil {
		return
	}
	c := slices.Index(f.truth.Columns, name)
	if c < 0 {
		return
	}
	order := make([]int, len(f.compared))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(f.predict[f.compared[a]], f.predict[f.compared[b]]) })
	var x, y []float64
	for _, i := range order {
		x, y = append(x, predicted[f.compared[i]]), append(y, f.trueValue[i][c])
	}
	m.Compared, m.Spearman, m.Pearson = len(x), stat.Spearman(x, y), stat.Pearson(x, y)
}
