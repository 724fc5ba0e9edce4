package pipeline

import (
	"fmt"
	"math/big"
	"slices"

	"ablate/specs"
	"ablate/specs/ident"
	"ablate/stages/kind"
	"ablate/stages/shares"
)

// A mixture is a set of components, each of which counts as much as its units do, or a vector of
// shares: exact fractions above 0 that sum to 1. A component of share 0 is not one of the mixture.
// Everything goes by the components' names, so that the order in which a study lists them changes
// nothing.

// share is the weight of component i: its own share, or in a set the one given.
func (m mixture) share(i int, ofSet *big.Rat) *big.Rat {
	if m.shares != nil {
		return m.shares[i]
	}
	return ofSet
}

// of is the mixture's name by its components' names, with their shares where it has some.
func (m mixture) of(names []string) string {
	if m.shares != nil {
		return ident.Shares(names, m.shares)
	}
	return ident.Mixture(names)
}

// vector is a mixture of some components with shares, which stand in the same order.
func (g *sampler) vector(components []component, of []*big.Rat) mixture {
	order := make([]int, 0, len(components))
	for i, share := range of {
		if share.Sign() > 0 {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return components[a].compare(components[b]) })
	m := mixture{group: g.group, tokens: int64(g.spec.Tokens)}
	for _, i := range order {
		m.components, m.shares = append(m.components, components[i]), append(m.shares, of[i])
	}
	m.known = m.name()
	return m
}

// listedShares reads a mixture that is listed with its shares.
func (g *sampler) listedShares(at int, known named, all []component, given map[string]string) (mixture, error) {
	path := []string{"mixtures", g.group, "list", fmt.Sprint(at)}
	components, of, err := g.byName(path, known, all, given)
	if err != nil {
		return mixture{}, err
	}
	return g.vector(components, of), nil
}

// byName finds the components that shares are given for.
func (g *sampler) byName(path []string, known named, all []component, given map[string]string) (components []component, of []*big.Rat, err error) {
	places := map[int]bool{}
	for _, name := range sortedKeys(given) {
		here := append(slices.Clip(path), name)
		share, err := specs.Share(given[name])
		if err != nil {
			return nil, nil, g.c.study.Errorf(here, "%v", err)
		}
		place, err := known.find(name)
		if err != nil {
			return nil, nil, g.c.study.Errorf(here, "%v", err)
		}
		if places[place] {
			return nil, nil, g.c.study.Errorf(here, "%s has a share here already, by its other name", all[place].name())
		}
		places[place] = true
		components, of = append(components, all[place]), append(of, share)
	}
	return components, of, nil
}

// vectors are the mixtures of a set by shares: a lattice or a sample of it, or a sample of a
// Dirichlet distribution.
func (g *sampler) vectors() ([]mixture, error) {
	var pool []component
	length := 0
	for _, x := range g.components(g.spec.From) {
		if g.spec.Where.Holds(x.part.units) {
			pool, length = append(pool, x), length+x.units()
		}
	}
	path := []string{"mixtures", g.group, "shares"}
	if len(pool) == 0 {
		return nil, g.c.study.Errorf(path, "there is no component to mix: none is left by where")
	}
	known := byName(pool)
	caps, err := g.caps(append(path, "caps"), known, pool)
	if err != nil {
		return nil, err
	}
	g.within = pool
	var vectors [][]int
	steps := shareSteps
	if g.spec.Shares.Dirichlet != nil {
		vectors, err = g.dirichlet(path, known, pool, caps)
	} else {
		vectors, steps, err = g.onLattice(path, pool, caps)
	}
	if err != nil {
		return nil, err
	}
	if err := g.bound(big.NewInt(int64(len(vectors))), int64(length), int64(len(pool))); err != nil {
		return nil, err
	}
	out := make([]mixture, len(vectors))
	fractions := map[int]*big.Rat{}
	of := make([]*big.Rat, len(pool))
	for n, v := range vectors {
		for i, k := range v {
			if fractions[k] == nil {
				fractions[k] = big.NewRat(int64(k), int64(steps))
			}
			of[i] = fractions[k]
		}
		out[n] = g.vector(pool, of)
		out[n].length = length
	}
	asked := mixture{tokens: int64(g.spec.Tokens), length: length}.asked(g.c.reference)
	g.tokens = new(big.Int).Mul(g.possible, big.NewInt(asked))
	return out, nil
}

