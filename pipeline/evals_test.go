package pipeline

import (
	"testing"

	"ablate/cache"
	"ablate/stages/kind"
)

func TestLossesOnDisk(t *testing.T) {
	for _, tt := range []struct {
		name   string
		losses losses
		tokens int64
		want   int64
	}{
		{"a short text", losses{documents: 1000}, 2000, 2000 + 20*11},
		{"a long text", losses{documents: 1000}, 1e9, 2000 + 20*1000},
		{"nobody knows the text", losses{documents: 1000}, -1, 2000 + 20*1000},
		{"a bound on tokens", losses{documents: 1000, tokens: 4000}, 1e9, 2000 + 20*21},
		{"a bound on tokens of what nobody knows", losses{documents: 1000, tokens: 4000}, -1, 2000 + 20*21},
		{"a bound on tokens above a short text", losses{documents: 1000, tokens: 4000}, 200, 2000 + 20*2},
	} {
		if got := tt.losses.disk(tt.tokens); got != tt.want {
			t.Errorf("%s: %d bytes, want %d", tt.name, got, tt.want)
		}
	}
}

// What a plan says of the disk follows the raw files at first, and the text itself once that was
// tokenized and split.
func TestDiskOfEvaluations(t *testing.T) {
	st := parsed(t)
	src := sources()
	src.EvalSets["far"][0].Size = 400_000 // 100,000 tokens, 500 documents
	for i := range src.Corpora["parts"] {
		src.Corpora["parts"][i].Size = 1_200_000 // of which 10% are held out of three partitions: 20,000 tokens each, 100 documents
	}
	p, err := Compile(st, src, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &State{Plan: p, Status: make([]Status, len(p.Steps)), Entries: make([]*cache.Entry, len(p.Steps)), Keys: make([]cache.Key, len(p.Steps))}
	for i := range s.Status {
		s.Status[i] = Waits
	}
	disk := func(id string) int64 {
		t.Helper()
		i, err := p.Find(id)
		if err != nil {
			t.Fatal(err)
		}
		return s.disk(i)
	}
	const far, test = "eval/unit/parts/beta/0/far", "eval/unit/parts/beta/0/test/parts/beta"
	if got, want := disk(far), int64(2000+20*501); got != want {
		t.Errorf("on an evaluation set of known files: %d bytes, want %d", got, want)
	}
	if got, want := disk(test), int64(2000+20*101); got != want {
		t.Errorf("on test documents of known files: %d bytes, want %d", got, want)
	}
	split, err := p.Find("split/parts")
	if err != nil {
		t.Fatal(err)
	}
	s.Status[split] = Hit
	s.Entries[split] = &cache.Entry{Outputs: []cache.Output{{Name: kind.TestOutput("beta"), Size: 2 * 3000}}}
	if got, want := disk(test), int64(2000+20*16); got != want {
		t.Errorf("on test documents that are there: %d bytes, want %d", got, want)
	}
}
