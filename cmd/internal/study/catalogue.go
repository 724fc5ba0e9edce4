package study

import (
	"fmt"
	"maps"
	"strings"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// units are those of one set of partitions, by partition and in the order of their numbers.
type units struct {
	counts map[string]int
	names  map[string][]string
	tokens map[string][]int64 // nil: not known
}

// unitsOf gives the units that a split of a set of partitions found.
type unitsOf func(c *cache.Cache, set string, e *cache.Entry) (units, error)

// Catalogue gives the units that the split steps found, and keeps their names and sizes among the
// study's sources. It returns nil where one of the splits has not run.
func (p *Compiled) Catalogue() (pipeline.Catalogue, error) {
	found, names, sizes := pipeline.Catalogue{}, pipeline.UnitNames{}, pipeline.UnitSizes{}
	for _, split := range p.Plan.Splits {
		if split.Seed {
			continue
		}
		if p.State.Status[split.Step] != pipeline.Hit {
			return nil, nil
		}
		u, err := p.units(p.Cache, split.PartitionSet, p.State.Entries[split.Step])
		if err != nil {
			return nil, fmt.Errorf("step %s: %w", p.Plan.Steps[split.Step].ID, err)
		}
		found[split.PartitionSet], names[split.PartitionSet], sizes[split.PartitionSet] = u.counts, u.names, u.tokens
	}
	p.Sources.Names, p.Sources.Sizes = names, sizes
	return found, nil
}

// unitsFound reads the table that a split left in the cache.
func unitsFound(c *cache.Cache, _ string, e *cache.Entry) (u units, err error) {
	path, err := OutputPath(c, e, kind.OutSizes)
	if err != nil {
		return u, err
	}
	rows, err := tables.Sizes(path)
	if err != nil {
		return u, fmt.Errorf("%s: %w", kind.OutSizes, err)
	}
	u = units{counts: map[string]int{}, names: map[string][]string{}, tokens: map[string][]int64{}}
	for _, r := range rows {
		if r.Part == tables.PartUnit { // in the order of their numbers
			u.counts[r.Partition]++
			u.names[r.Partition] = append(u.names[r.Partition], r.Name)
			u.tokens[r.Partition] = append(u.tokens[r.Partition], r.Tokens)
		}
	}
	return u, nil
}

// assume completes a plan whose corpus must be split again with the units that the study's last
// split found, so that a person sees what a change will cost before anything runs; partitions that
// the study names anew count as one unit. The plan says what it assumes. A run assumes nothing.
func (p *Compiled) assume() error {
	last := map[string]*cache.Entry{}
	for e, err := range p.Cache.Entries() {
		if err != nil || e.Kind != kind.Split || e.Provenance.Study != p.Study.Name {
			continue // a damaged entry is nothing to go by
		}
		if old := last[e.Provenance.Step]; old == nil || old.Provenance.Started < e.Provenance.Started {
			last[e.Provenance.Step] = e
		}
	}
	found, names := pipeline.Catalogue{}, pipeline.UnitNames{}
	var assumed []string
	for _, split := range p.Plan.Splits {
		id := p.Plan.Steps[split.Step].ID
		if split.Seed || len(p.Study.Partitions[split.PartitionSet].Units) > 0 {
			continue
		}
		e := last[id]
		if e == nil {
			return nil
		}
		u, err := unitsFound(p.Cache, split.PartitionSet, e)
		if err != nil {
			return nil // nothing to go by
		}
		found[split.PartitionSet], names[split.PartitionSet] = p.selected(split.PartitionSet, u.counts), u.names
		assumed = append(assumed, fmt.Sprintf("%s has the units that it had on %s, and new partitions one each", id, e.Provenance.Started))
	}
	p.Sources.Names = names
	if err := p.plan(found); err != nil {
		return err
	}
	p.Plan.Assumed = strings.Join(assumed, "; ")
	return nil
}

// selected takes from the units found those that the study selects now.
func (p *Compiled) selected(set string, counts map[string]int) map[string]int {
	spec := p.Study.Partitions[set]
	out := map[string]int{}
	if len(spec.Only) == 0 {
		maps.Copy(out, counts)
	}
	for _, name := range spec.Only {
		out[name] = max(1, counts[name])
	}
	for _, name := range spec.Except {
		delete(out, name)
	}
	return out
}
