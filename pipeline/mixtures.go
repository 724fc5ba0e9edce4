package pipeline

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"ablate/specs"
	"ablate/specs/ident"
)

// component is what a mixture is made of: a partition, or one of its units.
type component struct {
	part part
	unit int // -1: the whole partition
}

func (c component) units() int {
	if c.unit < 0 {
		return c.part.units
	}
	return 1
}

// componentKey tells components apart.
type componentKey struct {
	set, partition string
	unit           int
}

func (c component) key() componentKey { return componentKey{c.part.set, c.part.name, c.unit} }

// partKey tells partitions apart.
type partKey struct{ set, name string }

func (p part) key() partKey { return partKey{p.set, p.name} }

// compare is the order of components in a mixture: by set of partitions, partition, unit.
func (c component) compare(d component) int {
	return cmp.Or(strings.Compare(c.part.set, d.part.set), strings.Compare(c.part.name, d.part.name), cmp.Compare(c.unit, d.unit))
}

// mixture is a combination of components in their order. A component that is there twice counts
// twice.
type mixture struct {
	group      string
	components []component
	shares     []*big.Rat // of the components; nil: a set, whose components count as their units do
	tokens     int64      // training length of a model of it; 0: by units
	length     int        // units that it is as long as; 0: its own

	known string // the name of one with shares, which takes long to write
}

func (m mixture) name() string {
	if m.known != "" {
		return m.known
	}
	names := make([]string, len(m.components))
	for i, c := range m.components {
		names[i] = c.name()
	}
	return m.of(names)
}

// named is the name of a model of the mixture or of a replicate of it, counted from 0:
// "micro/pairs/crypto+net@2".
func (m mixture) named(word string, replicate int) string {
	return ident.Replicate(word+"/"+m.group+"/"+m.name(), replicate)
}

func (m mixture) units() int {
	n := 0
	for _, c := range m.components {
		n += c.units()
	}
	return n
}

// asked is the training length of a model of the mixture at some scale, before whole batches.
func (m mixture) asked(sc *scale) int64 {
	if m.tokens > 0 {
		return m.tokens
	}
	return int64(cmp.Or(m.length, m.units())) * int64(sc.train.TokensPerUnit)
}

// mixtures expands every set of mixtures of the study and counts what could have been chosen in
// closed form. It also gives what mixtures can be made of: the components that any of the sets can
// draw.
func (c *compiler) mixtures() (out []mixture, within []component, err error) {
	sum := &c.plan.Summary
	size := newSize()
	c.plan.atMost = size
	sum.MixturesPossible, sum.MixturesCovered, sum.TokensReferenceOf = new(big.Int), new(big.Int), new(big.Int)
	for _, group := range sortedKeys(c.study.Mixtures) {
		spec := c.study.Mixtures[group]
		g := sampler{c: c, group: group, spec: spec, size: size}
		var chosen []mixture
		switch {
		case spec.Shares != nil:
			chosen, err = g.vectors()
		case len(spec.List) > 0:
			chosen, err = g.listed()
		default:
			chosen, err = g.drawn()
		}
		if err != nil {
			return nil, nil, err
		}
		sum.MixturesPossible.Add(sum.MixturesPossible, g.possible)
		sum.MixturesCovered.Add(sum.MixturesCovered, g.covered)
		sum.TokensReferenceOf.Add(sum.TokensReferenceOf, g.tokens)
		out, within = append(out, chosen...), append(within, g.within...)
	}
	if err := c.boundModels(size, len(baseUnits(within))); err != nil {
		return nil, nil, err
	}
	sum.MixturesSelected = len(out)
	selected := map[componentKey]bool{}
	for _, m := range out {
		for _, x := range m.components {
			selected[x.key()] = true
		}
	}
	sum.ComponentsSelected = len(selected)
	tokens, _ := new(big.Float).SetInt(sum.TokensReferenceOf).Float64()
	sum.HoursReferenceOf = c.reference.perToken * tokens
	sum.BytesReferenceOf = new(big.Int).Mul(sum.MixturesPossible, big.NewInt(c.reference.cost(1, 1, false).Disk))
	return out, within, nil
}

// sampler is one set of mixtures on its way from the study to the plan.
type sampler struct {
	c     *compiler
	group string
	spec  specs.Mixture
	size  size // of the plan so far

	within   []component // what the mixtures can be made of
	possible *big.Int
	covered  *big.Int // of the possible mixtures, those of no other components than the mixtures taken
	tokens   *big.Int // of a model of every possible mixture
}

func (g *sampler) errorf(key, format string, args ...any) error {
	return g.c.study.Errorf(append([]string{"mixtures", g.group}, strings.Split(key, ".")...), format, args...)
}

func (g *sampler) mixture(components []component) mixture {
	m := mixture{group: g.group, components: slices.Clone(components), tokens: int64(g.spec.Tokens)}
	slices.SortStableFunc(m.components, component.compare)
	return m
}

// components are those of some sets of partitions, in the order of the sets.
func (g *sampler) components(sets []string) []component {
	var out []component
	for _, s := range g.c.partitionSets {
		if slices.Contains(sets, s.name) || len(sets) == 0 && len(g.c.partitionSets) == 1 {
			out = append(out, components(s, g.spec.Of == "units")...)
		}
	}
	return out
}

