package pipeline

import (
	"fmt"
	"math/big"
	"slices"

	"ablate/stages/kind"
)

// models adds the training of units, partitions and references, every evaluation and the comparison. The catalogue is known.
func (c *compiler) models() error {
	mixtures, err := c.mixtures()
	if err != nil {
		return err
	}
	b := &board{c: c, number: map[int]int{}}
	for _, s := range c.sets {
		for _, p := range s.parts {
			for u := range p.units {
				i := c.unitModel(p, u)
				c.plan.Units = append(c.plan.Units, Model{unitName(p, u), "unit", i})
				c.plan.Summary.TokensUnits += c.plan.Steps[i].Cost.Tokens
			}
		}
	}
	for _, m := range mixtures {
		c.plan.Mixtures = append(c.plan.Mixtures, c.reference(m))
		b.mixture(m)
	}
	c.plan.Result = c.correlate(b)
	return nil
}

// reference describes a mixture and what its reference model is or would be.
func (c *compiler) reference(m mixture) MixtureRef {
	ref := MixtureRef{
		Group: m.group, Name: m.name(), Reference: slices.Contains(c.study.Reference.Seq, m.group),
		Tokens: wholeBatches(int64(m.units())*int64(c.study.Train.TokensPerUnit), int64(c.study.Train.Batch)),
	}
	for _, x := range m.components {
		if n := len(ref.Partitions); n > 0 && ref.Partitions[n-1] == x.part.name {
			ref.UnitsOf[n-1] += x.units()
			continue
		}
		ref.Partitions, ref.UnitsOf = append(ref.Partitions, x.part.name), append(ref.UnitsOf, x.units())
	}
	return ref
}

// listModels fills the plan's list of trained models.
func (c *compiler) listModels() {
	roles := map[string]string{"seed": "seed", "unit": "unit", "part": "partition", "seq": "reference"}
	for i, s := range c.plan.Steps {
		if s.Kind != kind.Train {
			continue
		}
		role := roles[firstSegment(s.ID)]
		c.plan.Models = append(c.plan.Models, Model{s.ID, role, i})
		switch role {
		case "seed":
			c.plan.Summary.TokensSeed += s.Cost.Tokens
		case "partition":
			c.plan.Summary.TokensPartitions += s.Cost.Tokens
		case "reference":
			c.plan.Summary.TokensReference += s.Cost.Tokens
		}
	}
}

func (c *compiler) model() kind.Model {
	m := c.study.Model
	return kind.Model{
		Vocab: max(m.Vocab, c.vocab), DModel: m.DModel, Layers: m.Layers, Heads: m.Heads, Context: m.Context,
		Block: m.Block, Norm: m.Norm, NormBias: m.NormBias, NormEps: m.NormEps, LinearBias: m.LinearBias, QKNorm: m.QKNorm,
		MLP: m.MLP, MLPHidden: m.MLPHidden, AttentionOutput: m.AttentionOutput, TiedHead: m.TiedHead,
		RopeBase: m.RopeBase, Rotary: float64(m.Rotary), InitStd: m.InitStd,
	}
}

// seedModel adds the training of the common start and returns its step, or -1 where the study has none.
func (c *compiler) seedModel() int {
	s := c.study.SeedModel
	if s == nil {
		return -1
	}
	o := c.study.Optimizer
	pack, _ := c.plan.Find("pack/" + s.On)
	return c.add(&Step{
		ID: "seed", Kind: kind.Train,
		Params: canonical(kind.TrainParams{
			Model: c.model(),
			Optimizer: kind.Optimizer{
				Beta1: o.Beta1, Beta2: o.Beta2, Eps: o.Eps, WeightDecay: o.WeightDecay, Clip: o.Clip,
				LR: s.LR, Warmup: float64(s.Warmup), Schedule: s.Schedule, FinalLR: finalLR(s.Schedule, s.FinalLR),
			},
			Tokens: wholeBatches(int64(s.Tokens), int64(s.Batch)), Batch: int64(s.Batch), Sampling: "equal", Seed: s.Seed,
			Start: "random", Moments: c.study.Train.OptimizerState == "keep", Precision: precision(s.Precision),
		}),
		Inputs: []Input{{Role: kind.Role("unit", 0), Step: pack, Output: kind.UnitOutput("all", 0)}},
		Cost:   Cost{Tokens: wholeBatches(int64(s.Tokens), int64(s.Batch))},
	})
}

