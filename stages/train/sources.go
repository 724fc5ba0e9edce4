package train

import (
	"ablate/stages/tables"
)

// sources is what each source gave to the training. The order of all sequences is gone through once
// more, so that a resumed training has the same table.
func (t *training) sources() []tables.SourceRow {
	total := t.steps * int64(t.sequences)
	seen := make([][]bool, len(t.chunks)) // of each unit, the chunks that were read
	for u, n := range t.chunks {
		seen[u] = make([]bool, n)
	}
	t.order.seek(0)
	for range total {
		p := t.order.draw()
		seen[p.unit][p.chunk] = true
	}
	var rows []tables.SourceRow
	counts, u := t.order.counts(), 0
	for i, s := range t.params.Sources {
		row := tables.SourceRow{Source: int64(i), Unit: int64(u), Units: int64(s.Units), Asked: s.Share}
		var sequences, chunks int64
		for range s.Units {
			sequences, chunks = sequences+counts[u], chunks+t.chunks[u]
			row.Available += t.units[u].Len()
			row.Documents += t.documents(u, seen[u])
			u++
		}
		row.Tokens = sequences * int64(t.context)
		row.Share = float64(sequences) / float64(total)
		row.Passes = float64(sequences) / float64(chunks)
		rows = append(rows, row)
	}
	return rows
}

// documents counts the documents of a unit of which an input lies in a chunk that was read.
func (f *feed) documents(u int, seen []bool) (n int64) {
	unit, T := f.units[u], int64(f.context)
	for i := range unit.Docs() {
		from, end := unit.Start(i), min(unit.Start(i+1), int64(len(seen))*T)
		for c := from / T; c*T < end && from < end; c++ {
			if seen[c] {
				n++
				break
			}
		}
	}
	return n
}