// shareSteps is the grid that sampled shares are rounded to.
const shareSteps = specs.MostSteps

// caps are the largest shares of the components, in their order.
func (g *sampler) caps(path []string, known named, pool []component) ([]*big.Rat, error) {
	given := g.spec.Shares.Caps
	caps, sum := make([]*big.Rat, len(pool)), new(big.Rat)
	all := big.NewRat(1, 1)
	if given.All != "" {
		share, err := specs.Share(given.All)
		if err != nil {
			return nil, g.c.study.Errorf(path, "%v", err)
		}
		all = share
	}
	for i := range caps {
		caps[i] = all
	}
	for _, name := range sortedKeys(given.Each) {
		here := append(slices.Clip(path), name)
		share, err := specs.Share(given.Each[name])
		if err != nil {
			return nil, g.c.study.Errorf(here, "%v", err)
		}
		place, err := known.find(name)
		if err != nil {
			return nil, g.c.study.Errorf(here, "%v", err)
		}
		caps[place] = share
	}
	for _, share := range caps {
		sum.Add(sum, share)
	}
	if sum.Cmp(big.NewRat(1, 1)) < 0 {
		return nil, g.c.study.Errorf(path, "no shares keep to these caps: the caps of the %d components sum to %s, and shares sum to 1", len(pool), ident.Share(sum))
	}
	return caps, nil
}

// onLattice counts a lattice and takes all of it, or a sample.
func (g *sampler) onLattice(path []string, pool []component, caps []*big.Rat) (vectors [][]int, steps int, err error) {
	spec := g.spec.Shares
	refuse := func(key, format string, args ...any) ([][]int, int, error) {
		return nil, 0, g.c.study.Errorf(append(slices.Clip(path), key), format, args...)
	}
	if steps, err = specs.Lattice(spec.Lattice); err != nil {
		return refuse("lattice", "%v", err)
	}
	l := lattice{steps: steps, most: make([]int, len(pool))}
	reach := 0
	for i, most := range caps {
		scaled := new(big.Int).Mul(most.Num(), big.NewInt(int64(steps)))
		l.most[i] = int(scaled.Quo(scaled, most.Denom()).Int64())
		reach += l.most[i]
	}
	if reach < steps {
		return refuse("caps", "no mixture of the lattice keeps to these caps: in steps of %s they leave %d of %d steps", spec.Lattice, reach, steps)
	}
	if (l.capped() || spec.Sample > 0) && l.cells() > mostCells {
		return refuse("lattice", "%s over %d components is too fine to be sampled, or counted under caps: %s cells, %s at most; take larger steps, or a dirichlet",
			spec.Lattice, len(pool), specs.Thousands(big.NewInt(int64(l.cells()))), specs.Thousands(big.NewInt(mostCells)))
	}
	g.possible = l.count()
	switch asked := big.NewInt(int64(spec.Sample)); {
	case spec.Sample > 0 && g.possible.Cmp(asked) < 0:
		return refuse("sample", "%d is more than there are: shares in steps of %s over %d components give %s mixtures", spec.Sample, spec.Lattice, len(pool), specs.Thousands(g.possible))
	case spec.Sample > 0:
		vectors = l.sample(spec.Sample, g.seed())
		g.covered = l.within(vectors).count()
		return vectors, steps, nil
	case g.possible.Cmp(big.NewInt(specs.MostMixtures)) > 0:
		return refuse("lattice", "steps of %s over %d components give %s mixtures, and a study compares at most %s: take larger steps, or add sample: N to shares", spec.Lattice, len(pool),
			specs.Thousands(g.possible), specs.Thousands(big.NewInt(specs.MostMixtures)))
	}
	for v := range l.all() {
		vectors = append(vectors, slices.Clone(v))
	}
	g.covered = g.possible
	return vectors, steps, nil
}

