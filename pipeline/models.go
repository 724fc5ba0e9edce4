package pipeline

import (
	"errors"
	"fmt"
	"slices"

	"ablate/stages/kind"
)

// models adds the training of units, partitions and references, every evaluation and the comparison. The catalogue is known.
func (c *compiler) models() error {
	mixtures, within, err := c.mixtures()
	if err != nil {
		return err
	}
	if err := c.checkWeights(within); err != nil {
		return err
	}
	if err := errors.Join(c.checkUnits(within, c.own, "model"), c.checkTrainings(mixtures)); err != nil {
		return err
	}
	chosen := map[componentKey]bool{}
	for _, m := range mixtures {
		for _, x := range baseUnits(m.components) {
			chosen[x.key()] = true
		}
	}
	b := &board{c: c, number: map[int]int{}, trained: map[int]bool{}}
	sum := &c.plan.Summary
	for _, x := range baseUnits(within) {
		sum.BaseUnits++
		for r := range c.study.Train.Replicates {
			i := c.unitModel(x.part, x.unit, r)
			c.plan.Units = append(c.plan.Units, Model{unitName(x.part, x.unit) + replicateSuffix(r), "unit", i})
			sum.Units.add(c.plan.Steps[i].Cost)
			if chosen[x.key()] {
				sum.Selected.add(c.plan.Steps[i].Cost)
			}
		}
	}
	for _, m := range mixtures {
		c.plan.Mixtures = append(c.plan.Mixtures, c.describe(m))
		b.mixture(m)
	}
	c.plan.Result = c.correlate(b)
	return nil
}

// baseUnits are the units of some components, each once, in their order: what must be trained for a proxy of every mixture of them.
func baseUnits(within []component) []component {
	seen := map[componentKey]bool{}
	var out []component
	for _, x := range within {
		for _, u := range x.unitNumbers() {
			if unit := (component{x.part, u}); !seen[unit.key()] {
				seen[unit.key()] = true
				out = append(out, unit)
			}
		}
	}
	slices.SortFunc(out, component.compare)
	return out
}

// describe says of a mixture what it is and what its reference model is or would be.
func (c *compiler) describe(m mixture) MixtureRef {
	ref := MixtureRef{
		Group: m.group, Name: m.name(), Reference: slices.Contains(c.study.Reference.Seq, m.group),
		Tokens: wholeBatches(m.asked(c.reference), int64(c.reference.train.Batch)),
	}
	for _, x := range m.components {
		if n := len(ref.Partitions); n > 0 && ref.Partitions[n-1] == x.part.label {
			ref.UnitsOf[n-1] += x.units()
			continue
		}
		ref.Partitions, ref.UnitsOf = append(ref.Partitions, x.part.label), append(ref.UnitsOf, x.units())
	}
	return ref
}

// roles are the roles of trained models by the first part of their names.
var roles = map[string]string{"seed": "seed", "unit": "unit", "part": "partition", "seq": "reference", "small": "small"}

// listModels fills the plan's list of trained models and adds up what is not known from the mixtures.
func (c *compiler) listModels() {
	sum := &c.plan.Summary
	for i, s := range c.plan.Steps {
		if s.Kind != kind.Train {
			continue
		}
		role := roles[firstSegment(s.ID)]
		c.plan.Models = append(c.plan.Models, Model{s.ID, role, i})
		switch role {
		case "seed":
			sum.Seed.add(s.Cost)
		case "partition":
			sum.Partitions.add(s.Cost)
		case "small":
			sum.Small.add(s.Cost)
		}
	}
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

// replicateSuffix ends the name of the r-th model of a kind, counted from 0: the first has none, the second is @2.
func replicateSuffix(r int) string {
	if r == 0 {
		return ""
	}
	return fmt.Sprintf("@%d", r+1)
}

// unitInput is the token file of one unit as the i-th unit of a training.
func unitInput(p part, u, i int) Input {
	return Input{Role: kind.Role("unit", i), Step: p.split, Output: kind.UnitOutput(p.name, u)}
}

func (c *compiler) unitModel(p part, u, replicate int) int {
	c.plan.alias("unit/"+p.set+"/"+p.numbered(u)+replicateSuffix(replicate), unitName(p, u)+replicateSuffix(replicate))
	return c.train(c.own, unitName(p, u), []Input{unitInput(p, u, 0)}, int64(c.own.train.TokensPerUnit), replicate)
}

// componentModel is the model trained on a whole component: the unit model where the component is one unit, else the reference model of
// the partition.
func (c *compiler) componentModel(x component, replicate int) int {
	if x.unit >= 0 {
		return c.unitModel(x.part, x.unit, replicate)
	}
	if x.part.units == 1 {
		return c.unitModel(x.part, 0, replicate)
	}
	tokens := int64(x.part.units) * int64(c.own.train.TokensPerUnit)
	return c.train(c.own, componentName(x), unitInputs([]component{x}), tokens, replicate)
}

func componentName(x component) string { return fmt.Sprintf("part/%s/%s", x.part.set, x.part.name) }

// sequential is the model trained on a mixture itself at some scale.
func (c *compiler) sequential(sc *scale, role string, m mixture, replicate int) recipe {
	name := role + "/" + m.group + "/" + m.name()
	c.plan.alias(role+"/"+m.group+"/"+m.numbered()+replicateSuffix(replicate), name+replicateSuffix(replicate))
	r := single(name, c.train(sc, name, unitInputs(m.components), m.asked(sc), replicate))
	r.name += replicateSuffix(replicate)
	r.scale = sc
	return r
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
