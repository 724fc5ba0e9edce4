package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ablate/cache"
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/pipeline"
	"ablate/runner"
	"ablate/specs"
	"ablate/stages"
	"ablate/stages/correlate"
	"ablate/stages/kind"
)

type rankCommand struct {
	Study    string `arg:"" help:"A YAML file, or the name of a shipped study."`
	On       string `help:"Evaluation set to rank on, or out-of-domain: all but in-domain, each counting as much. May be left out where the study has one set." placeholder:"SET"`
	Proxy    string `help:"Proxy to rank by." default:"macro"`
	Top      int    `help:"How many mixtures to list." default:"10" placeholder:"N"`
	All      bool   `xor:"which" help:"Every mixture that the study's sets of mixtures allow (the default)."`
	Sampled  bool   `xor:"which" help:"Only the mixtures that the study selects."`
	Mixtures string `help:"Only this set of mixtures." placeholder:"NAME"`
	Most     int    `help:"Of a set that allows more mixtures than this, only those are scored that a greedy search comes to." default:"10000" placeholder:"N"`
	Threads  int    `help:"Processors to use (default: all). Results do not depend on it." placeholder:"N"`
	Memory   size   `help:"Memory to use, as 6GB (default: four fifths of the machine's)." placeholder:"SIZE"`
	JSON     bool   `help:"Print the ranking as JSON."`
	Quiet    bool   `short:"q" help:"Show failures and the ranking only."`
}

