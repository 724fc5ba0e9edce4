package ranking

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/reporting"
	"ablate/pipeline"
	"ablate/runner"
	"ablate/specs"
	"ablate/stages"
	"ablate/stages/correlate"
	"ablate/stages/kind"
)

// score evaluates the proxy of every mixture of some sets.
func (k *ranker) score(ctx context.Context, mixtures map[string]specs.Mixture) ([]correlate.RankMixture, error) {
	plan, scored, err := k.query.Candidates(mixtures)
	if err != nil {
		return nil, err
	}
	state, err := plan.Resolve(stages.Kinds(), k.p.Cache.Lookup)
	if err != nil {
		return nil, err
	}
	if missing, _ := state.Untrained(); len(missing) > 0 {
		return nil, k.missing(plan, missing)
	}
	if state, err = k.evaluate(ctx, plan); err != nil {
		return nil, err
	}
	out := make([]correlate.RankMixture, len(scored))
	for i, s := range scored {
		out[i] = correlate.RankMixture{Group: s.Group, Name: s.Name}
		if out[i].Losses, err = k.losses(state, s.Evals); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// missing names what must be in the cache before anything can be ranked, and the command that makes
// it.
func (k *ranker) missing(plan *pipeline.Plan, steps []int) error {
	var names []string
	makes := true // whether a run of the study makes them
	for _, i := range steps {
		step := plan.Steps[i]
		_, err := k.p.Plan.Find(step.ID)
		makes = makes && err == nil
		if step.Kind == kind.Train || len(names) == 0 {
			names = append(names, step.ID)
		}
	}
	text := strings.Join(names[:min(len(names), 5)], ", ")
	if more := len(names) - 5; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	if !makes {
		return fmt.Errorf("proxy %s needs models that are not in the cache: %s; `ablate run` trains them only for the mixtures that the study selects: "+
			"rank these with --sampled, or rank all mixtures with --proxy macro or micro, which need unit models only", k.Proxy, text)
	}
	return fmt.Errorf("proxy %s needs results that are not in the cache: %s; `ablate run %s` makes them (rank trains nothing)", k.Proxy, text, k.Study)
}

// references evaluates the proxy and the reference of the mixtures whose models are trained, and
// counts the others.
func (k *ranker) references(ctx context.Context, mixtures map[string]specs.Mixture) ([]correlate.RankReference, error) {
	plan, proxy, reference, err := k.query.References(mixtures)
	if err != nil {
		return nil, err
	}
	state, err := plan.Resolve(stages.Kinds(), k.p.Cache.Lookup)
	if err != nil {
		return nil, err
	}
	_, blocked := state.Untrained()
	goals := map[int]bool{}
	var there []int
	for i := range proxy {
		needs := slices.Concat(slices.Concat(proxy[i].Evals...), slices.Concat(reference[i].Evals...))
		if slices.ContainsFunc(needs, func(e int) bool { return blocked[e] }) {
			k.out.Untrained++
			continue
		}
		there = append(there, i)
		for _, e := range needs {
			goals[e] = true
		}
	}
	if len(there) == 0 {
		return nil, nil
	}
	sub, at := plan.Only(goals)
	if state, err = k.evaluate(ctx, sub); err != nil {
		return nil, err
	}
	moved := func(evals [][]int) [][]int {
		out := make([][]int, len(evals))
		for d, steps := range evals {
			for _, e := range steps {
				out[d] = append(out[d], at[e])
			}
		}
		return out
	}
	var out []correlate.RankReference
	for _, i := range there {
		m := correlate.RankReference{RankMixture: correlate.RankMixture{Group: proxy[i].Group, Name: proxy[i].Name}}
		if m.Losses, err = k.losses(state, moved(proxy[i].Evals)); err != nil {
			return nil, err
		}
		if m.Reference, err = k.losses(state, moved(reference[i].Evals)); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// evaluate carries out the evaluations of a plan whose models are all there.
func (k *ranker) evaluate(ctx context.Context, plan *pipeline.Plan) (*pipeline.State, error) {
	with, err := k.s.Running()
	if err != nil {
		return nil, err
	}
	with.Cache, with.Kinds, with.LogDir = k.p.Cache, evaluating(k.Study), filepath.Join(reporting.Dir("", k.p.Study), "logs")
	tell := k.s.Watch(k.p.Study.Name, nil)
	with.Events = func(e runner.Event) {
		if e.What == runner.Finished {
			k.out.Ran++
		}
		tell(e)
	}
	state, err := runner.Run(ctx, plan, with)
	k.s.Say(study.StepsEnded{Study: k.p.Study.Name})
	if err != nil {
		return nil, err
	}
	for i, s := range plan.Steps {
		if s.Evaluates() {
			k.evaluations[state.Keys[i]] = true
		}
	}
	return state, nil
}

// evaluating are the kinds for a run that must not train: a model that turns out to be damaged when
// it is read ends the run.
func evaluating(study string) kind.Kinds {
	kinds := stages.Kinds()
	for i := range kinds {
		if !kinds[i].Does(kind.Evaluates) {
			kinds[i].Run = func(context.Context, *kind.Job) error {
				return fmt.Errorf("its outputs in the cache are damaged; `ablate run %s` runs the step again (rank trains nothing)", study)
			}
		}
	}
	return kinds
}

// losses are the paths of the tables that evaluations left.
func (k *ranker) losses(state *pipeline.State, evals [][]int) ([][]string, error) {
	out := make([][]string, len(evals))
	for d, steps := range evals {
		for _, i := range steps {
			path, err := study.OutputPath(k.p.Cache, state.Entries[i], kind.OutLosses)
			if err != nil {
				return nil, err
			}
			out[d] = append(out[d], path)
		}
	}
	return out, nil
}
