// Package fit holds laws from a mixture, which is a vector of shares over named sources, to a
// score, such as a loss. A law is fitted to runs: models that were made on known mixtures and then
// scored. Each metric has a law of its own; a law on the mean of several metrics is far worse than
// the mean of their laws (on the public runs of RegMix, 13 losses at 1M parameters, a Spearman
// correlation of .66 against .97).
//
// Words: a run is a name, its shares x (one number a source, which sum to 1) and its score y. The
// out-of-fold prediction of a run is that of a law fitted without the run's fold. The correlation
// of out-of-fold predictions with scores says how far the law can be trusted among mixtures like
// those of the runs. It says nothing of mixtures outside the region that the runs cover. Of pure
// noise it is somewhat below 0, since the mean of the other folds is low where a fold's scores are
// high.
//
// Results depend on names, never on positions: runs and sources are sorted by name before anything
// is computed, so that another order of the input changes no bit. They have the same bits on every
// machine, since each sum has one order and no multiply-add is fused.
//
// What the package does not promise: that a law is right. The bands of Bands show how the law
// varies with the choice of runs, not how far the law's form is from the truth, and not the noise
// of a single new run.
package fit

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"ablate/stages/internal/random"
	"ablate/stages/internal/stat"
)

// Law names a form of law.
type Law string

// The laws, of shares x and parameters a, b, c, t.
const (
	Linear    Law = "linear"    // sum_j a_j x_j, by least squares
	LogLinear Law = "loglinear" // exp(c) + exp(sum_j t_j x_j), by Huber's loss
	Quadratic Law = "quadratic" // sum_j a_j x_j + sum_{j<k} b_jk x_j x_k, by least squares
	GP        Law = "gp"        // a Gaussian process with the kernel constant * RBF + white noise
)

// Laws lists all laws, the simplest first.
func Laws() []Law { return []Law{Linear, LogLinear, Quadratic, GP} }

// Parameters is how many numbers a law of so many sources has. Fewer runs do not determine them.
func (l Law) Parameters(sources int) int {
	switch l {
	case Linear:
		return sources
	case LogLinear:
		return sources + 1
	case Quadratic:
		return sources * (sources + 1) / 2
	}
	return 4 // mean, constant, length, noise
}

// SumTolerance is how far the sum of a run's shares may be from 1. Published shares are rounded:
// RegMix's 17 shares of three digits sum to between .996 and 1.004.
const SumTolerance = 0.005

// DefaultFolds is the number of folds of out-of-fold predictions where Options names none (Kohavi
// 1995, "A Study of Cross-Validation and Bootstrap for Accuracy Estimation and Model Selection",
// recommends ten).
const DefaultFolds = 10

// Runs are models that were made on known mixtures.
type Runs struct {
	Sources []string
	Names   []string
	Shares  [][]float64 // [run][source], in the order of Names and Sources
}

// A Design is runs in the order in which laws are fitted to them.
type Design struct {
	sources, runs []int       // the position in Runs of each source and run, by name
	names         []string    // of runs, sorted
	x             [][]float64 // [run][source], both sorted by name
}

// New checks runs: names without repetition, shares that are finite, at least 0 and sum to 1 within
// SumTolerance, and a positive share of each source in some run.
func New(r Runs) (*Design, error) {
	d := &Design{sources: byName(r.Sources), runs: byName(r.Names)}
	for what, names := range map[string][]string{"source": r.Sources, "run": r.Names} {
		order := byName(names)
		for i := 1; i < len(order); i++ {
			if names[order[i]] == names[order[i-1]] {
				return nil, fmt.Errorf("%s %s is named twice", what, names[order[i]])
			}
		}
	}
	if len(r.Shares) != len(r.Names) {
		return nil, fmt.Errorf("shares of %d runs for %d names", len(r.Shares), len(r.Names))
	}
	for _, i := range d.runs {
		if err := Check(r.Sources, r.Shares[i]); err != nil {
			return nil, fmt.Errorf("run %s: %w", r.Names[i], err)
		}
		d.names = append(d.names, r.Names[i])
		d.x = append(d.x, arranged(r.Shares[i], d.sources))
	}
	for j, k := range d.sources {
		if !slices.ContainsFunc(d.x, func(x []float64) bool { return x[j] > 0 }) {
			return nil, fmt.Errorf("no run has a share of source %s: no law can say what the source does", r.Sources[k])
		}
	}
	return d, nil
}

