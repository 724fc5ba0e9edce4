// Package mixing proposes shares of sources: from the scores of a finished study, or from runs that
// were made elsewhere. It trains nothing and evaluates nothing.
package mixing

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ablate/cmd/internal/study/fault"
	"ablate/stages/mix"
	"ablate/stages/runs"
)

// Options of a proposal.
type Options struct {
	Law    string
	Goal   map[string]float64 // weights of metrics, which are evaluation sets in a study; empty: all weigh the same
	KL     float64
	Equal  bool // the prior is equal shares, also where tokens are known
	Floors map[string]float64
	Caps   map[string]float64

	Tokens map[string]float64 // of sources, in place of what a study has
	Target float64
	Passes float64

	Resamples int
	Level     float64
	Seed      int64
}

// Proposal is a proposal with what it was made from.
type Proposal struct {
	*mix.Proposal
	From  string   // in words
	Notes []string // what was left out, in sentences
}

// Runs proposes shares from runs that were made elsewhere: the paths of their ratios and metrics.
func Runs(_ context.Context, ratios, metrics string, opt Options) (*Proposal, error) {
	r, err := runs.Read(ratios, metrics)
	if err != nil {
		return nil, fault.Usage(err)
	}
	in := mix.Input{Sources: r.Sources, Runs: r.Runs, Shares: r.Shares}
	for name, scores := range r.Scores {
		in.Metrics = append(in.Metrics, mix.Metric{Name: name, Scores: scores})
	}
	out, err := propose(in, nil, opt, "metric")
	if err != nil {
		return nil, err
	}
	out.From, out.Notes = fmt.Sprintf("%s and %s", ratios, metrics), append(r.Notes, out.Notes...)
	return out, nil
}

// propose fills in what the options say and proposes. found are the tokens of sources, as far as
// known; metric is what a metric is called.
func propose(in mix.Input, found map[string]float64, opt Options, metric string) (*Proposal, error) {
	out := &Proposal{}
	if err := weigh(in.Metrics, opt.Goal, metric); err != nil {
		return nil, fault.Usage(err)
	}
	tokens, err := tokensOf(in.Sources, found, opt)
	if err != nil {
		return nil, fault.Usage(err)
	}
	in.Tokens = tokens
	for _, name := range slices.Sorted(maps.Keys(joined(opt.Floors, opt.Caps))) {
		b := mix.Bound{Source: name, Cap: 1}
		if v, ok := opt.Floors[name]; ok {
			b.Floor = v
		}
		if v, ok := opt.Caps[name]; ok {
			b.Cap = v
		}
		in.Bounds = append(in.Bounds, b)
	}
	in.Law, in.KL, in.Target, in.Passes = opt.Law, opt.KL, opt.Target, opt.Passes
	in.Resamples, in.Level, in.Seed = opt.Resamples, opt.Level, opt.Seed
	if opt.Equal {
		in.Prior = slices.Repeat([]float64{1 / float64(len(in.Sources))}, len(in.Sources))
	}
	if out.Proposal, err = mix.Propose(in); err != nil {
		return nil, fault.Usage(err)
	}
	return out, nil
}

func joined(a, b map[string]float64) map[string]float64 {
	out := maps.Clone(a)
	if out == nil {
		out = map[string]float64{}
	}
	maps.Copy(out, b)
	return out
}

// weigh gives the metrics their weights in the goal.
func weigh(metrics []mix.Metric, goal map[string]float64, what string) error {
	var names []string
	for i := range metrics {
		names = append(names, metrics[i].Name)
		if len(goal) == 0 {
			metrics[i].Weight = 1
		} else {
			metrics[i].Weight = goal[metrics[i].Name]
		}
	}
	slices.Sort(names)
	for _, name := range slices.Sorted(maps.Keys(goal)) {
		if !slices.Contains(names, name) {
			return fmt.Errorf("--goal %s: there is no such %s; there are %s", name, what, strings.Join(names, ", "))
		}
	}
	return nil
}

// tokensOf are the tokens of the sources, nil where they are not known. Those of the options come
// before what a study has.
func tokensOf(sources []string, found map[string]float64, opt Options) ([]float64, error) {
	for _, name := range slices.Sorted(maps.Keys(opt.Tokens)) {
		if !slices.Contains(sources, name) {
			return nil, fmt.Errorf("--tokens %s: there is no such source; there are %s", name, strings.Join(slices.Sorted(slices.Values(sources)), ", "))
		}
	}
	all := joined(found, opt.Tokens)
	var out []float64
	var lacks []string
	for _, name := range sources {
		n, ok := all[name]
		if !ok {
			lacks = append(lacks, name)
		}
		out = append(out, n)
	}
	switch {
	case len(lacks) == 0:
		return out, nil
	case len(all) == 0 && opt.Target > 0:
		return nil, fmt.Errorf("--target-tokens needs the tokens that each source has: give them with --tokens SOURCE=COUNT")
	case len(all) == 0:
		return nil, nil
	}
	return nil, fmt.Errorf("--tokens: the tokens of %s are not known; give those of every source", strings.Join(lacks, ", "))
}
