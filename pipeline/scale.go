package pipeline

import (
	"fmt"
	"slices"

	"ablate/specs"
	"ablate/specs/arch"
	"ablate/specs/ident"
	"ablate/stages/kind"
)

// scale is a size of model and how models of it are trained. Most studies have one; where
// reference.model is given, the references have another, with a seed model of its own.
type scale struct {
	name     string     // "" or "reference"; part of the seed model's name
	model    arch.Model // with a row for each id of the tokenizer
	train    specs.Train
	seed     int     // seed model's train step, -1 without one
	perToken float64 // hours for a token
	params   int64   // of one model
}

// scales settles the sizes of the study's models and adds their seed models.
func (c *compiler) scales() {
	st := c.study
	c.own = c.scale("", st.Model, st.Train, st.SeedModel, st.Cost.HoursPerBillionTokens)
	c.reference = c.own
	r := st.Reference
	if r.Model == nil {
		return
	}
	train, seed := st.Train, st.SeedModel
	if r.Train != nil {
		train = *r.Train
		if train.Replay == nil {
			train.Replay = st.Train.Replay
		}
	}
	if r.SeedModel != nil {
		seed = r.SeedModel
	}
	price := st.Cost.ReferenceHours
	if price == 0 {
		all, _ := r.Model.WithVocab(c.vocab).Parameters()
		price = st.Cost.HoursPerBillionTokens * float64(all) / float64(c.own.params)
	}
	c.reference = c.scale("reference", *r.Model, train, seed, price)
}

func (c *compiler) scale(name string, model specs.Model, train specs.Train, seed *specs.SeedModel, hoursPerBillion float64) *scale {
	s := &scale{name: name, model: model.WithVocab(c.vocab), train: train, seed: -1, perToken: hoursPerBillion / 1e9}
	s.params, _ = s.model.Parameters()
	if seed != nil {
		s.seed = c.seedModel(s, *seed)
	}
	return s
}

// cost is what training a model takes that was asked for with so many tokens. A parameter is kept
// as a float32, and each of its two moments as another.
func (s *scale) cost(asked, batch int64, moments bool) Cost {
	floats := s.params
	if moments {
		floats *= 3
	}
	return Cost{Tokens: wholeBatches(asked, batch), Asked: asked, Hours: s.hours(asked), Parameters: s.params, Disk: 4 * floats}
}

func (s *scale) hours(tokens int64) float64 { return s.perToken * float64(tokens) }

// seedModel adds the training of a common start and returns its step.
func (c *compiler) seedModel(sc *scale, s specs.SeedModel) int {
	id := "seed"
	if sc.name != "" {
		id = "seed/" + sc.name
	}
	o := c.study.Optimizer
	keep := sc.train.OptimizerState == "keep"
	cost := sc.cost(int64(s.Tokens), int64(s.Batch), keep)
	pack := c.pack(s.On)
	return c.add(&Step{
		ID: id, About: About{Role: kind.RoleSeed}, Kind: kind.Train,
		Params: canonical(kind.TrainParams{
			Model: sc.model,
			Optimizer: kind.Optimizer{
				Beta1: o.Beta1, Beta2: o.Beta2, Eps: o.Eps, WeightDecay: o.WeightDecay, Clip: o.Clip,
				LR: s.LR, Warmup: float64(s.Warmup), Schedule: s.Schedule, FinalLR: finalLR(s.Schedule, s.FinalLR),
			},
			Tokens: cost.Tokens, Batch: int64(s.Batch), Sampling: "equal", Seed: s.Seed,
			Start: "random", Moments: keep, Precision: precision(s.Precision),
		}),
		Inputs: []Input{{Role: kind.Role("unit", 0), Step: pack, Output: kind.UnitOutput("all", 0)}},
		Cost:   cost,
	})
}

// text is what a model is trained on.
type text struct {
	name    string // of all of it
	units   []Input
	sources []kind.Source // with the units of each; nil: the units are drawn by train.sampling
	names   []string      // of the sources
}

func (t text) equal(other text) bool {
	return slices.Equal(t.units, other.units) && slices.Equal(t.sources, other.sources)
}

// trainWith is what the parameters of trainings of a study differ in. Those of its parameters that
// cannot be compared are in it as text.
type trainWith struct {
	scale             *scale
	tokens, replicate int64
	sampling, sources string
}

// train adds the training of one model of a scale on the given text, for so many tokens;
// replicates, counted from 0, differ in the seed.
func (c *compiler) train(sc *scale, id string, about About, read text, tokens int64, replicate int) int {
	id, about.Replicate = ident.Replicate(id, replicate), replicate
	if t, ok := c.trained[id]; ok {
		if !t.text.equal(read) || t.tokens != tokens || t.scale != sc {
			c.twice(id, &Step{ID: id, About: about, Kind: kind.Train}, c.plan.Steps[t.step])
		}
		return t.step
	}
	t, o := sc.train, c.study.Optimizer
	asked := read
	read = c.withReplay(read, t)
	cost := sc.cost(tokens, int64(t.Batch), false)
	params := kind.TrainParams{
		Model: sc.model,
		Optimizer: kind.Optimizer{
			Beta1: o.Beta1, Beta2: o.Beta2, Eps: o.Eps, WeightDecay: o.WeightDecay, Clip: o.Clip,
			LR: t.LR, Warmup: float64(t.Warmup), Schedule: t.Schedule, FinalLR: finalLR(t.Schedule, t.FinalLR),
		},
		Tokens: cost.Tokens, Batch: int64(t.Batch),
		Sampling: t.Sampling, Seed: t.Seed + int64(replicate), Start: "random", Precision: precision(t.Precision),
	}
	if len(read.units) == 1 {
		params.Sampling = "equal" // the same thing, and so the same key
	}
	if read.sources != nil {
		params.Sampling, params.Sources = "", read.sources
	}
	inputs := slices.Clip(read.units)
	if sc.seed >= 0 {
		params.Start = "model"
		inputs = append(inputs, Input{Role: "start", Step: sc.seed, Output: kind.OutModel})
		if t.OptimizerState == "keep" {
			params.Start = "state"
			inputs = append(inputs, Input{Role: "moments", Step: sc.seed, Output: kind.OutOptimizer})
		}
	}
	with := trainWith{sc, params.Tokens, int64(replicate), params.Sampling, fmt.Sprint(params.Sources)}
	i := c.add(&Step{ID: id, About: about, Kind: kind.Train, Params: c.sharedParams(with, func() any { return params }), Inputs: inputs, Cost: cost})
	c.trained[id] = trained{i, sc, asked, tokens}
	if _, ok := c.plan.sources[i]; !ok && read.sources != nil {
		c.plan.sources[i] = read.names
	}
	c.plan.alias(id, c.plan.Steps[i].ID) // the same training may have been wanted for something else first
	return i
}

// trained is a training and what it was asked for.
type trained struct {
	step   int
	scale  *scale
	text   text
	tokens int64
}
