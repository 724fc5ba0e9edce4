package mixing

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/corpora"
	"ablate/cmd/internal/study/fault"
	"ablate/pipeline"
	"ablate/stages/kind"
	"ablate/stages/mix"
	"ablate/stages/tables"
)

// Of asks for a proposal from the scores of a study.
type Of struct {
	Study    string
	Scores   string // a proxy, or seq: the references
	Mixtures string // only this mixture set; "": all
}

// Study proposes shares from the scores of a finished study. The shares of a mixture are those that
// the scorer takes its components with.
func Study(ctx context.Context, s *study.Session, of Of, opt Options) (*Proposal, error) {
	var out *Proposal
	err := s.WithPlan(ctx, of.Study, study.Planning{Local: true}, func(p *study.Compiled) error {
		switch {
		case p.Plan.Partial != "":
			return fmt.Errorf("nothing to propose from yet: %s; `ablate run %s` splits it and goes on", p.Plan.Partial, of.Study)
		case p.State.Status[p.Plan.Result] != pipeline.Hit:
			return fmt.Errorf("nothing to propose from yet: the study has not been run to its end; `ablate run %s` does it", of.Study)
		}
		if _, ok := p.Study.Mixtures[of.Mixtures]; of.Mixtures != "" && !ok {
			return fault.Usagef("--mixtures %s: study %s has %s", of.Mixtures, p.Study.Name, strings.Join(slices.Sorted(maps.Keys(p.Study.Mixtures)), ", "))
		}
		weights, err := weighing(p, of.Scores)
		if err != nil {
			return fault.Usage(err)
		}
		r := &reader{of: of, p: p, weights: weights}
		in, err := r.input()
		if err != nil {
			return err
		}
		found, err := r.tokens()
		if err != nil {
			return err
		}
		if out, err = propose(in, found, opt, "evaluation set"); err != nil {
			return err
		}
		out.From = fmt.Sprintf("%s by %s", p.Study.Name, of.Scores)
		return nil
	})
	return out, err
}

// weighing is how a scorer weighs the components of a plain mixture: all the same, or by their
// units.
func weighing(p *study.Compiled, scorer string) (func(pipeline.ComponentRef) float64, error) {
	equal := func(pipeline.ComponentRef) float64 { return 1 }
	units := func(x pipeline.ComponentRef) float64 { return float64(x.Units) }
	switch scorer {
	case "macro", "merged", "mixmin", "mean_merged", "mean_seq":
		return equal, nil
	case "micro", "mean_ind":
		return units, nil
	case kind.ScorerSeq, "small_seq":
		if sampling := p.Study.Train.Sampling; sampling != "equal" && sampling != "replacement" {
			return nil, fmt.Errorf("--scores %s: with train.sampling: %s the shares of a reference follow the sizes of its units, and are not read here; take the scores of a proxy such as macro",
				scorer, sampling)
		}
		return units, nil
	}
	return nil, fmt.Errorf("--scores %s: want seq, macro, micro, merged, mixmin, mean_ind, mean_merged, mean_seq or small_seq, whose shares are known", scorer)
}

// reader reads scores of a study.
type reader struct {
	of      Of
	p       *study.Compiled
	weights func(pipeline.ComponentRef) float64

	components map[string]pipeline.ComponentRef // by name
}

