package corpora

import (
	"fmt"
	"slices"
	"strings"

	"ablate/cache"
	"ablate/cmd/internal/study"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// Change is how the units of a split differ from those of the last one of the same study by the
// same rules, over other documents: documents that come late, of years that are in a full unit,
// change that unit, which trains again.
type Change struct {
	Set     string
	Since   string   // when the last split began
	Same    int      // units
	Changed []string // names, with what came or went
	Added   []string
	Gone    []string
}

// Changes compares each split of a plan with the last one, where there is one whose outputs are
// still in the cache.
func Changes(p *study.Compiled) []Change {
	var out []Change
	for _, split := range p.Plan.Splits {
		e := p.State.Entries[split.Step]
		old := previousSplit(p.Cache, e, p.Study.Name, p.Plan.Steps[split.Step].ID)
		if old == nil {
			continue
		}
		if d, err := changes(p.Cache, old, e); err == nil { // else what the old split left is gone
			d.Set = split.PartitionSet
			out = append(out, d)
		}
	}
	return out
}

// previousSplit is the last split before e that the study's step left by the same parameters; nil
// where there is none.
func previousSplit(c *cache.Cache, e *cache.Entry, study, step string) *cache.Entry {
	var last *cache.Entry
	rules := parameters(e)
	for old, err := range c.Entries() {
		switch {
		case err != nil || old.Kind != kind.Split || old.Key == e.Key: // a damaged entry tells nothing
		case old.Provenance.Study != study || old.Provenance.Step != step || old.Provenance.Started >= e.Provenance.Started:
		case !slices.Equal(parameters(old), rules):
		case last == nil || last.Provenance.Started < old.Provenance.Started:
			last = old
		}
	}
	return last
}

// parameters are the key inputs of a key but for the inputs.
func parameters(e *cache.Entry) []cache.KeyInput {
	return slices.DeleteFunc(slices.Clone(e.KeyInputs), func(i cache.KeyInput) bool { return strings.HasPrefix(i.Label, "input ") })
}

// changes compares two splits unit by unit. A unit is known by its number, which documents that
// come later leave it.
func changes(c *cache.Cache, old, now *cache.Entry) (Change, error) {
	type unit struct {
		partition string
		number    int64
	}
	read := func(e *cache.Entry) (map[unit]tables.SizeRow, []unit, error) {
		path, err := study.OutputPath(c, e, kind.OutSizes)
		if err != nil {
			return nil, nil, err
		}
		rows, err := tables.Sizes(path)
		units, order := map[unit]tables.SizeRow{}, []unit{}
		for _, r := range rows {
			if r.Part == tables.PartUnit {
				u := unit{r.Partition, r.Unit}
				units[u], order = r, append(order, u)
			}
		}
		return units, order, err
	}
	out := Change{Since: old.Provenance.Started}
	before, beforeOrder, err := read(old)
	if err != nil {
		return out, err
	}
	after, afterOrder, err := read(now)
	if err != nil {
		return out, err
	}
	for _, u := range afterOrder {
		a, b := after[u], before[u]
		if b.Part == "" {
			out.Added = append(out.Added, a.Name)
			continue
		}
		name := kind.UnitOutput(u.partition, int(u.number))
		was, _ := old.Output(name)
		is, _ := now.Output(name)
		if was.Digest == is.Digest {
			out.Same++
			continue
		}
		words := a.Name
		if a.Name != b.Name {
			words += ", which was " + b.Name
		}
		full := ""
		if _, more := before[unit{u.partition, u.number + 1}]; more {
			full = "full unit, "
		}
		out.Changed = append(out.Changed, fmt.Sprintf("%s (%s%+d documents, %+d tokens)", words, full, a.Documents-b.Documents, a.Tokens-b.Tokens))
	}
	for _, u := range beforeOrder {
		if after[u].Part == "" {
			out.Gone = append(out.Gone, before[u].Name)
		}
	}
	return out, nil
}
