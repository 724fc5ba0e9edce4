package pipeline

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"ablate/specs/ident"
	"ablate/stages/kind"
)

// scorer is a way to score a mixture: the models whose perplexities are averaged.
type scorer struct {
	name       string
	everywhere []recipe
	own        func(p part) []recipe // not nil: each model on its own partition's test documents only
}

// proxy is what stands in for a mixture's reference model. A study with replicates has each of its
// models as often, and the mean of their perplexities is the score.
func (c *compiler) proxy(name string, m mixture) scorer {
	var s scorer
	for r := range c.study.Train.Replicates {
		models := c.scoring(name, m, r)
		s.everywhere = append(s.everywhere, models.everywhere...)
		if before, now := s.own, models.own; before != nil {
			s.own = func(p part) []recipe { return append(before(p), now(p)...) }
		} else {
			s.own = now
		}
	}
	s.name = name
	return s
}

func (c *compiler) scoring(name string, m mixture, r int) scorer {
	one := func(x recipe) scorer { return scorer{everywhere: []recipe{x}} }
	switch name {
	case "micro":
		return one(c.average(c.micro(m, r), m, r))
	case "macro":
		return one(c.average(c.macro(m, r), m, r))
	case "merged":
		return one(c.average(c.merged(m, r), m, r))
	case "weighted":
		return one(c.average(c.weighted(m, r), m, r))
	case "mixmin":
		return one(c.ensemble(name, m, r))
	case "small_seq":
		return one(c.sequential(c.own, kind.RoleSmall, m, r))
	}
	// The others are means of the scores of several models, one or more for each component.
	of := func(x component) []recipe { return c.unitRecipes(x, r) }
	switch strings.TrimSuffix(strings.TrimPrefix(name, "mean_"), "_id") {
	case "merged":
		of = func(x component) []recipe { return []recipe{c.named(c.componentMerge(x, r))} }
	case "seq":
		of = func(x component) []recipe { return []recipe{c.componentRecipe(x, r)} }
	}
	if !strings.HasSuffix(name, "_id") {
		var s scorer
		for _, x := range m.components {
			s.everywhere = append(s.everywhere, of(x)...)
		}
		return s
	}
	return scorer{own: func(p part) []recipe {
		var out []recipe
		for _, x := range m.components {
			if x.part.key() == p.key() {
				out = append(out, of(x)...)
			}
		}
		return out
	}}
}

// named records an average so that it can be exported by name.
func (c *compiler) named(r recipe) recipe {
	c.plan.recipes[r.name] = r
	return r
}

// average records one that is named by a mixture, by the numbers of its units too.
func (c *compiler) average(r recipe, m mixture, replicate int) recipe {
	c.aliased(r.word, m, replicate)
	return c.named(r)
}

// aliased makes what is named by a mixture be found by the numbers of its units, too.
func (c *compiler) aliased(word string, m mixture, replicate int) {
	c.plan.alias(ident.Replicate(word+"/"+m.group+"/"+m.numbered(), replicate), m.named(word, replicate))
}

// unitRecipes are the unit models of a component.
func (c *compiler) unitRecipes(x component, replicate int) []recipe {
	var out []recipe
	for _, u := range x.unitNumbers() {
		out = append(out, single("unit", ident.Replicate(unitName(x.part, u), replicate), c.unitModel(x.part, u, replicate)))
	}
	return out
}

// componentRecipe is the model trained on a whole component.
func (c *compiler) componentRecipe(x component, replicate int) recipe {
	if x.unit >= 0 || x.part.units == 1 {
		return c.unitRecipes(x, replicate)[0]
	}
	return single("part", ident.Replicate(componentName(x), replicate), c.componentModel(x, replicate))
}

// componentMerge is the mean of the unit models of a component.
func (c *compiler) componentMerge(x component, replicate int) recipe {
	units := c.unitRecipes(x, replicate)
	if len(units) == 1 {
		return units[0]
	}
	r := recipe{word: "mean", name: ident.Replicate("mean/"+x.part.set+"/"+x.part.text, replicate)}
	return r.plus(units, big.NewRat(1, 1))
}

