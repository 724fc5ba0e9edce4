package train

import (
	"path/filepath"
	"runtime"
	"testing"

	"ablate/cache/table"
	"ablate/stages/internal/stagetest"
)

// A training maps its units and keeps only the order of its sequences: a unit of 20M tokens (40 MB)
// and draws from all of it leave less than 1 MB on the heap, 2 bytes a sequence of the training and
// 4 a sequence of the unit among it.
func TestUnitsAreNotHeld(t *testing.T) {
	const docs, length = 2000, 10_000
	path := filepath.Join(t.TempDir(), "unit.arrow")
	w, err := table.CreateTokens(path, 50_304)
	if err != nil {
		t.Fatal(err)
	}
	doc := make([]uint32, length)
	for d := range docs {
		for i := range doc {
			doc[i] = uint32((d*31 + i) % 50_304)
		}
		if err := w.Append("doc", doc, length, length, length); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	p := stagetest.TrainParams()
	p.Model.Vocab, p.Model.Context = 50_304, 2048
	const sequences = 40_000 // four passes
	p.Batch, p.Tokens = 2048, sequences*2048
	ins := stagetest.NewJob(t, p, stagetest.Roles{}.Numbered("unit", path)).Numbered("unit")
	w, doc = nil, nil
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)

	tr, err := newFeed(ins, p)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.closeUnits()
	stretch, seen := make([]int32, p.Model.Context+1), map[int64]bool{}
	for range sequences {
		at := tr.sequence(stretch)
		seen[at.chunk] = true
		if from := at.chunk * int64(p.Model.Context); stretch[0] != int32((from/length*31+from%length)%50_304) {
			t.Fatalf("sequence %d starts with token %d", at.chunk, stretch[0])
		}
	}
	if int64(len(seen)) != tr.chunks[0] || tr.chunks[0] != (docs*length-1)/2048 {
		t.Errorf("%d of %d sequences drawn, want all of %d", len(seen), tr.chunks[0], (docs*length-1)/2048)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > 1<<20 {
		t.Errorf("the heap grew by %d bytes over a unit of %d tokens, want less than 1 MB", held, tr.units[0].Len())
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 4<<20 {
		t.Errorf("%d bytes allocated to open and read it, want less than 4 MB", allocated)
	}
	runtime.KeepAlive(tr)
}
