package split

import (
	"ablate/specs/ident"
	"ablate/stages/kind"
)

// A span is a unit's name and the order values of its first and last document.
type span struct{ name, first, last string }

// spans names the units of a partition. One whose documents are ordered by numbers, such as years,
// goes by its range as in the paper, Biology,1970-1993; where a range is as narrow as to hold
// several units, those after the first are counted: Physics,2019-2019#2. Others are numbered:
// net/0. Names look at the cut alone, so that decontamination changes none, and at no later unit.
// text is the name of the partition as a part of longer names.
func spans(text, order string, units [][]document) []span {
	out := make([]span, len(units))
	times := map[ident.Unit]int{}
	for u, docs := range units {
		out[u].name = text + ident.Unit{Number: u}.Suffix()
		if order == kind.OrderByID {
			continue
		}
		first, last := docs[0].order, docs[len(docs)-1].order
		out[u].first, out[u].last = first.text, last.text
		if !first.num || !last.num {
			continue
		}
		unit := ident.Unit{Number: -1, First: first.text, Last: last.text}
		times[unit]++
		unit.Again = times[unit]
		out[u].name = text + unit.Suffix()
	}
	return out
}