// Check says what is wrong with shares: their number, a share below 0 or not finite, or a sum that
// is not 1 within SumTolerance.
func Check(sources []string, shares []float64) error {
	if len(shares) != len(sources) {
		return fmt.Errorf("%d shares, want %d", len(shares), len(sources))
	}
	var sum float64
	for _, j := range byName(sources) {
		if !(shares[j] >= 0) || math.IsInf(shares[j], 0) {
			return fmt.Errorf("the share of %s is %v, want a number from 0 to 1", sources[j], shares[j])
		}
		sum += shares[j]
	}
	if math.Abs(sum-1) > SumTolerance*(1+1e-9) {
		return fmt.Errorf("the shares sum to %.6g, want 1 (within %g)", sum, SumTolerance)
	}
	return nil
}

// Options are how a law is fitted.
type Options struct {
	Law      Law
	Variance []float64 // of the runs' scores, in the order of Runs: runs weigh 1/variance; nil: all alike
	Folds    int       // 0: DefaultFolds; more where the law has so many parameters that it needs more runs
	Delta    float64   // where the Huber loss of LogLinear turns linear, in the unit of the scores; 0: see huberDelta
}

// A Fit is a law fitted to the scores of runs.
type Fit struct {
	Law       Law
	OutOfFold []float64 // of each run, in the order of Runs; NaN without folds, which happens with no more runs than parameters
	Spearman  float64   // of OutOfFold and the scores; NaN where undefined
	Pearson   float64   // likewise

	d     *Design
	y, w  []float64 // sorted by run
	model model
}

// A model is a fitted law. It predicts the score of shares, sorted by source.
type model interface{ predict(x []float64) float64 }

// A fitter fits a law to some of the runs. start, which may be nil, is a model of nearly the same
// runs: its slow parts may be taken over.
type fitter func(s sample, start model) model

// A sample is what a law is fitted to: the shares of runs, their scores, weights whose mean is
// about 1, and their names.
type sample struct {
	x     [][]float64
	y, w  []float64
	names []string
}

// Fit fits a law to the scores of the design's runs, in the order of Runs.
func (d *Design) Fit(y []float64, o Options) (*Fit, error) {
	if !slices.Contains(Laws(), o.Law) {
		return nil, fmt.Errorf("law %q: want one of %v", o.Law, Laws())
	}
	f := &Fit{Law: o.Law, d: d}
	if err := f.take(y, o.Variance); err != nil {
		return nil, err
	}
	if need := o.Law.Parameters(len(d.sources)); len(f.y) < need {
		return nil, fmt.Errorf("the law %s of %d sources has %d parameters and needs as many runs; runs at hand: %d", o.Law, len(d.sources), need, len(f.y))
	}
	if i := slices.IndexFunc(f.y, func(v float64) bool { return v < 0 }); o.Law == LogLinear && i >= 0 {
		return nil, fmt.Errorf("run %s: a score of %v, and the law loglinear is positive: take linear, quadratic or gp", d.names[i], f.y[i])
	}
	fit := fitterOf(o)
	f.model = fit(f.sample(), nil)
	f.predictOutOfFold(fit, o.Folds)
	truth := make([]float64, len(y))
	predicted := make([]float64, len(y))
	copy(truth, f.y)
	for i, k := range d.runs {
		predicted[i] = f.OutOfFold[k]
	}
	f.Spearman, f.Pearson = stat.Spearman(predicted, truth), stat.Pearson(predicted, truth)
	return f, nil
}

func fitterOf(o Options) fitter {
	switch o.Law {
	case LogLinear:
		return func(s sample, start model) model { return fitLogLinear(s, start, o.Delta) }
	case GP:
		return fitGP
	case Quadratic:
		return func(s sample, _ model) model { return fitPolynomial(s, true) }
	}
	return func(s sample, _ model) model { return fitPolynomial(s, false) }
}

