package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"ablate/specs"
	"ablate/stages/kind"
)

// board collects the scores of a study and the loss tables they are made of.
type board struct {
	c      *compiler
	losses []Input
	number map[int]int // eval step -> number among the losses inputs
	scores []kind.Score
	shares []kind.MixtureShares

	trained map[int]bool // models that a reference is already
}

// mixture adds every score of one mixture: each proxy, and the reference model where the study asks
// for one, on every evaluation set.
func (b *board) mixture(m mixture) {
	c := b.c
	var scorers []scorer
	if of := m.described(); of != nil {
		b.shares = append(b.shares, kind.MixtureShares{Group: m.group, Mixture: m.name(), Shares: of})
	}
	for _, proxy := range c.study.Proxies {
		if m.shares != nil && !specs.TakesShares(proxy) {
			continue
		}
		scorers = append(scorers, c.proxy(proxy, m))
	}
	if slices.Contains(c.study.Reference.Seq, m.group) {
		scorers = append(scorers, b.references(m)...)
	}
	for _, s := range scorers {
		b.score(m, s)
	}
}

// references are the scorers of a mixture's reference models: their mean and, where there are
// several, each alone, for how far they differ is what no proxy can predict.
func (b *board) references(m mixture) []scorer {
	c := b.c
	seq := scorer{name: "seq"}
	for r := range c.study.Reference.Replicates {
		model := c.sequential(c.reference, kind.RoleReference, m, r)
		i := model.models[0]
		step, sum := c.plan.Steps[i], &c.plan.Summary
		sum.References.add(step.Cost)
		if b.trained[i] || step.About.Role != kind.RoleReference {
			sum.Shared.add(step.Cost)
		}
		b.trained[i] = true
		seq.everywhere = append(seq.everywhere, model)
	}
	all := []scorer{seq}
	if len(seq.everywhere) > 1 {
		for r, model := range seq.everywhere {
			all = append(all, scorer{name: fmt.Sprintf("%s@%d", seq.name, r+1), everywhere: []recipe{model}})
		}
	}
	return all
}

// score adds the scores of one scorer of a mixture on every evaluation set.
func (b *board) score(m mixture, s scorer) {
	c := b.c
	if c.study.Eval.InDomain == "mixture" {
		b.inDomain(m, s)
	}
	if s.own != nil {
		return
	}
	for i, set := range c.evalSets {
		b.begin(m, s, set)
		b.domain(set, s.everywhere, set, About{EvalSet: set}, Input{Role: "tokens", Step: c.evals[i], Output: kind.OutTokens})
	}
}

// inDomain adds a scorer's score on the test documents of the mixture's partitions.
func (b *board) inDomain(m mixture, s scorer) {
	b.begin(m, s, kind.InDomain)
	seen := map[partKey]bool{}
	for _, x := range m.components {
		p := x.part
		if seen[p.key()] { // two units of one partition share a domain
			continue
		}
		seen[p.key()] = true
		test := Input{Role: "tokens", Step: p.split, Output: kind.TestOutput(p.name)}
		models := s.everywhere
		if s.own != nil {
			models = s.own(p)
		}
		b.domain(p.shown(), models, "test/"+p.set+"/"+p.text, About{PartitionSet: p.set, Partition: p.name}, test)
	}
}

// begin adds a score without domains.
func (b *board) begin(m mixture, s scorer, set string) {
	b.scores = append(b.scores, kind.Score{Group: m.group, Mixture: m.name(), Scorer: s.name, Set: set})
	b.c.plan.Scores = append(b.c.plan.Scores, ScoreRef{MixtureSet: m.group, Mixture: m.name(), Scorer: s.name, Set: set})
}

// domain adds a domain to the last score: the evaluations of models on the tokens of a set.
func (b *board) domain(name string, models []recipe, set string, about About, tokens Input) {
	var tables []int
	d := DomainRef{Name: name}
	for _, r := range models {
		n := b.eval(r, set, about, tokens)
		tables = append(tables, n)
		d.Evals = append(d.Evals, EvalRef{r.name, b.losses[n].Step})
	}
	score, ref := &b.scores[len(b.scores)-1], &b.c.plan.Scores[len(b.c.plan.Scores)-1]
	score.Losses, ref.Domains = append(score.Losses, tables), append(ref.Domains, d)
}

// evaluation is a recipe on a set, by their names.
type evaluation struct{ recipe, set string }

// ensembleWith is what the parameters of ensembles of a study differ in: their weights.
type ensembleWith string

// evalWith is what the parameters of evaluations of a study differ in.
type evalWith struct {
	scale   *scale
	weights string
}

// eval adds the evaluation of a recipe on a set, once, and returns the number of its table among
// those that scores are made of.
func (b *board) eval(r recipe, set string, about About, tokens Input) int {
	i := b.evaluation(r, set, about, tokens)
	n, ok := b.number[i]
	if !ok { // else the same work was asked for by another name
		n = len(b.losses)
		b.number[i] = n
		b.losses = append(b.losses, Input{Role: kind.Role("losses", n), Step: i, Output: kind.OutLosses})
	}
	return n
}

