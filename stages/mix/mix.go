// Package mix proposes shares of sources from the scores of mixtures: a law from shares to score for
// each metric, and the shares at which the laws promise the lowest goal, within bounds. Beside the
// proposal stand the mixtures that it has to beat.
//
// The goal is a weighted mean of metrics of which less is better, such as losses. A law is fitted to
// each metric alone and the predictions are averaged, for a law of the average predicts far worse.
// The proposal is where
//
//	goal(x) + KL sum_j x_j log(x_j / prior_j)
//
// is least (Olmix, arXiv 2602.12237). Results depend on names, never on the order of sources, runs
// or metrics.
package mix

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"ablate/stages/internal/fit"
	"ablate/stages/internal/simplex"
	"ablate/stages/internal/stat"
)

// Laws names the laws whose goal is convex in the shares, so that a proposal is the optimum.
func Laws() []string { return []string{string(fit.LogLinear), string(fit.Linear)} }

// Input is what a proposal is made from. Vectors over sources are in the order of Sources.
type Input struct {
	Sources []string
	Runs    []string    // names of mixtures with scores
	Shares  [][]float64 // [run][source]
	Metrics []Metric

	Law    string
	Prior  []float64 // nil: in proportion to Tokens, or equal without them
	KL     float64   // at least 0; in the goal's unit, for each nat of divergence from the prior
	Bounds []Bound

	Tokens []float64 // that each source has; nil: unknown
	Target float64   // tokens of the training that the shares are for; 0: unknown
	Passes float64   // most passes over a source at the target; above 0

	Resamples int     // of intervals, at least 2
	Level     float64 // of intervals
	Seed      int64
}

// Metric is the scores of the runs by one metric, and its weight in the goal. Weights are taken
// relative to the sum of their absolute values; one of 0 is fitted and takes no part.
type Metric struct {
	Name   string
	Scores []float64 // in the order of Runs
	Weight float64
}

// Bound is a floor and a cap, in [0, 1], of the share of a source.
type Bound struct {
	Source     string
	Floor, Cap float64
}

// Proposal is what comes of it. Sources and metrics are sorted by name.
type Proposal struct {
	Law      string
	Runs     int
	Sources  []string
	Tokens   []float64 // nil: unknown
	Target   float64
	Most     float64 // passes
	KL       float64
	Level    float64
	Metrics  []Law
	Goal     Law
	Baseline string    // name of the mixture that Mixture.Against is relative to
	Mixtures []Mixture // the proposal first
	Warnings []string
}

// Law is how far the law of a metric, or the mean of laws, can be trusted.
type Law struct {
	Name      string
	Weight    float64 // in the goal; of the goal 1
	OutOfFold float64 // Spearman correlation of the runs' scores with predictions by laws fitted without them; NaN: undefined
}

// Mixture is shares with what the laws promise of them.
type Mixture struct {
	Name     string
	Decimals []string  // of each source: what to write; they sum to exactly 1
	Shares   []float64 // the same as numbers
	Passes   []float64 // over each source at the target; nil: unknown
	Metrics  []Band
	Goal     Band
	Against  Band    // the goal less that of the baseline, resampled together; below 0 is better
	Measured float64 // the goal as the run scored it; NaN: it is no run
}

// Band is a prediction with its bootstrap interval over runs.
type Band struct{ Value, Low, High float64 }

// ProposalName is the name of the mixture that is proposed.
const ProposalName = "proposed"

// Propose fits the laws and solves for the shares.
func Propose(in Input) (*Proposal, error) {
	s := &solver{Input: sorted(in)}
	if err := s.check(); err != nil {
		return nil, err
	}
	s.out = &Proposal{Law: s.Law, Runs: len(s.Runs), Sources: s.Sources, Tokens: s.Tokens, Target: s.Target, Most: s.Passes, KL: s.KL, Level: s.Level}
	if err := s.fit(); err != nil {
		return nil, err
	}
	if err := s.candidates(); err != nil {
		return nil, err
	}
	s.predict()
	s.warn()
	return s.out, nil
}

