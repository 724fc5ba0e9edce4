package main

import (
	"cmp"
	"fmt"
	"math/big"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ablate/cmd/internal/study"
	"ablate/pipeline"
	"ablate/stages/kind"
	"ablate/stages/report"
)

type reportCommand struct {
	Study  string `arg:"" help:"A YAML file, or the name of a shipped study."`
	Out    string `help:"Where the report goes (default: out/STUDY)." placeholder:"DIR"`
	Force  bool   `help:"Write the report into a folder that holds files which no run of ablate wrote, and replace those of them that have names of the report's."`
	Losses bool   `help:"Leave losses.parquet beside the report, too: the loss of every document by every model behind a score, one table."`
}

func (r reportCommand) Run(a *app) error {
	return a.WithPlan(a.ctx, r.Study, study.Planning{Assume: true}, func(p *study.Compiled) error {
		if _, run, waits := p.State.Count(); run+waits > 0 || p.Plan.Partial != "" {
			return fmt.Errorf("the cache lacks %d of the study's steps; `ablate run %s` makes them", run+waits, r.Study)
		}
		out, err := lookOut(outDir(r.Out, p.Study), p.Study, r.Force)
		if err != nil {
			return err
		}
		if err := claimOut(a.stderr, out, p, true); err != nil {
			return err
		}
		if err := writeOut(out, p); err != nil {
			return err
		}
		if err := keepLosses(a.ctx, out, p, r.Losses); err != nil {
			return err
		}
		return printResult(a.stdout, p, out.Path())
	})
}

// renderReport gathers what the report shows of a finished study.
func renderReport(p *study.Compiled) ([]byte, error) {
	in := report.Input{
		Study: p.Study.Name, About: p.Study.About, Program: "ablate " + version,
		InDomain: pipeline.InDomain, SetAbout: map[string]string{}, Level: float64(p.Study.Correlate.Level), Training: training(p.Plan.Summary),
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
	if in.Corpora, err = corpora(p); err != nil {
		return nil, err
	}
	for _, split := range p.Plan.Splits {
		if split.Seed {
			continue
		}
		r, err := reportSplit(p, split)
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
			Group: m.Group, Name: m.Name, Partitions: m.Partitions, Units: m.UnitsOf, Tokens: m.Tokens, Reference: m.Reference,
		})
	}
	if in.Steps, in.Flow, err = stepsByKind(p.State); err != nil {
		return nil, err
	}
	in.Provenance = machines(p)
	return report.Page(in)
}

// reportSplit gathers what the report shows of a set of partitions; without an order there is nothing to show by it.
func reportSplit(p *study.Compiled, split pipeline.SplitRef) (report.Split, error) {
	spec, step := p.Study.Partitions[split.Set], p.Plan.Steps[split.Step]
	r := report.Split{
		Set: split.Set, Corpus: spec.Corpus, Order: spec.Order,
		Words: func(set string) string { return evalSetInWords(p.Plan.Steps, step, set) },
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

// corpora gathers the counts of the steps that read each corpus and each evaluation set, in the order of the plan.
func corpora(p *study.Compiled) ([]report.Corpus, error) {
	var out []report.Corpus
	for i, step := range p.Plan.Steps {
		if step.Kind != kind.Tokenize || p.State.Entries[i] == nil { // of a study that is not run to its end
			continue
		}
		counts, err := p.Output(i, kind.OutCounts)
		if err != nil {
			return nil, err
		}
		name, eval := step.About.Corpus, step.About.Role == kind.RoleEvalSet
		if eval {
			name = step.About.EvalSet
		}
		n := slices.IndexFunc(out, func(r report.Corpus) bool { return r.Name == name && r.EvalSet == eval })
		if n < 0 {
			n = len(out)
			out = append(out, report.Corpus{Name: name, EvalSet: eval})
		}
		out[n].Counts, out[n].Files = append(out[n].Counts, counts), append(out[n].Files, step.FileNames())
	}
	slices.SortStableFunc(out, func(a, b report.Corpus) int { return cmp.Compare(rank(a), rank(b)) })
	return out, nil
}

// rank puts what is trained on before what is evaluated on.
func rank(c report.Corpus) int {
	if c.EvalSet {
		return 1
	}
	return 0
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
