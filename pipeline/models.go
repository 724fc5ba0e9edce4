package pipeline

import (
	"errors"
	"slices"

	"ablate/specs/ident"
	"ablate/stages/kind"
)

// models adds the training of units, partitions and references, every evaluation and the
// comparison. The catalogue is known.
func (c *compiler) models() error {
	mixtures, within, err := c.mixtures()
	if err != nil {
		return err
	}
	if err := c.giveWeights(within); err != nil {
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
			c.plan.Units = append(c.plan.Units, Model{ident.Replicate(unitName(x.part, x.unit), r), kind.RoleUnit, i})
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

// baseUnits are the units of some components, each once, in their order: what must be trained for a
// proxy of every mixture of them.
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
		MixtureSet: m.group, Name: m.name(), Reference: slices.Contains(c.study.Reference.Seq, m.group),
		Tokens: wholeBatches(m.asked(c.reference), int64(c.reference.train.Batch)),
	}
	var last partKey
	for i, x := range m.components { // units of a partition stand together
		of := ComponentRef{x.name(), x.part.set, x.part.name, x.unit, x.units(), nil}
		if m.shares != nil {
			of.Share = m.shares[i]
		}
		ref.Components = append(ref.Components, of)
		if n := len(ref.Partitions); n > 0 && last == x.part.key() {
			ref.UnitsOf[n-1] += x.units()
			continue
		}
		last = x.part.key()
		ref.Partitions, ref.UnitsOf = append(ref.Partitions, x.part.shown()), append(ref.UnitsOf, x.units())
	}
	return ref
}

// listModels fills the plan's list of trained models and adds up what is not known from the
// mixtures.
func (c *compiler) listModels() {
	sum := &c.plan.Summary
	for i, s := range c.plan.Steps {
		if s.Kind != kind.Train {
			continue
		}
		role := s.About.Role
		c.plan.Models = append(c.plan.Models, Model{s.ID, role, i})
		switch role {
		case kind.RoleSeed:
			sum.Seed.add(s.Cost)
		case kind.RolePartition:
			sum.Partitions.add(s.Cost)
		case kind.RoleSmall:
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

// unitInput is the token file of one unit as the i-th unit of a training.
func unitInput(p part, u, i int) Input {
	return Input{Role: kind.Role("unit", i), Step: p.split, Output: kind.UnitOutput(p.name, u)}
}

func (c *compiler) unitModel(p part, u, replicate int) int {
	name, about := unitName(p, u), About{Role: kind.RoleUnit, PartitionSet: p.set, Partition: p.name, Unit: u}
	c.plan.alias(ident.Replicate("unit/"+p.set+"/"+p.numbered(u), replicate), ident.Replicate(name, replicate))
	return c.train(c.own, name, about, text{name: component{p, u}.name(), units: []Input{unitInput(p, u, 0)}}, int64(c.own.train.TokensPerUnit), replicate)
}

// componentModel is the model trained on a whole component: the unit model where the component is
// one unit, else the reference model of the partition.
func (c *compiler) componentModel(x component, replicate int) int {
	if x.unit >= 0 {
		return c.unitModel(x.part, x.unit, replicate)
	}
	if x.part.units == 1 {
		return c.unitModel(x.part, 0, replicate)
	}
	tokens := int64(x.part.units) * int64(c.own.train.TokensPerUnit)
	about := About{Role: kind.RolePartition, PartitionSet: x.part.set, Partition: x.part.name}
	return c.train(c.own, componentName(x), about, text{name: x.name(), units: unitInputs([]component{x})}, tokens, replicate)
}

func componentName(x component) string { return "part/" + x.part.set + "/" + x.part.text }

// sequential is the model trained on a mixture itself at some scale, as a reference or as one that
// is small.
func (c *compiler) sequential(sc *scale, role string, m mixture, replicate int) recipe {
	word := map[string]string{kind.RoleReference: "seq", kind.RoleSmall: "small"}[role]
	name, about := m.named(word, 0), About{Role: role, MixtureSet: m.group, Mixture: m.name()}
	c.aliased(word, m, replicate)
	r := single(word, m.named(word, replicate), c.train(sc, name, about, m.text(), m.asked(sc), replicate))
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