// micro is the mean over all units of the mixture; macro the mean per component, then over
// components; merged the mean over the components' own models (paper, sections 5.0.1 and 5.2);
// weighted a mean over components with other weights. Where a mixture has shares of its own, they
// are the weights of its components in all of these.
func (c *compiler) micro(m mixture, replicate int) recipe {
	r := averageOf("micro", m, replicate)
	for i, x := range m.components {
		r = r.plus(c.unitRecipes(x, replicate), m.share(i, big.NewRat(int64(x.units()), int64(m.units()))))
	}
	return r
}

func (c *compiler) macro(m mixture, replicate int) recipe {
	r := averageOf("macro", m, replicate)
	for i, x := range m.components {
		r = r.plus(c.unitRecipes(x, replicate), m.share(i, big.NewRat(1, int64(len(m.components)))))
	}
	return r
}

func (c *compiler) merged(m mixture, replicate int) recipe {
	r := averageOf("merged", m, replicate)
	for i, x := range m.components {
		r = r.plus([]recipe{c.componentRecipe(x, replicate)}, m.share(i, big.NewRat(1, int64(len(m.components)))))
	}
	return r
}

func (c *compiler) weighted(m mixture, replicate int) recipe {
	r := averageOf("weighted", m, replicate)
	total := new(big.Rat)
	for _, x := range m.components {
		total.Add(total, c.weight(x))
	}
	for i, x := range m.components {
		models := []recipe{c.componentRecipe(x, replicate)}
		if c.study.Weights.Of == "units" {
			models = c.unitRecipes(x, replicate)
		}
		r = r.plus(models, m.share(i, new(big.Rat).Quo(c.weight(x), total)))
	}
	return r
}

// ensemble is the mixture of the probabilities that the unit models give to text, with the weights
// of macro. It is no model, so no name leads an export to it.
func (c *compiler) ensemble(word string, m mixture, replicate int) recipe {
	r := c.macro(m, replicate)
	r.word, r.name = word, m.named(word, replicate)
	for _, x := range m.components {
		r.members = append(r.members, c.unitRecipes(x, replicate)...)
	}
	return r
}

func averageOf(word string, m mixture, replicate int) recipe {
	return recipe{word: word, name: m.named(word, replicate)}
}

// weight is a component's weight in the proxy weighted.
func (c *compiler) weight(x component) *big.Rat {
	if w, ok := c.weights[x.key()]; ok {
		return w
	}
	if c.study.Weights.By == "equal" {
		return big.NewRat(1, 1)
	}
	return big.NewRat(int64(x.units()), 1)
}

// giveWeights finds whom the weights of the study are of, and refuses those of components that no
// mixture can have.
func (c *compiler) giveWeights(within []component) error {
	c.weights = map[componentKey]*big.Rat{}
	if len(c.study.Weights.Given) == 0 {
		return nil
	}
	of := map[string]partKey{}
	for _, x := range within {
		for _, name := range slices.Concat(x.names()...) {
			text, ok := c.study.Weights.Given[name]
			if !ok {
				continue
			}
			if other, ok := of[name]; ok && other != x.part.key() {
				return c.study.Errorf([]string{"weights", "components", name}, "%q could be of partition %q of %s and of partition %q of %s; write %s or %s",
					name, other.name, other.set, x.part.name, x.part.set, other.set+"/"+name, x.part.set+"/"+name)
			}
			of[name] = x.part.key()
			if _, ok := c.weights[x.key()]; !ok {
				c.weights[x.key()] = fraction(text)
			}
			break
		}
	}
	for _, name := range sortedKeys(c.study.Weights.Given) {
		if _, ok := of[name]; !ok {
			var known []string
			for _, x := range within {
				known = append(known, x.name())
			}
			return c.study.Errorf([]string{"weights", "components", name}, "no mixture has a component %q; there are %s", name, listSome(sorted(known), 20))
		}
	}
	return nil
}

// plus adds the mean of some models to an average, with a weight.
func (r recipe) plus(models []recipe, weight *big.Rat) recipe {
	each := new(big.Rat).Quo(weight, big.NewRat(int64(len(models)), 1))
	for _, m := range models {
		if len(m.models) != 1 {
			panic(fmt.Sprintf("internal error: %s is an average itself", m.name))
		}
		r.models, r.weights = append(r.models, m.models[0]), append(r.weights, each)
	}
	return r
}