// train adds the training of one model on the given units, for tokens_per_unit tokens each.
func (c *compiler) train(id string, units []Input) int {
	if i, ok := c.trained[id]; ok {
		return i
	}
	t, o := c.study.Train, c.study.Optimizer
	params := kind.TrainParams{
		Model: c.model(),
		Optimizer: kind.Optimizer{
			Beta1: o.Beta1, Beta2: o.Beta2, Eps: o.Eps, WeightDecay: o.WeightDecay, Clip: o.Clip,
			LR: t.LR, Warmup: float64(t.Warmup), Schedule: t.Schedule, FinalLR: finalLR(t.Schedule, t.FinalLR),
		},
		Tokens: wholeBatches(int64(len(units))*int64(t.TokensPerUnit), int64(t.Batch)), Batch: int64(t.Batch),
		Sampling: t.Sampling, Seed: t.Seed, Start: "random", Precision: precision(t.Precision),
	}
	if len(units) == 1 {
		params.Sampling = "equal" // the same thing, and so the same key
	}
	inputs := slices.Clone(units)
	if c.seed >= 0 {
		params.Start = "model"
		inputs = append(inputs, Input{Role: "start", Step: c.seed, Output: kind.OutModel})
		if t.OptimizerState == "keep" {
			params.Start = "state"
			inputs = append(inputs, Input{Role: "moments", Step: c.seed, Output: kind.OutOptimizer})
		}
	}
	i := c.add(&Step{ID: id, Kind: kind.Train, Params: canonical(params), Inputs: inputs, Cost: Cost{Tokens: params.Tokens}})
	c.trained[id] = i
	return i
}

// precision is what enters the key: nothing for fp32, the only one there was at first.
func precision(word string) string {
	if word == "fp32" {
		return ""
	}
	return word
}

// finalLR is what enters the key: a constant schedule has no final rate.
func finalLR(schedule string, lr float64) float64 {
	if schedule == "constant" {
		return 0
	}
	return lr
}

func wholeBatches(tokens, batch int64) int64 { return (tokens + batch - 1) / batch * batch }

// unitInput is the token file of one unit as the i-th unit of a training.
func unitInput(p part, u, i int) Input {
	return Input{Role: kind.Role("unit", i), Step: p.split, Output: kind.UnitOutput(p.name, u)}
}

func (c *compiler) unitModel(p part, u int) int {
	c.plan.alias("unit/"+p.set+"/"+p.numbered(u), unitName(p, u))
	return c.train(unitName(p, u), []Input{unitInput(p, u, 0)})
}

// componentModel is the model trained on a whole component: the unit model where the component is one unit, else the reference model of
// the partition.
func (c *compiler) componentModel(x component) int {
	if x.unit >= 0 {
		return c.unitModel(x.part, x.unit)
	}
	if x.part.units == 1 {
		return c.unitModel(x.part, 0)
	}
	return c.train(fmt.Sprintf("part/%s/%s", x.part.set, x.part.name), unitInputs([]component{x}))
}

func unitInputs(components []component) []Input {
	var in []Input
	for _, x := range components {
		for _, u := range x.unitNumbers() {
			in = append(in, unitInput(x.part, u, len(in)))
		}
	}
	return in
}

func (c component) unitNumbers() []int {
	if c.unit >= 0 {
		return []int{c.unit}
	}
	out := make([]int, c.part.units)
	for i := range out {
		out[i] = i
	}
	return out
}

// micro is the mean over all units of the mixture; macro the mean per component, then over components; merged the mean over the
// components' own models (paper, sections 5.0.1 and 5.2).
func (c *compiler) micro(m mixture) recipe {
	r := recipe{name: "micro/" + m.group + "/" + m.name()}
	n := int64(m.units())
	for _, x := range m.components {
		for _, u := range x.unitNumbers() {
			r.models, r.weights = append(r.models, c.unitModel(x.part, u)), append(r.weights, big.NewRat(1, n))
		}
	}
	return r
}

func (c *compiler) macro(m mixture) recipe {
	r := recipe{name: "macro/" + m.group + "/" + m.name()}
	k := int64(len(m.components))
	for _, x := range m.components {
		for _, u := range x.unitNumbers() {
			r.models, r.weights = append(r.models, c.unitModel(x.part, u)), append(r.weights, big.NewRat(1, k*int64(x.units())))
		}
	}
	return r
}

func (c *compiler) merged(m mixture) recipe {
	r := recipe{name: "merged/" + m.group + "/" + m.name()}
	for _, x := range m.components {
		r.models, r.weights = append(r.models, c.componentModel(x)), append(r.weights, big.NewRat(1, int64(len(m.components))))
	}
	return r
}
