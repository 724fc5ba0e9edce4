package pipeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"ablate/specs"
	"ablate/specs/ident"
	"ablate/specs/nearest"
)

// A base unit has two names. Its number, Biology/3, is known from the catalogue alone and never
// changes, for units are cut from the front; everything that a choice depends on goes by it: which
// mixtures a sample draws, and in which order a reference model's units stand. Its range,
// Biology,2005-2007, is what people see wherever it is known: in the IDs of steps, in mixtures and
// reports. It is known once the corpus has been split, and that of a partition's last unit widens
// when documents come. No key holds either, but for that of the comparison, whose tables name
// mixtures. Where a person names a unit, both are understood.

// UnitNames are the names of units by partition set and partition, in the order of the units. A set
// is in it once its corpus has been split, even where its units have no other names than their
// numbers.
type UnitNames map[string]map[string][]string

// unit is the name of unit u as people see it.
func (p part) unit(u int) string {
	if p.names != nil {
		return p.names[u]
	}
	return p.numbered(u)
}

func (p part) numbered(u int) string { return p.text + ident.Unit{Number: u}.Suffix() }

// shown is the partition's name as people see it.
func (p part) shown() string { return p.prefix + p.text }

// unitName is the ID of the training of unit u.
func unitName(p part, u int) string { return "unit/" + p.set + "/" + p.unit(u) }

// name is the component's name as people see it.
func (c component) name() string {
	if c.unit >= 0 && c.part.names != nil {
		return c.part.prefix + c.part.unit(c.unit)
	}
	return c.numbered()
}

// numbered is the component's name that never changes while the study's sets of partitions stay as
// they are.
func (c component) numbered() string {
	if c.unit < 0 || c.part.units == 1 {
		return c.part.shown()
	}
	return c.part.prefix + c.part.numbered(c.unit)
}

// drawn is what samples are drawn by: the name of the partition as documents have it, and the
// number of the unit. It is no name, and changes for no reason of names, so that what was drawn
// stays drawn.
func (c component) drawn() string {
	if c.unit < 0 || c.part.units == 1 {
		return c.part.name
	}
	return fmt.Sprintf("%s/%d", c.part.name, c.unit)
}

// names are all names that a component has where a person names it, the best first: what people
// see; by number; with the set of partitions in front, which always does; as documents have the
// partition's name; and without the set where one must stand in front if several sets are meant.
func (c component) names() [][]string {
	p := c.part
	in := func(text string) (names []string) { // with the partition written so
		if c.unit < 0 || p.units == 1 {
			names = append(names, text)
		}
		if c.unit >= 0 {
			names = append(names, text+ident.Unit{Number: c.unit}.Suffix(), text+strings.TrimPrefix(p.unit(c.unit), p.text))
		}
		return names
	}
	with := func(prefix string, names []string) []string {
		out := make([]string, len(names))
		for i, name := range names {
			out[i] = prefix + name
		}
		return out
	}
	inSet := in(p.text)
	return [][]string{
		{c.name()}, append(with(p.prefix, inSet), c.numbered()), with(p.set+"/", inSet), with(p.prefix, in(p.name)), with(p.set+"/", in(p.name)), inSet, in(p.name),
	}
}

// named finds components by the names that a person may write.
type named struct {
	all    []component
	places map[string]int
	twice  map[string]int // names that are as good for another component
}

func byName(all []component) named {
	n := named{all, map[string]int{}, map[string]int{}}
	each := make([][][]string, len(all))
	for i, x := range all {
		each[i] = x.names()
	}
	at := map[string]int{} // name -> how good it is for whom it is kept
	for level := range 7 {
		for i := range all {
			for _, name := range each[i][level] {
				if other, ok := n.places[name]; !ok {
					n.places[name], at[name] = i, level
				} else if at[name] == level && all[other].key() != all[i].key() {
					n.twice[name] = i
				}
			}
		}
	}
	return n
}

// find gives the place of the component that a name is of.
func (n named) find(name string) (int, error) {
	i, ok := n.places[name]
	if j, twice := n.twice[name]; twice {
		return 0, fmt.Errorf("%q could be %s of %s or %s of %s; write %s or %s", name, n.all[i].name(), n.all[i].part.set, n.all[j].name(), n.all[j].part.set,
			n.all[i].withSet(), n.all[j].withSet())
	}
	if !ok {
		var names []string
		for _, x := range n.all {
			names = append(names, x.name())
		}
		return 0, fmt.Errorf("no component %q; there are %s", name, listSome(nearest.Sorted(name, names), 20))
	}
	return i, nil
}

func (c component) withSet() string {
	return c.part.set + "/" + strings.TrimPrefix(c.name(), c.part.prefix)
}

// numbered is the mixture's name of its components' names that never change.
func (m mixture) numbered() string {
	names := make([]string, len(m.components))
	for i, c := range m.components {
		names[i] = c.numbered()
	}
	return m.of(names)
}