// evaluation adds the step that evaluates a recipe on a set, once, and returns its number.
func (b *board) evaluation(r recipe, set string, about About, tokens Input) int {
	asked := evaluation{r.name, set}
	i, ok := b.c.evaluated[asked]
	if !ok {
		about.Scores = r.word
		add := b.c.evaluate
		if r.members != nil {
			add = b.ensemble
		}
		i = add(r, set, about, tokens)
		b.c.evaluated[asked] = i
	}
	return i
}

// evaluate adds the evaluation of a model, or of an average of models, on a set.
func (c *compiler) evaluate(r recipe, set string, about About, tokens Input) int {
	inputs, weights := r.inputs()
	documents := int64(c.study.Eval.Documents)
	params := c.sharedParams(evalWith{c.scaleOf(r), strings.Join(weights, " ")}, func() any {
		return kind.EvalParams{Model: c.scaleOf(r).model, Recipe: kind.Recipe{Weights: weights}, Documents: documents, Tokens: int64(c.study.Eval.Tokens), EOS: c.eos}
	})
	return c.add(&Step{ID: "eval/" + r.name + "/" + set, About: about, Kind: kind.Eval, Params: params, Inputs: append(inputs, tokens), Cost: Cost{Disk: c.plan.losses.disk(c.length(tokens))}})
}

// ensemble adds the mixture of the probabilities that a recipe's members give to a set. Its inputs
// are the losses that evaluations of the members leave.
func (b *board) ensemble(r recipe, set string, about About, tokens Input) int {
	c := b.c
	evals := map[int]int{} // by model
	for _, member := range r.members {
		evals[member.models[0]] = b.evaluation(member, set, about, tokens)
	}
	inputs, weights := r.gathered(func(model, n int) Input {
		return Input{Role: kind.Role("losses", n), Step: evals[model], Output: kind.OutLosses}
	})
	params := c.sharedParams(ensembleWith(strings.Join(weights, " ")), func() any {
		return kind.EnsembleParams{Recipe: kind.Recipe{Weights: weights}}
	})
	return c.add(&Step{ID: "ensemble/" + r.name + "/" + set, About: about, Kind: kind.Ensemble, Params: params, Inputs: inputs, Cost: Cost{Disk: c.plan.losses.disk(c.length(tokens))}})
}

// losses is what a study says of evaluations, as far as the size of their tables depends on it.
type losses struct {
	documents, tokens int64 // the most of a domain; tokens 0: no bound
	tokenBytes        int64
}

// disk estimates a table of losses in bytes. Tables of 31 and 300 documents with short identities
// took 2.4 and 5.1 kB; identities that are digests take more. tokens is the length of the text, or
// below 0 where nobody knows; then the text is taken to have as many documents as the study
// evaluates at most.
func (l losses) disk(tokens int64) int64 {
	const perDocument = 200 // an abstract or a short page
	documents := l.documents
	if l.tokens > 0 && (tokens < 0 || l.tokens < tokens) {
		tokens = l.tokens
	}
	if tokens >= 0 {
		documents = min(documents, tokens/perDocument+1)
	}
	return 2000 + 20*documents
}

// length is textLength, worked out once for each step that leaves texts: many evaluations read one.
func (c *compiler) length(text Input) int64 {
	n, ok := c.lengths[text.Step]
	if !ok {
		n = c.textLength(text.Step)
		c.lengths[text.Step] = n
	}
	return n
}

// textLength estimates the tokens of each text that models are evaluated on from the raw files, of
// which 4 bytes are taken for a token; below 0 where they are not there.
func (c *compiler) textLength(step int) int64 {
	const perToken = 4 // bytes of English
	from := c.plan.Steps[step]
	if from.Kind == kind.Tokenize {
		return known(from.Cost.Bytes) / perToken
	}
	for _, set := range c.partitionSets {
		if set.split == step && len(set.parts) > 0 {
			var bytes int64
			for _, s := range c.shards[c.study.Partitions[set.name].Corpus] {
				bytes += c.plan.Steps[s].Cost.Bytes
			}
			return known(int64(float64(c.study.Heldout.Test)*float64(bytes))/int64(len(set.parts))) / perToken
		}
	}
	return -1
}

// known is a size, or below 0 where it is 0 since the files are not there.
func known(bytes int64) int64 {
	if bytes == 0 {
		return -4
	}
	return bytes
}

// scaleOf is the scale of a recipe's models.
func (c *compiler) scaleOf(r recipe) *scale {
	if r.scale != nil {
		return r.scale
	}
	return c.own
}

// correlate adds the comparison of proxies with references.
func (c *compiler) correlate(b *board) int {
	sets := slices.Clone(c.evalSets)
	if c.study.Eval.InDomain == "mixture" {
		sets = append([]string{kind.InDomain}, sets...)
	}
	k := c.study.Correlate
	return c.add(&Step{
		ID: "correlate", Kind: kind.Correlate,
		Params: canonical(kind.CorrelateParams{
			Scores: b.scores, Sets: sets, Proxies: c.study.Proxies, Resamples: k.Resamples, Level: float64(k.Level), Seed: k.Seed, Shares: b.shares,
		}),
		Inputs: b.losses,
	})
}