// Run ranks mixtures by averages of models that are in the cache. It evaluates and never trains.
func (r rankCommand) Run(a *app) (err error) {
	if r.Top < 1 || r.Most < 1 || r.Threads < 0 {
		return fault.Usagef("--top %d --most %d --threads %d: want at least 1, 1 and 0", r.Top, r.Most, r.Threads)
	}
	if r.Most > specs.MostMixtures {
		return fault.Usagef("--most %d: want at most %d, of which a plan takes some gigabytes of memory", r.Most, specs.MostMixtures)
	}
	outliveReaders()
	c, err := a.LookupCache(a.ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	p, err := a.Plan(c, r.Study, study.Planning{})
	if err != nil {
		return err
	}
	if err := r.check(p.Study); err != nil {
		return fault.Usage(err)
	}
	if p.Plan.Partial != "" {
		return fmt.Errorf("nothing to rank yet: %s; `ablate run %s` splits it and trains the units", p.Plan.Partial, r.Study)
	}
	k := &ranking{rankCommand: r, app: a, cache: c, p: p, began: time.Now(), evaluations: map[cache.Key]bool{}}
	found, err := p.Catalogue()
	if err != nil {
		return err
	}
	k.query = pipeline.Query{Study: p.Study, Sources: p.Sources, Units: found, Set: k.On, Proxy: r.Proxy}
	if err := k.run(a.ctx); err != nil {
		return err
	}
	if r.JSON {
		return k.printJSON(a.stdout)
	}
	return k.print(a.stdout)
}

// check settles the set to rank on and refuses names that the study does not have.
func (r *rankCommand) check(s *specs.Study) error {
	sets := slices.Sorted(maps.Keys(s.Eval.OutOfDomain))
	if s.Eval.InDomain == "mixture" {
		sets = append(sets, pipeline.InDomain)
	}
	if _, taken := s.Eval.OutOfDomain[kind.Average]; len(s.Eval.OutOfDomain) > 1 && !taken {
		sets = append(sets, kind.Average)
	}
	if r.On == "" && len(s.Eval.OutOfDomain) == 1 {
		r.On = sets[0]
	}
	switch {
	case r.On == "":
		return fmt.Errorf("--on: name the evaluation set to rank on: %s", strings.Join(sets, ", "))
	case !slices.Contains(sets, r.On):
		return fmt.Errorf("--on %s: study %s evaluates on %s", r.On, s.Name, strings.Join(sets, ", "))
	case !slices.Contains(specs.Proxies(), r.Proxy):
		return fmt.Errorf("--proxy %s: want one of %s", r.Proxy, strings.Join(specs.Proxies(), ", "))
	case (r.Proxy == "weighted" || r.Proxy == "small_seq") && !slices.Contains(s.Proxies, r.Proxy):
		return fmt.Errorf("--proxy %s: study %s does not name it, and so does not say what it takes: add it to proxies, or rank by another", r.Proxy, s.Name)
	case strings.HasSuffix(r.Proxy, "_id") && r.On != pipeline.InDomain:
		return fmt.Errorf("--proxy %s scores each model on its own partition: rank on %s, or by another proxy", r.Proxy, pipeline.InDomain)
	}
	if _, ok := s.Mixtures[r.Mixtures]; r.Mixtures != "" && !ok {
		return fmt.Errorf("--mixtures %s: study %s has %s", r.Mixtures, s.Name, strings.Join(slices.Sorted(maps.Keys(s.Mixtures)), ", "))
	}
	return nil
}

// ranking is a ranking under way, and then its result.
type ranking struct {
	rankCommand
	app   *app
	cache *cache.Cache
	p     *study.Compiled
	query pipeline.Query
	began time.Time

	ran         int                 // evaluations made now
	evaluations map[cache.Key]bool  // all that were needed
	possible    map[string]*big.Int // mixtures by set of mixtures
	searched    []string            // sets of mixtures of which not every mixture was scored
	untrained   int                 // mixtures whose reference models are not trained yet
	ranked      []correlate.Ranked
	lines       []correlate.RankLine
}

func (k *ranking) run(ctx context.Context) error {
	chosen := maps.Clone(k.p.Study.Mixtures)
	if k.Mixtures != "" {
		chosen = map[string]specs.Mixture{k.Mixtures: chosen[k.Mixtures]}
	}
	var err error
	if k.possible, err = k.query.Possible(chosen); err != nil {
		return err
	}
	listed := chosen
	var in correlate.RankInput
	if !k.Sampled {
		listed = pipeline.Every(chosen)
		for _, group := range slices.Sorted(maps.Keys(listed)) {
			if k.possible[group].Cmp(big.NewInt(int64(k.Most))) <= 0 {
				continue
			}
			found, err := k.search(ctx, group, listed[group])
			if err != nil {
				return err
			}
			in.Candidates = append(in.Candidates, found...)
			k.searched = append(k.searched, group)
			delete(listed, group)
		}
	}
	if len(listed) > 0 {
		scored, err := k.score(ctx, listed)
		if err != nil {
			return err
		}
		in.Candidates = append(in.Candidates, scored...)
	}
	if in.References, err = k.references(ctx, chosen); err != nil {
		return err
	}
	in.Level = float64(k.p.Study.Correlate.Level)
	if k.ranked, k.lines, err = correlate.Rank(in); err != nil {
		return err
	}
	if !k.Quiet {
		fmt.Fprintf(k.app.stderr, "%d evaluations: %d were in the cache, %d ran; %.2fs\n",
			len(k.evaluations), len(k.evaluations)-k.ran, k.ran, time.Since(k.began).Seconds())
	}
	return nil
}

// score evaluates the proxy of every mixture of some sets.
func (k *ranking) score(ctx context.Context, mixtures map[string]specs.Mixture) ([]correlate.RankMixture, error) {
	plan, scored, err := k.query.Candidates(mixtures)
	if err != nil {
		return nil, err
	}
	state, err := plan.Resolve(stages.Kinds(), k.cache.Lookup)
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

// missing names what must be in the cache before anything can be ranked, and the command that makes it.
func (k *ranking) missing(plan *pipeline.Plan, steps []int) error {
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
		return fmt.Errorf("proxy %s needs what is not in the cache: %s; `ablate run` trains that for the mixtures the study selects only: "+
			"rank them with --sampled, or all by --proxy macro or micro, which need units only", k.Proxy, text)
	}
	return fmt.Errorf("proxy %s needs what is not in the cache: %s; `ablate run %s` makes it (rank trains nothing)", k.Proxy, text, k.Study)
}

// references evaluates the proxy and the reference of the mixtures whose models are trained, and counts the others.
func (k *ranking) references(ctx context.Context, mixtures map[string]specs.Mixture) ([]correlate.RankReference, error) {
	plan, proxy, reference, err := k.query.References(mixtures)
	if err != nil {
		return nil, err
	}
	state, err := plan.Resolve(stages.Kinds(), k.cache.Lookup)
	if err != nil {
		return nil, err
	}
	_, blocked := state.Untrained()
	goals := map[int]bool{}
	var there []int
	for i := range proxy {
		needs := slices.Concat(slices.Concat(proxy[i].Evals...), slices.Concat(reference[i].Evals...))
		if slices.ContainsFunc(needs, func(e int) bool { return blocked[e] }) {
			k.untrained++
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
func (k *ranking) evaluate(ctx context.Context, plan *pipeline.Plan) (*pipeline.State, error) {
	display := show.NewDisplay(k.app.stderr, k.Quiet)
	defer display.Close()
	k.app.Resources = study.Resources{Threads: k.Threads, Memory: int64(k.Memory)}
	opt, err := k.app.Running(k.cache)
	if err != nil {
		return nil, err
	}
	opt.Kinds, opt.LogDir = evaluating(k.Study), filepath.Join(outDir("", k.p.Study), "logs")
	opt.Events = func(e runner.Event) {
		if e.What == runner.Finished {
			k.ran++
		}
		display.Event(e)
	}
	state, err := runner.Run(ctx, plan, opt)
	if err != nil {
		return nil, err
	}
	for i, s := range plan.Steps {
		if s.Kind == kind.Eval {
			k.evaluations[state.Keys[i]] = true
		}
	}
	return state, nil
}

// evaluating are the kinds for a run that must not train: a model that turns out to be damaged when it is read ends the run.
func evaluating(study string) kind.Kinds {
	kinds := stages.Kinds()
	for i := range kinds {
		if kinds[i].Name != kind.Eval {
			kinds[i].Run = func(context.Context, *kind.Job) error {
				return fmt.Errorf("its outputs in the cache are damaged; `ablate run %s` makes them again (rank trains nothing)", study)
			}
		}
	}
	return kinds
}

// losses are the paths of the tables that evaluations left.
func (k *ranking) losses(state *pipeline.State, evals [][]int) ([][]string, error) {
	out := make([][]string, len(evals))
	for d, steps := range evals {
		for _, i := range steps {
			path, err := study.OutputPath(k.cache, state.Entries[i], kind.OutLosses)
			if err != nil {
				return nil, err
			}
			out[d] = append(out[d], path)
		}
	}
	return out, nil
}

// search builds a mixture of a large set up: to what every mixture has it adds, out of all that may still be drawn, the component that lowers
// the proxy's loss most, until there are enough (forward selection; Caruana et al. 2004, "Ensemble selection from libraries of models", chooses
// models for an ensemble so). It returns the whole mixtures that it came to, those of the last round.
func (k *ranking) search(ctx context.Context, group string, spec specs.Mixture) ([]correlate.RankMixture, error) {
	if len(spec.List) > 0 {
		return nil, fault.Usagef("set of mixtures %s lists %s mixtures and is not one to search through: raise --most %d, or take --sampled",
			group, k.possible[group], k.Most)
	}
	drawn, err := k.query.Draws(group, spec)
	if err != nil {
		return nil, err
	}
	chosen := drawn.Fixed
	for {
		next := specs.Mixture{From: drawn.From, Of: spec.Of, Repeat: spec.Repeat}
		var by []int // draw of each mixture listed
		for i, d := range drawn.Draws {
			for _, name := range d.Names {
				if d.K > 0 && (spec.Repeat || !slices.Contains(chosen, name)) {
					next.List, by = append(next.List, append(slices.Clone(chosen), name)), append(by, i)
				}
			}
		}
		scored, err := k.score(ctx, map[string]specs.Mixture{group: next})
		if err != nil {
			return nil, err
		}
		if len(scored) != len(next.List) {
			return nil, fmt.Errorf("internal error: %d mixtures listed, %d scored", len(next.List), len(scored))
		}
		if len(next.List[0]) == drawn.Size() {
			return scored, nil
		}
		best, err := lowest(scored)
		if err != nil {
			return nil, err
		}
		chosen = next.List[best]
		drawn.Draws[by[best]].K--
	}
}

// lowest is the position of the mixture that the proxy likes best.
func lowest(scored []correlate.RankMixture) (int, error) {
	ranked, _, err := correlate.Rank(correlate.RankInput{Candidates: scored})
	if err != nil {
		return 0, err
	}
	return slices.IndexFunc(scored, func(m correlate.RankMixture) bool { return m.Name == ranked[0].Mixture }), nil
}