// distinguish sees to it that no two partitions or units of the study have one name: the set of
// partitions stands before those of different sets that would. Within a set this can only be where
// a person chose a name for partitions that are folded.
func (c *compiler) distinguish() {
	for changed := true; changed; {
		changed = false
		by := map[string][]*part{}
		for i := range c.partitionSets {
			for j := range c.partitionSets[i].parts {
				p := &c.partitionSets[i].parts[j]
				by[p.shown()] = append(by[p.shown()], p)
			}
		}
		apart := func(p, q *part) {
			if p.set == q.set {
				return
			}
			for _, x := range []*part{p, q} {
				changed = changed || x.prefix == ""
				x.prefix = x.set + "/"
			}
		}
		for _, same := range by {
			for _, p := range same[1:] {
				apart(same[0], p)
			}
		}
		for i := range c.partitionSets {
			for j := range c.partitionSets[i].parts {
				p := &c.partitionSets[i].parts[j]
				text, u, ok := ident.ParseUnit(p.shown(), 1)
				if !ok || u.Number < 0 {
					continue
				}
				for _, q := range by[text] {
					if u.Number < q.units {
						apart(p, q)
					}
				}
			}
		}
	}
	for _, s := range c.partitionSets {
		c.sameWithin(s)
	}
}

// sameWithin refuses partitions of one set that would share a name.
func (c *compiler) sameWithin(s partitionSet) {
	by := map[string]part{}
	refuse := func(p, q part, what string) {
		c.errs = append(c.errs, c.study.Errorf([]string{"partitions", s.name, "fold"}, "partition %q and %s of partition %q would both be called %s; fold into another name",
			p.name, what, q.name, p.text))
	}
	for _, p := range s.parts {
		if q, ok := by[p.text]; ok {
			refuse(p, q, "the whole")
		}
		by[p.text] = p
	}
	for _, p := range s.parts {
		if text, u, ok := ident.ParseUnit(p.text, 1); ok && u.Number >= 0 {
			if q, ok := by[text]; ok && u.Number < q.units {
				refuse(p, q, fmt.Sprintf("unit %d", u.Number))
			}
		}
	}
}

// twice says that two steps would have one name, where the person must choose another.
func (c *compiler) twice(id string, a, b *Step) {
	at, name := []string{"study"}, ""
	for _, s := range []*Step{a, b} {
		switch about := s.About; {
		case about.EvalSet != "":
			at, name = []string{"eval", "out_of_domain", about.EvalSet}, "the evaluation set"
		case name == "" && about.PartitionSet != "":
			at, name = []string{"partitions", about.PartitionSet}, "the partition set"
		case name == "" && about.MixtureSet != "":
			at, name = []string{"mixtures", about.MixtureSet}, "the mixture set"
		}
	}
	if slices.ContainsFunc(c.errs, func(e specs.Error) bool { return e.Position == c.study.At(at...) }) {
		return // the same name, of another step
	}
	c.errs = append(c.errs, c.study.Errorf(at, "%s and %s would give steps of one name, %s; give %s another name", a.inWords(), b.inWords(), id, cmp.Or(name, "one of them")))
}

// alias makes a step or an average be found by a second name, too.
func (p *Plan) alias(name, id string) {
	if name != id {
		p.aliases[name] = id
	}
}

// named gives the units of a set the names that its split found.
func (s *partitionSet) named(found map[string][]string) {
	for i := range s.parts {
		p := &s.parts[i]
		if names := found[p.name]; len(names) == p.units {
			p.names = slices.Clone(names)
			for u, name := range p.names {
				if !strings.HasPrefix(name, p.text) { // as runs of older versions recorded them
					p.names[u] = p.text + strings.TrimPrefix(name, p.name)
				}
			}
		}
	}
}

// numbered says that units of a set go by numbers now and by ranges once the corpus has been split.
// One that is ordered by identity has no ranges.
func (c *compiler) numbered(set string) bool {
	return c.src.Names[set] == nil && c.study.Partitions[set].Order != "id"
}

// listsRanges says whether a list of mixtures names units of a declared set by ranges that are not
// known yet.
func (c *compiler) listsRanges(s partitionSet) bool {
	if !c.numbered(s.name) {
		return false
	}
	for _, group := range sortedKeys(c.study.Mixtures) {
		spec := c.study.Mixtures[group]
		if spec.Of != "units" || len(spec.From) > 0 && !slices.Contains(spec.From, s.name) && len(spec.Fix) == 0 {
			continue
		}
		known := byName(components(s, true))
		for _, name := range namesIn(spec) {
			if _, ok := known.places[name]; !ok && specs.RangeOf(strings.TrimPrefix(name, s.name+"/"), partNames(s)) != "" {
				return true
			}
		}
	}
	return false
}

// namesIn are the components that a set of mixtures names.
func namesIn(spec specs.Mixture) []string {
	names := slices.Clone(spec.Fix)
	for _, x := range spec.List {
		names = append(append(names, x.Names...), sortedKeys(x.Shares)...)
	}
	if s := spec.Shares; s != nil {
		names = append(names, sortedKeys(s.Caps.Each)...)
		if s.Dirichlet != nil {
			names = append(names, sortedKeys(s.Dirichlet.Around.Each)...)
		}
	}
	return names
}

func partNames(s partitionSet) []string {
	var names []string
	for _, p := range s.parts {
		names = append(names, p.name, p.text)
	}
	return names
}
