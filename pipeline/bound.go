package pipeline

import (
	"math/big"

	"ablate/specs"
)

// A plan is held in memory whole, so its size is bounded before it is made. The bounds are the same
// on every machine: a study that one person can plan, another can audit.
const (
	// mostSteps is the largest number of steps of a plan. A step takes some 8 KB (101,033 steps
	// took 0.84 GB), so that as many take 4 GB.
	mostSteps = 500_000
	// mostInputs is the largest number of inputs of all steps together: each takes 64 bytes, and a
	// merge has one for every unit.
	mostInputs = 30_000_000
)

// size is how large a plan may become: an upper bound, in steps and in inputs of steps.
type size struct{ steps, inputs *big.Int }

func newSize() size { return size{new(big.Int), new(big.Int)} }

// add counts steps of so many inputs each.
func (s size) add(steps, inputs *big.Int) {
	s.steps.Add(s.steps, steps)
	s.inputs.Add(s.inputs, new(big.Int).Mul(steps, inputs))
}

func (s size) fits() bool {
	return s.steps.Cmp(big.NewInt(mostSteps)) <= 0 && s.inputs.Cmp(big.NewInt(mostInputs)) <= 0
}

// tooLarge is the mistake of a study whose plan would not fit, at the set of mixtures or partitions
// that is to blame.
func (c *compiler) tooLarge(path []string, s size) specs.Error {
	return c.study.Errorf(path, "the plan would have up to %s steps with %s inputs, and a plan may have at most %s steps and %s inputs: use fewer mixtures (sample), larger units, fewer proxies or fewer evaluation sets",
		specs.Thousands(s.steps), specs.Thousands(s.inputs), specs.Thousands(big.NewInt(mostSteps)), specs.Thousands(big.NewInt(mostInputs)))
}

// boundUnits refuses a set of partitions with more units than a plan can train.
func (c *compiler) boundUnits(set string, units int64) {
	s := newSize()
	s.add(big.NewInt(units), big.NewInt(int64(c.study.Train.Replicates)))
	if !s.fits() {
		c.errs = append(c.errs, c.tooLarge([]string{"partitions", set, "units"}, s))
	}
}

// affordable refuses a space of which more mixtures are taken than a study compares or a plan
// holds.
func (g *sampler) affordable(s candidates) error {
	taken := g.possible
	if g.spec.Sample > 0 {
		taken = big.NewInt(int64(g.spec.Sample))
	} else if taken.Cmp(big.NewInt(specs.MostMixtures)) > 0 {
		key := "choose"
		if len(g.spec.Cross) > 0 {
			key = "cross"
		}
		return g.errorf(key, "%s", specs.TooManyMixtures(taken))
	}
	components := int64(len(s.fixed))
	for _, d := range s.choices {
		components += int64(d.k)
	}
	units := new(big.Int).Div(s.units(), g.possible).Int64() + 1
	return g.bound(taken, units, components)
}

// boundListed refuses a list of mixtures that a plan cannot hold.
func (g *sampler) boundListed(mixtures []mixture) error {
	var units, components int64
	for _, m := range mixtures {
		units, components = units+int64(m.units()), components+int64(len(m.components))
	}
	n := int64(max(1, len(mixtures)))
	return g.bound(big.NewInt(n), units/n+1, components/n+1)
}

// bound refuses a set of mixtures whose steps, with those of the sets before, are more than a plan
// holds. count is the number of mixtures; units and components are of an average one, rounded up.
func (g *sampler) bound(count *big.Int, units, components int64) error {
	c, total := g.c, g.size
	sets := big.NewInt(int64(len(c.evalSets)))
	if c.study.Eval.InDomain == "mixture" {
		sets.Add(sets, big.NewInt(components)) // one table for each partition
	}
	replicates := int64(c.study.Train.Replicates)
	times := func(n *big.Int, by int64) *big.Int { return new(big.Int).Mul(n, big.NewInt(by)) }
	for _, proxy := range c.study.Proxies {
		switch proxy {
		case "micro", "macro", "merged", "weighted", "small_seq": // a model of its own for each mixture
			total.add(times(new(big.Int).Mul(count, sets), replicates), big.NewInt(units+1))
		case "mixmin": // a table for each mixture, of evaluations that mixtures share
			total.add(times(new(big.Int).Mul(count, sets), replicates), big.NewInt(units))
			total.steps.Add(total.steps, g.shared())
		default: // evaluations that mixtures share; what each adds is the list of their tables
			tables := times(new(big.Int).Mul(count, sets), replicates*units)
			total.inputs.Add(total.inputs, tables)
			if shared := g.shared(); tables.Cmp(shared) > 0 {
				tables = shared
			}
			total.steps.Add(total.steps, tables)
		}
	}
	for _, group := range c.study.Reference.Seq {
		if group == g.group {
			models := times(count, int64(c.study.Reference.Replicates))
			total.add(models, big.NewInt(units+2))
			total.add(new(big.Int).Mul(models, sets), big.NewInt(2))
		}
	}
	if !total.fits() {
		return c.tooLarge([]string{"mixtures", g.group}, total)
	}
	return nil
}

// shared is the number of evaluations of all unit models that a set of mixtures can be made of, on
// every set and every partition's test documents.
func (g *sampler) shared() *big.Int {
	parts := map[componentKey]bool{}
	for _, x := range g.within {
		parts[componentKey{x.part.set, x.part.name, 0}] = true
	}
	models := int64(len(baseUnits(g.within)) * g.c.study.Train.Replicates)
	return new(big.Int).Mul(big.NewInt(models), big.NewInt(int64(len(g.c.evalSets)+len(parts))))
}

// boundModels refuses a study whose unit models are more than a plan holds.
func (c *compiler) boundModels(total size, units int) error {
	models := big.NewInt(int64(units) * int64(c.study.Train.Replicates))
	total.add(models, big.NewInt(3))
	if !total.fits() {
		return c.tooLarge([]string{"mixtures"}, total)
	}
	return nil
}