// take checks scores and variances and sorts them by run.
func (f *Fit) take(y, variance []float64) error {
	names := f.d.names
	if len(y) != len(names) || variance != nil && len(variance) != len(names) {
		return fmt.Errorf("%d scores and %d variances, want one of each of %d runs", len(y), len(variance), len(names))
	}
	var sum float64
	for i, k := range f.d.runs {
		if math.IsNaN(y[k]) || math.IsInf(y[k], 0) {
			return fmt.Errorf("run %s: the score is %v, want a finite number", names[i], y[k])
		}
		w := 1.0
		if variance != nil {
			if w = 1 / variance[k]; !(w > 0) || math.IsInf(w, 0) {
				return fmt.Errorf("run %s: the variance is %v, want a number above 0", names[i], variance[k])
			}
		}
		f.y, f.w = append(f.y, y[k]), append(f.w, w)
		sum += w
	}
	for i := range f.w {
		f.w[i] *= float64(len(f.w)) / sum
	}
	return nil
}

func (f *Fit) sample() sample { return sample{f.d.x, f.y, f.w, f.d.names} }

// predictOutOfFold divides the runs into folds by the hash of their names, of sizes that differ by
// one at most, and predicts each fold by a law that is fitted to the other folds.
func (f *Fit) predictOutOfFold(fit fitter, folds int) {
	n := len(f.y)
	f.OutOfFold = make([]float64, n)
	spare := n - f.Law.Parameters(len(f.d.sources)) // as many runs can be left out
	if folds == 0 {
		folds = DefaultFolds
	}
	if folds = min(folds, n); spare > 0 {
		folds = min(n, max(folds, (n+spare-1)/spare, 2))
	}
	if spare < 1 || folds < 2 {
		for i := range f.OutOfFold {
			f.OutOfFold[i] = math.NaN()
		}
		return
	}
	of := foldsOf(f.d.names, folds)
	for fold := range folds {
		m := fit(f.sample().where(func(i int) bool { return of[i] != fold }), nil)
		for i, k := range f.d.runs {
			if of[i] == fold {
				f.OutOfFold[k] = m.predict(f.d.x[i])
			}
		}
	}
}

// foldsOf gives each run its fold.
func foldsOf(names []string, folds int) []int {
	of := make([]int, len(names))
	for place, i := range byHash(names) {
		of[i] = place % folds
	}
	return of
}

// byHash is the order of names by their hash.
func byHash(names []string) []int {
	order := byName(names)
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := random.HashOrder(names[a]), random.HashOrder(names[b])
		return slices.Compare(x[:], y[:])
	})
	return order
}

// where is the part of a sample that keep keeps.
func (s sample) where(keep func(i int) bool) sample {
	var out sample
	for i := range s.y {
		if keep(i) {
			out.x, out.y, out.w = append(out.x, s.x[i]), append(out.y, s.y[i]), append(out.w, s.w[i])
			out.names = append(out.names, s.names[i])
		}
	}
	return out
}

// Predict is the law's score of shares, in the order of Runs.Sources.
func (f *Fit) Predict(shares []float64) float64 {
	return f.model.predict(arranged(shares, f.d.sources))
}

// Exponents are c and t of a LogLinear law, t in the order of Runs.Sources; ok is false for other
// laws.
func (f *Fit) Exponents() (c float64, t []float64, ok bool) {
	m, ok := f.model.(*logLinear)
	if !ok {
		return 0, nil, false
	}
	return m.c, restored(m.t, f.d.sources), true
}

// Coefficients are a of a Linear law, in the order of Runs.Sources; ok is false for other laws.
func (f *Fit) Coefficients() (a []float64, ok bool) {
	m, ok := f.model.(*polynomial)
	if !ok || m.quadratic {
		return nil, false
	}
	return restored(m.b, f.d.sources), true
}

// byName is the order of names: the positions of the first, the second and so on.
func byName(names []string) []int {
	order := make([]int, len(names))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(names[a], names[b]) })
	return order
}

// arranged is v in an order.
func arranged(v []float64, order []int) []float64 {
	out := make([]float64, len(order))
	for i, k := range order {
		out[i] = v[k]
	}
	return out
}

// restored undoes arranged.
func restored(v []float64, order []int) []float64 {
	out := make([]float64, len(order))
	for i, k := range order {
		out[k] = v[i]
	}
	return out
}