// sorted brings sources and metrics into the order of their names.
func sorted(in Input) Input {
	order := make([]int, len(in.Sources))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(in.Sources[a], in.Sources[b]) })
	numbers := func(v []float64) []float64 {
		if v == nil {
			return nil
		}
		out := make([]float64, len(order))
		for k, i := range order {
			out[k] = v[i]
		}
		return out
	}
	out := in
	out.Sources, out.Shares = nil, nil
	for _, i := range order {
		out.Sources = append(out.Sources, in.Sources[i])
	}
	for _, row := range in.Shares {
		out.Shares = append(out.Shares, numbers(row))
	}
	out.Prior, out.Tokens = numbers(in.Prior), numbers(in.Tokens)
	out.Metrics = slices.Clone(in.Metrics)
	slices.SortStableFunc(out.Metrics, func(a, b Metric) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// solver is a proposal under way.
type solver struct {
	Input
	out   *Proposal
	laws  []*fit.Fit // of each metric
	set   *simplex.Set
	goals []float64 // of each run, as it was scored
}

func (s *solver) check() error {
	if !slices.Contains(Laws(), s.Law) {
		return fmt.Errorf("law %q: want one of %s, whose optimum is found exactly", s.Law, strings.Join(Laws(), ", "))
	}
	var sum float64
	for i, m := range s.Metrics {
		if i > 0 && m.Name == s.Metrics[i-1].Name {
			return fmt.Errorf("metric %s is named twice", m.Name)
		}
		sum += math.Abs(m.Weight)
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return fmt.Errorf("no metric has a weight in the goal")
	}
	for i := range s.Metrics {
		s.Metrics[i].Weight /= sum
	}
	if !(s.KL >= 0) || math.IsInf(s.KL, 0) {
		return fmt.Errorf("KL %v: want a number of at least 0", s.KL)
	}
	return nil
}

func (s *solver) options() fit.Options { return fit.Options{Law: fit.Law(s.Law)} }

// fit fits a law to each metric.
func (s *solver) fit() error {
	design, err := fit.New(fit.Runs{Sources: s.Sources, Names: s.Runs, Shares: s.Shares})
	if err != nil {
		return err
	}
	s.goals = make([]float64, len(s.Runs))
	held := make([]float64, len(s.Runs))
	for _, m := range s.Metrics {
		law, err := design.Fit(m.Scores, s.options())
		if err != nil {
			return fmt.Errorf("metric %s: %w", m.Name, err)
		}
		s.laws = append(s.laws, law)
		s.out.Metrics = append(s.out.Metrics, Law{m.Name, m.Weight, law.Spearman})
		for i := range s.Runs {
			s.goals[i] += float64(m.Weight * m.Scores[i])
			held[i] += float64(m.Weight * law.OutOfFold[i])
		}
	}
	s.out.Goal = Law{"goal", 1, stat.Spearman(held, s.goals)}
	return nil
}

// candidates are the proposal and what it is compared with.
func (s *solver) candidates() error {
	bounds := []simplex.Bound{}
	for _, b := range s.Bounds {
		if !slices.Contains(s.Sources, b.Source) {
			return fmt.Errorf("a bound of %s: the sources are %s", b.Source, strings.Join(s.Sources, ", "))
		}
		bounds = append(bounds, simplex.Bound{Name: b.Source, Sources: []string{b.Source}, Floor: b.Floor, Cap: b.Cap})
	}
	if s.limited() {
		caps, err := simplex.CapsByPasses(s.Sources, s.Tokens, s.Target, s.Passes)
		if err != nil {
			return err
		}
		bounds = append(bounds, caps...)
	}
	var err error
	if s.set, err = simplex.NewSet(s.Sources, bounds...); err != nil {
		return err
	}
	solution, err := s.solve()
	if err != nil {
		return err
	}
	if err := s.add(ProposalName, solution, math.NaN()); err != nil {
		return err
	}
	s.out.Baseline = "equal"
	if s.Tokens != nil {
		s.out.Baseline = "proportional"
		shares, err := simplex.Proportional(s.Sources, s.Tokens)
		if err != nil {
			return err
		}
		if err := s.add("proportional", shares, math.NaN()); err != nil {
			return err
		}
	}
	if err := s.add("equal", simplex.Equal(len(s.Sources)), math.NaN()); err != nil {
		return err
	}
	if s.limited() {
		shares, err := simplex.UniMax(s.Sources, s.Tokens, s.Target, s.Passes)
		if err != nil {
			return err
		}
		if err := s.add("unimax", shares, math.NaN()); err != nil {
			return err
		}
	}
	best := 0
	for i, g := range s.goals {
		if g < s.goals[best] || g == s.goals[best] && s.Runs[i] < s.Runs[best] {
			best = i
		}
	}
	return s.add("best run: "+s.Runs[best], normalised(s.Shares[best]), s.goals[best])
}

// limited reports whether passes bound the shares.
func (s *solver) limited() bool { return s.Tokens != nil && s.Target > 0 }

func (s *solver) solve() ([]float64, error) {
	var terms []simplex.Term
	for i, m := range s.Metrics {
		if m.Weight == 0 {
			continue
		}
		t := simplex.Term{Name: m.Name, Weight: m.Weight}
		if _, exponents, ok := s.laws[i].Exponents(); ok {
			t.Exponents = exponents
		} else {
			t.Slopes, _ = s.laws[i].Coefficients()
		}
		terms = append(terms, t)
	}
	objective, err := simplex.Laws(s.set, terms...)
	if err != nil {
		return nil, err
	}
	prior := s.Prior
	if prior == nil && s.Tokens != nil {
		if prior, err = simplex.Proportional(s.Sources, s.Tokens); err != nil {
			return nil, err
		}
	}
	solution, err := simplex.Minimise(simplex.Problem{Set: s.set, Objective: objective, Prior: prior, KL: s.KL})
	return solution.Shares, err
}

func normalised(shares []float64) []float64 {
	var sum float64
	for _, v := range shares {
		sum += v
	}
	out := make([]float64, len(shares))
	for i, v := range shares {
		out[i] = v / sum
	}
	return out
}

// add writes a mixture's shares as decimals; all that is said of it is of these.
func (s *solver) add(name string, shares []float64, measured float64) error {
	m := Mixture{Name: name, Measured: measured}
	var err error
	if m.Decimals, err = simplex.Decimals(s.Sources, shares); err != nil {
		return err
	}
	for _, text := range m.Decimals {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("internal error: share %q", text)
		}
		m.Shares = append(m.Shares, v)
	}
	if s.limited() {
		m.Passes = simplex.Passes(m.Shares, s.Tokens, s.Target)
	}
	s.out.Mixtures = append(s.out.Mixtures, m)
	return nil
}