func components(s partitionSet, units bool) []component {
	var out []component
	for _, p := range s.parts {
		if !units {
			out = append(out, component{p, -1})
			continue
		}
		for u := range p.units {
			out = append(out, component{p, u})
		}
	}
	return out
}

func (g *sampler) listed() ([]mixture, error) {
	all := g.components(g.spec.From)
	known := byName(all)
	var out []mixture
	seen := map[string]bool{}
	g.tokens = new(big.Int)
	for i, entry := range g.spec.List {
		var chosen []component
		var places []int
		for j, name := range entry.Names {
			here := fmt.Sprintf("list.%d.%d", i, j)
			x, err := known.find(name)
			if err != nil {
				return nil, g.errorf(here, "%v", err)
			}
			if slices.Contains(places, x) && !g.spec.Repeat {
				return nil, g.errorf(here, "%s is in this mixture already, under its other name", all[x].name())
			}
			places, chosen = append(places, x), append(chosen, all[x])
		}
		m := g.mixture(chosen)
		if entry.Shares != nil {
			var err error
			if m, err = g.listedShares(i, known, all, entry.Shares); err != nil {
				return nil, err
			}
			chosen = m.components
		}
		if seen[m.name()] {
			return nil, g.errorf(fmt.Sprintf("list.%d", i), "mixture %s is listed twice", m.name())
		}
		seen[m.name()] = true
		g.tokens.Add(g.tokens, big.NewInt(m.asked(g.c.reference)))
		g.within = append(g.within, chosen...)
		out = append(out, m)
	}
	g.possible = big.NewInt(int64(len(out)))
	g.covered = g.possible
	return out, g.boundListed(out)
}

// drawn are the mixtures of choose or cross, all or a sample.
func (g *sampler) drawn() ([]mixture, error) {
	space, err := g.space()
	if err != nil {
		return nil, err
	}
	g.within, g.possible = slices.Concat(space.fixed, space.pool), space.count()
	if err := g.affordable(space); err != nil {
		return nil, err
	}
	g.c.plan.Growth = append(g.c.plan.Growth, g.growth(space))
	g.c.plan.sampledFrom[g.group] = g.names(space)
	if g.tokens = new(big.Int).Mul(g.possible, big.NewInt(int64(g.spec.Tokens))); g.spec.Tokens == 0 {
		g.tokens = new(big.Int).Mul(space.units(), big.NewInt(int64(g.c.reference.train.TokensPerUnit)))
	}
	if g.spec.Sample > 0 && g.possible.Cmp(big.NewInt(int64(g.spec.Sample))) < 0 {
		return nil, g.errorf("sample", "sample %d of %s possible mixtures (%s)", g.spec.Sample, g.possible, space)
	}
	var out []mixture
	used := map[int]bool{}
	take := func(picked []int) {
		components := slices.Clone(space.fixed)
		for _, i := range picked {
			used[i] = true
		}
		for _, i := range picked {
			components = append(components, space.pool[i])
		}
		out = append(out, g.mixture(components))
	}
	if g.spec.Sample > 0 {
		for _, picked := range space.sample(g.spec.Sample, fmt.Sprintf("%s/%d", g.group, g.spec.Seed)) {
			take(picked)
		}
	} else {
		for picked := range space.all() {
			take(picked)
		}
	}
	g.covered = space.within(used).count()
	return out, nil
}

// space is what a set of mixtures draws from: all of fix, choose of those in from that where
// allows, or one of each set in cross.
func (g *sampler) space() (candidates, error) {
	var s candidates
	fixed := map[componentKey]bool{}
	var all []component
	var known named
	if len(g.spec.Fix) > 0 {
		all = g.components(sortedKeys(g.c.study.Partitions))
		known = byName(all)
	}
	for i, name := range g.spec.Fix {
		place, err := known.find(name)
		if err != nil {
			return s, g.errorf(fmt.Sprintf("fix.%d", i), "%v", err)
		}
		x := all[place]
		s.fixed, fixed[x.key()] = append(s.fixed, x), true
	}
	key, k, draws := "choose", g.spec.Choose, [][]string{g.spec.From}
	if len(g.spec.Cross) > 0 {
		key, k, draws = "cross", 1, nil
		for _, set := range sorted(g.spec.Cross) { // their order says nothing
			draws = append(draws, []string{set})
		}
	}
	for _, sets := range draws {
		d := choice{first: len(s.pool), k: k, repeat: g.spec.Repeat}
		for _, x := range g.components(sets) {
			if g.spec.Where.Holds(x.part.units) && (g.spec.Repeat || !fixed[x.key()]) {
				s.pool = append(s.pool, x)
			}
		}
		if d.n = len(s.pool) - d.first; d.n == 0 || k > d.n && !d.repeat {
			return s, g.errorf(key, "choose %d of %d components", k, d.n)
		}
		s.choices = append(s.choices, d)
	}
	return s, nil
}

// names are what a space draws from, by the names that a list takes.
func (g *sampler) names(s candidates) Pool {
	out := Pool{From: sortedKeys(g.c.study.Partitions), size: len(s.fixed)}
	for _, x := range s.fixed {
		out.Fixed = append(out.Fixed, x.name())
	}
	for _, d := range s.choices {
		draw := Choice{K: d.k}
		for _, x := range s.pool[d.first : d.first+d.n] {
			draw.Names = append(draw.Names, x.name())
		}
		out.Choices, out.size = append(out.Choices, draw), out.size+d.k
	}
	return out
}
