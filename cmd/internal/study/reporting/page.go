package reporting

import (
	"math/big"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/corpora"
	"ablate/pipeline"
	"ablate/stages/kind"
	"ablate/stages/report"
)

// page gathers what the report shows of a finished study.
func page(p *study.Compiled) ([]byte, error) {
	in := report.Input{
		Study: p.Study.Name, About: p.Study.About, Program: p.Program,
		InDomain: kind.InDomain, SetAbout: map[string]string{}, Level: float64(p.Study.Correlate.Level), Training: training(p.Plan.Summary),
		Params: p.Plan.Steps[p.Plan.Result].Params,
		Figure: func(group, set string) (string, error) {
			return p.Output(p.Plan.Result, kind.FigureOutput(group, set))
		},
	}
	for name, set := range p.Study.Eval.OutOfDomain {
		in.SetAbout[name] = set.About
	}
	var err error
	if in.Scores, err = p.Output(p.Plan.Result, kind.OutScores); err != nil {
		return nil, err
	}
	if in.Correlations, err = p.Output(p.Plan.Result, kind.OutCorrelations); err != nil {
		return nil, err
	}
	if in.Decisions, err = p.Output(p.Plan.Result, kind.OutDecisions); err != nil {
		return nil, err
	}
	if in.Limits, err = p.Output(p.Plan.Result, kind.OutWarnings); err != nil {
		return nil, err
	}
	if in.Corpora, err = corpora.Counts(p); err != nil {
		return nil, err
	}
	for _, split := range p.Plan.Splits {
		if split.Seed {
			continue
		}
		r, err := splitOf(p, split)
		if err != nil {
			return nil, err
		}
		in.Splits = append(in.Splits, r)
	}
	for _, m := range p.Plan.Models {
		e := p.State.Entries[m.Step]
		curve, err := p.Output(m.Step, kind.OutCurve)
		if err != nil {
			return nil, err
		}
		checkpoint, _ := e.Output(kind.OutModel)
		in.Models = append(in.Models, report.Model{
			Name: shortModel(m.Name), Role: m.Role, Tokens: p.Plan.Steps[m.Step].Cost.Tokens,
			Key: e.Key.String(), Checkpoint: checkpoint.Digest.String(), Curve: curve,
		})
	}
	for _, m := range p.Plan.Mixtures {
		in.Mixtures = append(in.Mixtures, report.Mixture{
			Group: m.MixtureSet, Name: m.Name, Partitions: m.Partitions, Units: m.UnitsOf, Tokens: m.Tokens, Reference: m.Reference,
		})
	}
	if in.Steps, in.Flow, err = StepsByKind(p.State); err != nil {
		return nil, err
	}
	in.Provenance = machines(p)
	return report.Page(in)
}

// splitOf gathers what the report shows of a set of partitions; without an order there is nothing
// to show by it.
func splitOf(p *study.Compiled, split pipeline.SplitRef) (report.Split, error) {
	spec, step := p.Study.Partitions[split.PartitionSet], p.Plan.Steps[split.Step]
	r := report.Split{
		Set: split.PartitionSet, Corpus: spec.Corpus, Order: spec.Order,
		Words: func(set string) string { return corpora.TextInWords(p.Plan, split.Step, set) },
	}
	for _, o := range []struct {
		path *string
		name string
	}{{&r.Sizes, kind.OutSizes}, {&r.Timeline, kind.OutTimeline}, {&r.Filter, kind.OutFilter}, {&r.Ledger, kind.OutLedger}, {&r.Duplicates, kind.OutDuplicates}} {
		path, err := p.Output(split.Step, o.name)
		if err != nil {
			return r, err
		}
		*o.path = path
	}
	for _, in := range step.Inputs {
		if !strings.HasPrefix(in.Role, "documents.") {
			continue
		}
		path, err := p.Output(in.Step, kind.OutPlaces)
		if err != nil {
			return r, err
		}
		r.Places, r.Files = append(r.Places, path), append(r.Files, p.Plan.Steps[in.Step].FileNames())
	}
	if spec.Order == "id" {
		r.Timeline = ""
	}
	return r, nil
}

func training(s pipeline.Summary) report.Training {
	t := report.Training{Seed: s.Seed.Tokens, Units: s.Units.Tokens, Partitions: s.Partitions.Tokens + s.Small.Tokens, References: s.References.Tokens}
	t.MixturesPossible, _ = new(big.Float).SetInt(s.MixturesPossible).Float64()
	t.AllReferences, _ = new(big.Float).SetInt(s.TokensReferenceOf).Float64()
	return t
}

// shortModel drops the first part of a model's name where a heading says it already.
func shortModel(name string) string {
	if _, rest, ok := strings.Cut(name, "/"); ok {
		return rest
	}
	return name
}

// machines says where the steps ran and with what.
func machines(p *study.Compiled) [][2]string {
	facts := map[string][]string{}
	add := func(name, value string) {
		if value != "" && !slices.Contains(facts[name], value) {
			facts[name] = append(facts[name], value)
		}
	}
	first, last := "", ""
	for _, e := range p.State.Entries {
		v := e.Provenance
		add("host", v.Host)
		add("processor", v.CPU)
		add("system", v.OS+"/"+v.Arch)
		add("go", v.Go)
		add("ablate", v.Ablate)
		if first == "" || v.Started < first {
			first = v.Started
		}
		last = max(last, v.Started)
	}
	out := [][2]string{{"study file", filepath.Base(p.Study.Path)}, {"steps", strconv.Itoa(len(p.Plan.Steps))},
		{"first step began", first}, {"last step began", last}}
	for _, name := range []string{"host", "processor", "system", "go", "ablate"} {
		if len(facts[name]) == 0 {
			continue // a bundle may keep quiet about hosts
		}
		slices.Sort(facts[name])
		out = append(out, [2]string{name, strings.Join(facts[name], ", ")})
	}
	return append(out, [2]string{"key of the comparison", p.State.Keys[p.Plan.Result].String()})
}
