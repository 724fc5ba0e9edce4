package train

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"

	"ablate/cache/table"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// Batches are the sequences that a training reads, in their order; BATCHES.md describes it.
type Batches struct {
	Params json.RawMessage // of the step that trains
	Units  []kind.Input    // its inputs unit.N, in their order
}

// metaOrder is the metadata of a file of batches with what their order follows from, as JSON of
// batchOrder.
const metaOrder = "ablate.order"

type batchOrder struct {
	Context  int     `json:"context"`
	Batch    int64   `json:"batch"`
	Tokens   int64   `json:"tokens"`
	Seed     int64   `json:"seed"`
	Sampling string  `json:"sampling"`
	Chunks   []int64 `json:"chunks"` // sequences of each unit

	Sources []kind.Source `json:"sources,omitempty"`
}

// Write writes a row a sequence to path, and returns how many. It holds one row group in memory.
func (b Batches) Write(ctx context.Context, path string) (rows int64, err error) {
	var p kind.TrainParams
	if err := (&kind.Job{Params: b.Params}).Decode(&p); err != nil {
		return 0, err
	}
	f, err := newFeed(b.Units, p)
	if err != nil {
		return 0, fmt.Errorf("batches: %w", err)
	}
	defer f.closeUnits()
	order, err := json.Marshal(batchOrder{p.Model.Context, p.Batch, p.Tokens, p.Seed, p.Sampling, f.chunks, p.Sources})
	if err != nil {
		return 0, err
	}
	w, err := table.CreateRows[tables.BatchRow](path, map[string]string{metaOrder: string(order)})
	if err != nil {
		return 0, fmt.Errorf("batches: %w", err)
	}
	rows, err = f.append(ctx, w)
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return 0, fmt.Errorf("batches: %w", err)
	}
	return rows, nil
}

func (f *feed) append(ctx context.Context, w *table.RowWriter[tables.BatchRow]) (rows int64, err error) {
	for step := range f.steps {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		for n := range f.sequences {
			row := tables.BatchRow{Step: step + 1, Sequence: int64(n), Tokens: make([]int32, f.context+1)}
			at := f.sequence(row.Tokens)
			row.Unit, row.Artifact, row.Chunk = int64(at.unit), f.ins[at.unit].Name, at.chunk
			addDocuments(&row, f.units[at.unit], at.chunk*int64(f.context))
			if err := w.Append(row); err != nil {
				return 0, err
			}
			rows++
		}
	}
	return rows, nil
}

// addDocuments says which documents the row's tokens, which begin at a position of the unit's
// stream, are of.
func addDocuments(r *tables.BatchRow, unit *table.Tokens, from int64) {
	end := from + int64(len(r.Tokens))
	first := sort.Search(unit.Docs(), func(i int) bool { return unit.Start(i+1) > from })
	for i := first; i < unit.Docs() && unit.Start(i) < end; i++ {
		start := unit.Start(i)
		begins, ends := max(from, start), min(end, unit.Start(i+1))
		if begins == ends {
			continue // a document without tokens
		}
		r.IDs = append(r.IDs, unit.Doc(i).ID)
		r.Starts, r.Lengths = append(r.Starts, begins-start), append(r.Lengths, ends-begins)
	}
}