// within is the lattice of the components that some of the vectors has.
func (l lattice) within(vectors [][]int) lattice {
	out := lattice{steps: l.steps, most: make([]int, len(l.most))}
	for _, v := range vectors {
		for i, n := range v {
			if n > 0 {
				out.most[i] = l.most[i]
			}
		}
	}
	out.most = slices.DeleteFunc(out.most, func(most int) bool { return most == 0 })
	return out
}

func (g *sampler) seed() string { return fmt.Sprintf("%s/%d", g.group, g.spec.Shares.Seed) }

// dirichlet draws the asked number of vectors, each another one on the grid and within the caps.
// There is no end of what could be drawn, so that what is counted is what is drawn.
func (g *sampler) dirichlet(path []string, known named, pool []component, caps []*big.Rat) ([][]int, error) {
	spec := g.spec.Shares
	around, err := g.around(append(slices.Clip(path), "dirichlet", "around"), known, pool)
	if err != nil {
		return nil, err
	}
	least, most := spec.Dirichlet.Strengths()
	d := shares.Dirichlet{Around: around, Least: least, Most: most}
	names := make([]string, len(pool))
	for i, x := range pool {
		names[i] = x.part.set + "/" + x.drawn()
	}
	keeps := func(v []int) bool {
		for i, n := range v {
			if caps[i].Cmp(big.NewRat(int64(n), shareSteps)) < 0 {
				return false
			}
		}
		return true
	}
	seen := map[string]bool{}
	var out [][]int
	tries := 1000 + 200*spec.Sample
	for n := 0; len(out) < spec.Sample; n++ {
		if n == tries {
			return nil, g.c.study.Errorf(append(slices.Clip(path), "sample"),
				"%d draws gave %d different mixtures within the caps, and %d are asked for: raise the caps, or choose strength and around so that more of what is drawn keeps to them", n, len(out), spec.Sample)
		}
		v := shares.Round(d.Draw(spec.Seed, "shares of "+g.group, int64(n), names), shareSteps)
		if key := fmt.Sprint(v); keeps(v) && !seen[key] {
			seen[key] = true
			out = append(out, v)
		}
	}
	g.possible = big.NewInt(int64(len(out)))
	g.covered = g.possible
	return out, nil
}

// around is the mean of a set's distribution over the components.
func (g *sampler) around(path []string, known named, pool []component) ([]float64, error) {
	out := make([]float64, len(pool))
	switch given := g.spec.Shares.Dirichlet.Around; {
	case given.Each != nil:
		components, of, err := g.byName(path, known, pool, given.Each)
		if err != nil {
			return nil, err
		}
		for i, x := range pool {
			if at := slices.IndexFunc(components, func(c component) bool { return c.key() == x.key() }); at >= 0 {
				out[i], _ = of[at].Float64()
			}
		}
	case given.All == "tokens":
		var sum int64
		size := make([]int64, len(pool))
		for i, x := range pool {
			size[i] = int64(x.units()) * int64(g.c.study.Partitions[x.part.set].Unit.Tokens)
			sum += size[i]
		}
		for i := range out {
			out[i] = float64(size[i]) / float64(sum)
		}
	default:
		for i := range out {
			out[i] = 1 / float64(len(pool))
		}
	}
	return out, nil
}

// text is the text of a mixture as training takes it: the units of a set, or of a mixture with
// shares each component as a source of its own.
func (m mixture) text() text {
	t := text{name: m.name(), units: unitInputs(m.components)}
	for i, share := range m.shares {
		t.sources = append(t.sources, kind.Source{Share: share.RatString(), Units: m.components[i].units()})
		t.names = append(t.names, m.components[i].name())
	}
	if len(t.units) == 1 {
		t.sources, t.names = nil, nil // one unit alone is read in its order anyway
	}
	return t
}

// described are the shares of a mixture by the names of its components; nil of a set.
func (m mixture) described() map[string]string {
	if m.shares == nil {
		return nil
	}
	out := map[string]string{}
	for i, x := range m.components {
		out[x.name()] = m.shares[i].RatString()
	}
	return out
}
