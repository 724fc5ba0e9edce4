package pipeline

import (
	"slices"
	"strings"

	"ablate/stages/kind"
)

// InDomain is the name of the evaluation set that changes with the mixture: the held-out test documents of its partitions.
const InDomain = "in-domain"

// board collects the scores of a study and the loss tables they are made of.
type board struct {
	c      *compiler
	losses []Input
	number map[int]int // eval step -> number among the losses inputs
	scores []kind.Score
}

// mixture adds every score of one mixture: each proxy, and the reference model where the study asks for one, on every evaluation set.
func (b *board) mixture(m mixture) {
	c := b.c
	var scorers []scorer
	for _, proxy := range c.study.Proxies {
		scorers = append(scorers, c.proxy(proxy, m))
	}
	if slices.Contains(c.study.Reference.Seq, m.group) {
		name := "seq/" + m.group + "/" + m.name()
		c.plan.alias("seq/"+m.group+"/"+m.numbered(), name)
		seq := single(name, c.train(name, unitInputs(m.components)))
		scorers = append(scorers, scorer{name: "seq", everywhere: []recipe{seq}})
	}
	for _, s := range scorers {
		if c.study.Eval.InDomain == "mixture" {
			b.inDomain(m, s)
		}
		if s.ownDomain {
			continue
		}
		for i, set := range c.evalSets {
			var tables []int
			for _, r := range s.everywhere {
				tables = append(tables, b.eval(r, set, Input{Role: "tokens", Step: c.evals[i], Output: kind.OutTokens}))
			}
			b.scores = append(b.scores, kind.Score{Group: m.group, Mixture: m.name(), Scorer: s.name, Set: set, Losses: [][]int{tables}})
		}
	}
}

// scorer is a way to score a mixture: the models whose perplexities are averaged.
type scorer struct {
	name       string
	everywhere []recipe
	ownDomain  bool // each unit on its own partition's test documents only
}

func (c *compiler) proxy(name string, m mixture) scorer {
	s := scorer{name: name}
	switch name {
	case "micro":
		s.everywhere = []recipe{c.named(c.micro(m), m)}
	case "macro":
		s.everywhere = []recipe{c.named(c.macro(m), m)}
	case "merged":
		s.everywhere = []recipe{c.named(c.merged(m), m)}
	default: // mean_ind, ind_id: the mean over the units' own perplexities
		s.ownDomain = name == "ind_id"
		for _, x := range m.components {
			for _, u := range x.unitNumbers() {
				s.everywhere = append(s.everywhere, single(unitName(x.part, u), c.unitModel(x.part, u)))
			}
		}
	}
	return s
}

// named records an average of a mixture so that it can be exported by name.
func (c *compiler) named(r recipe, m mixture) recipe {
	c.plan.recipes[r.name] = r
	c.plan.alias(strings.TrimSuffix(r.name, m.name())+m.numbered(), r.name)
	return r
}

// inDomain adds a scorer's score on the test documents of the mixture's partitions.
func (b *board) inDomain(m mixture, s scorer) {
	score := kind.Score{Group: m.group, Mixture: m.name(), Scorer: s.name, Set: InDomain}
	seen := map[string]bool{}
	for _, x := range m.components {
		p := x.part
		if seen[p.name] { // two units of one partition share a domain
			continue
		}
		seen[p.name] = true
		test := Input{Role: "tokens", Step: p.split, Output: kind.TestOutput(p.name)}
		var tables []int
		models := s.everywhere
		if s.ownDomain {
			models = b.ownUnits(m, p)
		}
		for _, r := range models {
			tables = append(tables, b.eval(r, "test/"+p.set+"/"+p.name, test))
		}
		score.Losses = append(score.Losses, tables)
	}
	b.scores = append(b.scores, score)
}

// ownUnits are the unit models of the mixture that were trained on partition p.
func (b *board) ownUnits(m mixture, p part) []recipe {
	var out []recipe
	for _, x := range m.components {
		if x.part.name == p.name {
			for _, u := range x.unitNumbers() {
				out = append(out, single(unitName(p, u), b.c.unitModel(p, u)))
			}
		}
	}
	return out
}

// evaluation is a recipe on a set, by their names.
type evaluation struct{ recipe, set string }

// eval adds the evaluation of a recipe on a set, once, and returns its number among the losses.
func (b *board) eval(r recipe, set string, tokens Input) int {
	asked := evaluation{r.name, set}
	if n, ok := b.c.evaluated[asked]; ok {
		return n
	}
	params := kind.EvalParams{Model: b.c.model(), Documents: int64(b.c.study.Eval.Documents), Tokens: int64(b.c.study.Eval.Tokens), EOS: b.c.eos}
	var inputs []Input
	inputs, params.Weights = r.inputs()
	i := b.c.add(&Step{ID: "eval/" + r.name + "/" + set, Kind: kind.Eval, Params: canonical(params), Inputs: append(inputs, tokens)})
	n, ok := b.number[i]
	if !ok { // else the same work was asked for by another name
		n = len(b.losses)
		b.number[i] = n
		b.losses = append(b.losses, Input{Role: kind.Role("losses", n), Step: i, Output: kind.OutLosses})
	}
	b.c.evaluated[asked] = n
	return n
}

// correlate adds the comparison of proxies with references.
func (c *compiler) correlate(b *board) int {
	sets := slices.Clone(c.evalSets)
	if c.study.Eval.InDomain == "mixture" {
		sets = append([]string{InDomain}, sets...)
	}
	k := c.study.Correlate
	return c.add(&Step{
		ID: "correlate", Kind: kind.Correlate,
		Params: canonical(kind.CorrelateParams{
			Scores: b.scores, Sets: sets, Proxies: c.study.Proxies, Resamples: k.Resamples, Level: float64(k.Level), Seed: k.Seed,
		}),
		Inputs: b.losses,
	})
}
