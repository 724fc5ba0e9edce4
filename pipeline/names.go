package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"ablate/specs"
)

// A base unit has two names. Its number, Biology/3, is known from the catalogue alone and never changes, for units are cut from the front;
// everything that a choice depends on goes by it: which mixtures a sample draws, and in which order a reference model's units stand. Its
// range, Biology,2005-2007, is what people see wherever it is known: in the IDs of steps, in mixtures and reports. It is known once the corpus
// has been split, and that of a partition's last unit widens when documents come. No key holds either, but for that of the comparison, whose
// tables name mixtures. Where a person names a unit, both are understood.

// UnitNames are the names of units by partition set and partition, in the order of the units. A set is in it once its corpus has been
// split, even where its units have no other names than their numbers.
type UnitNames map[string]map[string][]string

// unit is the name of unit u as people see it.
func (p part) unit(u int) string {
	if p.names != nil {
		return p.names[u]
	}
	return p.numbered(u)
}

func (p part) numbered(u int) string { return fmt.Sprintf("%s/%d", p.name, u) }

// unitName is the ID of the training of unit u.
func unitName(p part, u int) string { return "unit/" + p.set + "/" + p.unit(u) }

// name is the component's name as people see it.
func (c component) name() string {
	if c.unit >= 0 && c.part.names != nil {
		return c.part.prefix() + c.part.unit(c.unit)
	}
	return c.numbered()
}

// numbered is the component's name that never changes while the study's sets of partitions stay as they are.
func (c component) numbered() string { return c.part.prefix() + c.bare() }

// bare is the component's name in its set of partitions, which never changes.
func (c component) bare() string {
	if c.unit < 0 || c.part.units == 1 {
		return c.part.name
	}
	return c.part.numbered(c.unit)
}

// prefix is what stands before the names of a partition's units where another set of partitions has one of that name.
func (p part) prefix() string { return strings.TrimSuffix(p.label, p.name) }

// numbered is the mixture's name of its components' names that never change.
func (m mixture) numbered() string {
	names := make([]string, len(m.components))
	for i, c := range m.components {
		names[i] = c.numbered()
	}
	return strings.Join(names, "+")
}

// byName gives the places of components by every name that they have, and lists the names that people see. Such a name goes before a number
// that reads the same, and both before names with the set of partitions in front, which always do.
func byName(all []component) (places map[string]int, names []string) {
	places = map[string]int{}
	for i, x := range all {
		for _, name := range []string{x.name(), x.numbered()} {
			places[x.part.set+"/"+strings.TrimPrefix(name, x.part.prefix())] = i
		}
	}
	for i, x := range all {
		places[x.numbered()] = i
		if x.unit >= 0 {
			places[x.part.prefix()+x.part.numbered(x.unit)] = i
		}
	}
	for i, x := range all {
		places[x.name()] = i
		names = append(names, x.name())
	}
	return places, names
}

// alias makes a step or an average be found by a second name, too.
func (p *Plan) alias(name, id string) {
	if name != id {
		p.aliases[name] = id
	}
}

// named gives the units of a set the names that its split found.
func (s *set) named(found map[string][]string) {
	for i := range s.parts {
		p := &s.parts[i]
		if names := found[p.name]; len(names) == p.units {
			p.names = names
		}
	}
}

// numbered says that units of a set go by numbers now and by ranges once the corpus has been split. One that is ordered by identity has no
// ranges.
func (c *compiler) numbered(set string) bool {
	return c.src.Names[set] == nil && c.study.Partitions[set].Order != "id"
}

// listsRanges says whether a list of mixtures names units of a declared set by ranges that are not known yet.
func (c *compiler) listsRanges(s set) bool {
	if !c.numbered(s.name) {
		return false
	}
	for _, group := range sortedKeys(c.study.Mixtures) {
		spec := c.study.Mixtures[group]
		if spec.Of != "units" || len(spec.From) > 0 && !slices.Contains(spec.From, s.name) && len(spec.Fix) == 0 {
			continue
		}
		known, _ := byName(components(s, true))
		for _, name := range slices.Concat(append(spec.List, spec.Fix)...) {
			if _, ok := known[name]; !ok && specs.RangeOf(strings.TrimPrefix(name, s.name+"/"), partNames(s)) != "" {
				return true
			}
		}
	}
	return false
}

func partNames(s set) []string {
	names := make([]string, len(s.parts))
	for i, p := range s.parts {
		names[i] = p.name
	}
	return names
}