// predict fills in what the laws promise.
func (s *solver) predict() {
	all := s.out.Mixtures
	var shares [][]float64
	for _, m := range all {
		shares = append(shares, m.Shares)
	}
	value := make([]float64, len(all))
	resampled := make([][]float64, len(all))
	for i := range resampled {
		resampled[i] = make([]float64, s.Resamples)
	}
	for k, m := range s.Metrics {
		for i, values := range s.laws[k].Resampled(shares, fit.Bands{Resamples: s.Resamples, Seed: s.Seed}, s.options()) {
			v := s.laws[k].Predict(shares[i])
			all[i].Metrics = append(all[i].Metrics, s.band(v, values))
			value[i] += float64(m.Weight * v)
			for r, x := range values {
				resampled[i][r] += float64(m.Weight * x)
			}
		}
	}
	base := slices.IndexFunc(all, func(m Mixture) bool { return m.Name == s.out.Baseline })
	for i := range all {
		all[i].Goal = s.band(value[i], resampled[i])
		difference := make([]float64, s.Resamples)
		for r := range difference {
			difference[r] = resampled[i][r] - resampled[base][r]
		}
		all[i].Against = s.band(value[i]-value[base], difference)
	}
}

func (s *solver) band(value float64, resampled []float64) Band {
	b := fit.BandOf(value, resampled, s.Level)
	return Band{b.Value, b.Low, b.High}
}
