package split

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
)

// tiny are documents of two areas that have less than half a unit each, and three quarters
// together.
func tiny() []stagetest.Line {
	var docs []stagetest.Line
	for i, area := range []string{"tex", "lisp"} {
		for n := range 3 {
			docs = append(docs, stagetest.Line{ID: area + string(rune('0'+n)), Text: stagetest.Prose(10*i+n, 60), Area: area, Year: []string{"1999", "2001", "2000"}[n]})
		}
	}
	return docs
}

func TestSplitMergesSmallPartitions(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	in := stagetest.Shards(texts.Tokenized(t, tokenizer, append(stagetest.SmallCorpus(90, "go", "c"), tiny()...)...))
	p := stagetest.SplitParams(t, tokenizer)
	p.Test, p.Validation, p.Small = 0, 0, kind.SmallMerge
	r := stagetest.Run(t, Kind, p, in)
	c := stagetest.ReadCatalogue(t, r)
	if c.Units["other"] != 1 || len(c.Units) != 3 || !cmp.Equal(c.Merged, map[string]string{"tex": "other", "lisp": "other"}) {
		t.Fatalf("catalogue %+v, want go, c and one unit of other from tex and lisp", c)
	}
	ids, _ := stagetest.IdsOf(t, r.Path(kind.UnitOutput("other", 0)), p.EOS, true)
	if want := []string{"lisp0", "tex0", "lisp2", "tex2", "lisp1", "tex1"}; !slices.Equal(ids, want) {
		t.Errorf("documents of other are %v, want %v: by year, then identity", ids, want)
	}
	plain := p
	plain.Small, plain.Except = kind.SmallError, []string{"tex", "lisp"}
	now := r.Outputs(t)
	for name, was := range stagetest.Run(t, Kind, plain, in).Outputs(t) {
		if strings.HasPrefix(name, kind.UnitsFolder) && was != now[name] {
			t.Errorf("%s changed because small partitions were merged", name)
		}
	}
	p.Except = []string{"lisp"}
	stagetest.Fail(t, Kind, p, in, "all 1 small partitions together have less than half a unit of 1000 tokens: other (")
}

func TestSplitFolds(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	docs := append(stagetest.SmallCorpus(90, "go", "c"), tiny()...)
	in := stagetest.Shards(texts.Tokenized(t, tokenizer, docs...))
	p := stagetest.SplitParams(t, tokenizer)
	p.Test, p.Validation = 0, 0
	p.Fold = map[string]string{"tex": "paper", "lisp": "go"}
	p.Small = kind.SmallDrop
	folded := stagetest.Run(t, Kind, p, in)
	c := stagetest.ReadCatalogue(t, folded)
	if len(c.Units) != 2 || c.Dropped["paper"] == "" {
		t.Errorf("catalogue %+v, want go, c, and paper dropped", c)
	}
	// It is as if the documents had said so themselves.
	for i := range docs {
		if into, ok := p.Fold[docs[i].Area]; ok {
			docs[i].Area = into
		}
	}
	p.Fold = nil
	stagetest.SameOutputs(t, stagetest.Run(t, Kind, p, stagetest.Shards(texts.Tokenized(t, tokenizer, docs...))), folded)
	p.Fold = map[string]string{"texx": "paper"}
	stagetest.Fail(t, Kind, p, in, `fold: no document belongs to partition "texx"; the corpus has tex,`)
}
