package split

import (
	"maps"
	"slices"

	"ablate/stages/kind"
	"ablate/stages/tables"
)

// timeline says for each value of the order, such as each year, what a partition has of it. A set
// that is ordered by identity alone has one row a partition.
func (s *splitting) timeline() []tables.TimelineRow {
	var rows []tables.TimelineRow
	for _, name := range s.kept() {
		p := s.partitions[name]
		by := map[string]*tables.TimelineRow{}
		values := map[string]orderValue{}
		at := func(d document) *tables.TimelineRow {
			v := d.order
			if s.params.Order == kind.OrderByID {
				v = orderValue{}
			}
			r := by[v.text]
			if r == nil {
				r = &tables.TimelineRow{Partition: name, Value: v.text, FirstUnit: -1, LastUnit: -1}
				by[v.text], values[v.text] = r, v
			}
			return r
		}
		reach := func(r *tables.TimelineRow, unit int) {
			if r.FirstUnit < 0 {
				r.FirstUnit = int64(unit)
			}
			r.LastUnit = int64(unit)
		}
		for u := range p.cut.units {
			for _, d := range p.cut.units[u] {
				r := at(d)
				reach(r, u)
				r.Documents, r.Tokens = r.Documents+1, r.Tokens+d.tokens+1
			}
			for _, d := range p.removed[u] {
				r := at(d)
				reach(r, u)
				r.RemovedDocuments, r.RemovedTokens = r.RemovedDocuments+1, r.RemovedTokens+d.tokens+1
			}
		}
		for _, d := range p.test {
			at(d).Test++
		}
		for _, d := range p.validation {
			at(d).Validation++
		}
		for _, d := range p.cut.unused {
			at(d).Unused++
		}
		sorted := slices.SortedFunc(maps.Values(values), compareValues)
		for _, v := range sorted {
			rows = append(rows, *by[v.text])
		}
	}
	return rows
}
