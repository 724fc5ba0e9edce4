package pipeline

import (
	"container/heap"
	"fmt"
	"iter"
	"math/big"
	"slices"
	"strings"

	"ablate/cache"
	"ablate/specs"
	"ablate/specs/nearest"
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

// mixture is a combination of components in the order of the catalogue: partitions by name, units by number.
type mixture struct {
	group      string
	components []component
}

func (m mixture) name() string {
	names := make([]string, len(m.components))
	for i, c := range m.components {
		names[i] = c.name()
	}
	return strings.Join(names, "+")
}

func (m mixture) units() int {
	n := 0
	for _, c := range m.components {
		n += c.units()
	}
	return n
}

// mixtures expands every set of mixtures of the study and counts what could have been chosen in closed form.
func (c *compiler) mixtures() ([]mixture, error) {
	sum := &c.plan.Summary
	sum.MixturesPossible, sum.TokensReferenceOf = new(big.Int), new(big.Int)
	var out []mixture
	for _, group := range sortedKeys(c.study.Mixtures) {
		spec := c.study.Mixtures[group]
		set, err := c.setOf(group, spec)
		if err != nil {
			return nil, err
		}
		all := components(set, spec.Of == "units")
		var chosen []mixture
		if len(spec.List) > 0 {
			chosen, err = c.listed(group, spec, all)
		} else {
			chosen, err = c.chosen(group, spec, all)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, chosen...)
	}
	sum.MixturesSelected = len(out)
	return out, nil
}

// setOf finds the partition set a set of mixtures draws from.
func (c *compiler) setOf(group string, spec specs.Mixture) (set, error) {
	if spec.From == "" && len(c.sets) == 1 {
		return c.sets[0], nil
	}
	for _, s := range c.sets {
		if s.name == spec.From {
			return s, nil
		}
	}
	return set{}, c.study.Errorf([]string{"mixtures", group, "from"}, "no partition set %q", spec.From)
}

func components(s set, units bool) []component {
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

func (c *compiler) listed(group string, spec specs.Mixture, all []component) ([]mixture, error) {
	known, theirs := byName(all)
	var out []mixture
	seen := map[string]bool{}
	for i, names := range spec.List {
		m := mixture{group: group}
		var places []int
		for j, name := range names {
			here := []string{"mixtures", group, "list", fmt.Sprint(i), fmt.Sprint(j)}
			x, ok := known[name]
			if !ok {
				return nil, c.study.Errorf(here, "no component %q; there are %s", name, listSome(nearest.Sorted(name, theirs), 20))
			}
			if slices.Contains(places, x) {
				return nil, c.study.Errorf(here, "%s is in this mixture already, by its other name", all[x].name())
			}
			places = append(places, x)
		}
		slices.Sort(places)
		for _, x := range places {
			m.components = append(m.components, all[x])
		}
		if seen[m.name()] {
			return nil, c.study.Errorf([]string{"mixtures", group, "list", fmt.Sprint(i)}, "mixture %s is listed twice", m.name())
		}
		seen[m.name()] = true
		out = append(out, m)
	}
	c.plan.Summary.MixturesPossible.Add(c.plan.Summary.MixturesPossible, big.NewInt(int64(len(out))))
	c.countReferences(out)
	return out, nil
}

func (c *compiler) countReferences(ms []mixture) {
	for _, m := range ms {
		t := int64(m.units()) * int64(c.study.Train.TokensPerUnit)
		c.plan.Summary.TokensReferenceOf.Add(c.plan.Summary.TokensReferenceOf, big.NewInt(t))
	}
}

func (c *compiler) chosen(group string, spec specs.Mixture, all []component) ([]mixture, error) {
	n, k := len(all), spec.Choose
	if k > n {
		return nil, c.study.Errorf([]string{"mixtures", group, "choose"}, "choose %d of %d components", k, n)
	}
	possible := new(big.Int).Binomial(int64(n), int64(k))
	if spec.Sample > 0 && possible.Cmp(big.NewInt(int64(spec.Sample))) < 0 {
		return nil, c.study.Errorf([]string{"mixtures", group, "sample"}, "sample %d of %s possible mixtures (choose %d of %d)", spec.Sample, possible, k, n)
	}
	// Each component is in C(n-1, k-1) of the mixtures.
	total := 0
	for _, x := range all {
		total += x.units()
	}
	tokens := new(big.Int).Mul(big.NewInt(int64(total)*int64(c.study.Train.TokensPerUnit)), new(big.Int).Binomial(int64(n-1), int64(k-1)))
	sum := &c.plan.Summary
	sum.MixturesPossible.Add(sum.MixturesPossible, possible)
	sum.TokensReferenceOf.Add(sum.TokensReferenceOf, tokens)

	var picked [][]int
	if spec.Sample == 0 {
		for comb := range combinations(n, k) {
			picked = append(picked, slices.Clone(comb))
		}
	} else {
		picked = sample(all, k, spec.Sample, fmt.Sprintf("%s/%d", group, spec.Seed))
	}
	var out []mixture
	for _, comb := range picked {
		m := mixture{group: group}
		for _, i := range comb {
			m.components = append(m.components, all[i])
		}
		out = append(out, m)
	}
	return out, nil
}

// combinations yields the k-subsets of 0..n-1 in lexicographic order. The slice is reused.
func combinations(n, k int) iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		c := make([]int, k)
		for i := range c {
			c[i] = i
		}
		for {
			if !yield(c) {
				return
			}
			i := k - 1
			for i >= 0 && c[i] == n-k+i {
				i--
			}
			if i < 0 {
				return
			}
			c[i]++
			for j := i + 1; j < k; j++ {
				c[j] = c[j-1] + 1
			}
		}
	}
}

// sample takes the m combinations whose hash is lowest. A combination's hash depends on its own names only, so that a new component
// brings new combinations in and leaves the order of the old ones as it was: most references stay what they were.
func sample(all []component, k, m int, seed string) [][]int {
	var best maxHeap
	names := make([]string, k)
	for comb := range combinations(len(all), k) {
		for i, j := range comb {
			names[i] = all[j].part.set + "/" + all[j].numbered()
		}
		h := cache.DigestOf([]byte(seed + "\x00" + strings.Join(names, "\x00")))
		if len(best) < m {
			heap.Push(&best, ranked{h, slices.Clone(comb)})
		} else if slices.Compare(h[:], best[0].hash[:]) < 0 {
			best[0] = ranked{h, slices.Clone(comb)}
			heap.Fix(&best, 0)
		}
	}
	out := make([][]int, len(best))
	for i, r := range best {
		out[i] = r.comb
	}
	slices.SortFunc(out, slices.Compare)
	return out
}

type ranked struct {
	hash cache.Digest
	comb []int
}

type maxHeap []ranked

func (h maxHeap) Len() int           { return len(h) }
func (h maxHeap) Less(i, j int) bool { return slices.Compare(h[i].hash[:], h[j].hash[:]) > 0 }
func (h maxHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *maxHeap) Push(x any)        { *h = append(*h, x.(ranked)) }
func (h *maxHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