// input gathers the mixtures that the scorer scored, with their shares.
func (r *reader) input() (mix.Input, error) {
	var in mix.Input
	scores, err := r.scores()
	if err != nil {
		return in, err
	}
	sets := map[string]*mix.Metric{}
	r.components = map[string]pipeline.ComponentRef{}
	var shares []map[string]float64
	for _, m := range r.p.Plan.Mixtures {
		of, ok := scores[mixtureName{m.MixtureSet, m.Name}]
		if !ok {
			continue
		}
		in.Runs = append(in.Runs, m.MixtureSet+"/"+m.Name)
		row, total := map[string]float64{}, 0.0
		for _, x := range m.Components {
			r.components[x.Name] = x
			weight := r.weights(x)
			if x.Share != nil { // which proxies and references have exactly
				weight, _ = x.Share.Float64()
			}
			row[x.Name] += weight
			total += weight
		}
		for name := range row {
			row[name] /= total
		}
		shares = append(shares, row)
		for set, loss := range of {
			if sets[set] == nil {
				sets[set] = &mix.Metric{Name: set}
			}
			sets[set].Scores = append(sets[set].Scores, loss)
		}
	}
	if len(in.Runs) == 0 {
		return in, fault.Usage(r.none())
	}
	in.Sources = slices.Sorted(maps.Keys(r.components))
	if err := r.disjoint(in.Sources); err != nil {
		return in, fault.Usage(err)
	}
	for _, row := range shares {
		var x []float64
		for _, name := range in.Sources {
			x = append(x, row[name])
		}
		in.Shares = append(in.Shares, x)
	}
	for _, set := range slices.Sorted(maps.Keys(sets)) {
		in.Metrics = append(in.Metrics, *sets[set])
	}
	if len(in.Metrics) == 0 {
		return in, errors.New("the study evaluates in domain only, on another text for each mixture: a law needs an evaluation set that all mixtures share (eval.out_of_domain)")
	}
	return in, nil
}

// disjoint refuses a partition beside one of its units: they are the same text under two names.
func (r *reader) disjoint(sources []string) error {
	type partition struct{ set, name string }
	whole := map[partition]string{}
	for _, name := range sources {
		if x := r.components[name]; x.Unit < 0 {
			whole[partition{x.PartitionSet, x.Partition}] = name
		}
	}
	for _, name := range sources {
		x := r.components[name]
		if of, ok := whole[partition{x.PartitionSet, x.Partition}]; ok && x.Unit >= 0 {
			return fmt.Errorf("mixtures are of partition %s and of its unit %s, which are no two sources: take one mixture set with --mixtures", of, name)
		}
	}
	return nil
}

// mixtureName tells mixtures apart.
type mixtureName struct{ group, mixture string }

// scores are the losses of each mixture by the scorer on each evaluation set that all mixtures
// share, in nats per token.
func (r *reader) scores() (map[mixtureName]map[string]float64, error) {
	rows, err := r.rows()
	if err != nil {
		return nil, err
	}
	out := map[mixtureName]map[string]float64{}
	for _, row := range rows {
		if row.Scorer != r.of.Scores || r.of.Mixtures != "" && row.Group != r.of.Mixtures {
			continue
		}
		m := mixtureName{row.Group, row.Mixture}
		if out[m] == nil {
			out[m] = map[string]float64{}
		}
		if row.Metric == "" && row.Set != kind.InDomain && row.Set != kind.Average {
			out[m][row.Set] = row.Loss
		}
	}
	return out, nil
}

func (r *reader) rows() ([]tables.ScoreRow, error) {
	path, err := r.p.Output(r.p.Plan.Result, kind.OutScores)
	if err != nil {
		return nil, err
	}
	return tables.Scores.Read(path)
}

// none says which scores there are in place of those asked for.
func (r *reader) none() error {
	rows, err := r.rows()
	if err != nil {
		return err
	}
	mixtures := map[string]map[mixtureName]bool{}
	for _, row := range rows {
		if strings.HasPrefix(row.Scorer, kind.ScorerReplicate) {
			continue
		}
		if mixtures[row.Scorer] == nil {
			mixtures[row.Scorer] = map[mixtureName]bool{}
		}
		mixtures[row.Scorer][mixtureName{row.Group, row.Mixture}] = true
	}
	var there []string
	for _, scorer := range slices.Sorted(maps.Keys(mixtures)) {
		there = append(there, fmt.Sprintf("%s (%d mixtures)", scorer, len(mixtures[scorer])))
	}
	return fmt.Errorf("--scores %s: the study has no such scores; it has %s", r.of.Scores, strings.Join(there, ", "))
}

// tokens are what the units of each source have.
func (r *reader) tokens() (map[string]float64, error) {
	splits, err := corpora.Catalogue(r.p)
	if err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for name, x := range r.components {
		for _, s := range splits {
			if s.Set != x.PartitionSet {
				continue
			}
			for _, row := range s.Sizes {
				if row.Part == "unit" && row.Partition == x.Partition && (x.Unit < 0 || row.Unit == int64(x.Unit)) {
					out[name] += float64(row.Tokens)
				}
			}
		}
	}
	return out, nil
}
