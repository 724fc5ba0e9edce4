package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"ablate/cache"
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// splitChanges is how the units of a split differ from those of the last one of the same study by the same rules, over other documents.
type splitChanges struct {
	since   string // when that one began
	same    int
	changed []string // names, with what came or went
	added   []string
	gone    []string
}

// previousSplit is the last split before e that the study's step left by the same parameters; nil where there is none.
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

// parameters are the ingredients of a key but for the inputs.
func parameters(e *cache.Entry) []cache.Ingredient {
	return slices.DeleteFunc(slices.Clone(e.Ingredients), func(i cache.Ingredient) bool { return strings.HasPrefix(i.Label, "input ") })
}

// changes compares two splits unit by unit. A unit is known by its number, which documents that come later leave it.
func changes(c *cache.Cache, old, now *cache.Entry) (splitChanges, error) {
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
	out := splitChanges{since: old.Provenance.Started}
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
			out.added = append(out.added, a.Name)
			continue
		}
		name := kind.UnitOutput(u.partition, int(u.number))
		was, _ := old.Output(name)
		is, _ := now.Output(name)
		if was.Digest == is.Digest {
			out.same++
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
		out.changed = append(out.changed, fmt.Sprintf("%s (%s%+d documents, %+d tokens)", words, full, a.Documents-b.Documents, a.Tokens-b.Tokens))
	}
	for _, u := range beforeOrder {
		if after[u].Part == "" {
			out.gone = append(out.gone, before[u].Name)
		}
	}
	return out, nil
}

// printChanges says which units of each split are others than the last time, so that nobody is surprised by what trains again: documents that
// come late, of years that are in a full unit, change that unit.
func printChanges(w io.Writer, p *study.Compiled) {
	for _, split := range p.Plan.Splits {
		step, e := p.Plan.Steps[split.Step], p.State.Entries[split.Step]
		old := previousSplit(p.Cache, e, p.Study.Name, step.ID)
		if old == nil {
			continue
		}
		d, err := changes(p.Cache, old, e)
		if err != nil {
			continue // what the old split left is gone: there is nothing to compare with
		}
		show.Printf(w, "Since %s was split on %s, %d units are as they were, %d changed, %d are new, %d are gone.\n",
			split.Set, d.since, d.same, len(d.changed), len(d.added), len(d.gone))
		for _, l := range []struct {
			what  string
			names []string
		}{{"changed", d.changed}, {"new", d.added}, {"gone", d.gone}} {
			if n := len(l.names); n > mostChanges {
				l.names = append(l.names[:mostChanges], fmt.Sprintf("%d more", n-mostChanges))
			}
			if len(l.names) > 0 {
				show.Printf(w, "  %s: %s\n", l.what, strings.Join(l.names, "; "))
			}
		}
		fmt.Fprintln(w)
	}
}

// mostChanges is how many names of units a line of changes has.
const mostChanges = 12
