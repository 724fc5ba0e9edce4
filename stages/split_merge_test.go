package stages

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/stages/kind"
)

// tiny are documents of two areas that have less than half a unit each, and three quarters together.
func tiny() []line {
	var docs []line
	for i, area := range []string{"tex", "lisp"} {
		for n := range 3 {
			docs = append(docs, line{ID: area + string(rune('0'+n)), Text: prose(10*i+n, 60), Area: area, Year: []string{"1999", "2001", "2000"}[n]})
		}
	}
	return docs
}

func TestSplitMergesSmallPartitions(t *testing.T) {
	tokenizer := smallTokenizer(t)
	in := shards(tokenized(t, tokenizer, append(smallCorpus(90, "go", "c"), tiny()...)...))
	p := splitParams(t, tokenizer)
	p.Test, p.Validation, p.Small = 0, 0, smallMerge
	r := runKind(t, kind.Split, p, in)
	c := readCatalogue(t, r)
	if c.Units["other"] != 1 || len(c.Units) != 3 || !cmp.Equal(c.Merged, map[string]string{"tex": "other", "lisp": "other"}) {
		t.Fatalf("catalogue %+v, want go, c and one unit of other from tex and lisp", c)
	}
	ids, _ := idsOf(t, r.path(kind.UnitOutput("other", 0)), p.EOS, true)
	if want := []string{"lisp0", "tex0", "lisp2", "tex2", "lisp1", "tex1"}; !slices.Equal(ids, want) {
		t.Errorf("documents of other are %v, want %v: by year, then identity", ids, want)
	}
	plain := p
	plain.Small, plain.Except = smallError, []string{"tex", "lisp"}
	now := r.outputs(t)
	for name, was := range runKind(t, kind.Split, plain, in).outputs(t) {
		if strings.HasPrefix(name, kind.UnitsFolder) && was != now[name] {
			t.Errorf("%s changed because small partitions were merged", name)
		}
	}
	p.Except = []string{"lisp"}
	failKind(t, kind.Split, p, in, "all 1 small partitions together have less than half a unit of 1000 tokens: other (")
}

func TestSplitFolds(t *testing.T) {
	tokenizer := smallTokenizer(t)
	docs := append(smallCorpus(90, "go", "c"), tiny()...)
	in := shards(tokenized(t, tokenizer, docs...))
	p := splitParams(t, tokenizer)
	p.Test, p.Validation = 0, 0
	p.Fold = map[string]string{"tex": "paper", "lisp": "go"}
	p.Small = smallDrop
	folded := runKind(t, kind.Split, p, in)
	c := readCatalogue(t, folded)
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
	sameOutputs(t, runKind(t, kind.Split, p, shards(tokenized(t, tokenizer, docs...))), folded)
	p.Fold = map[string]string{"texx": "paper"}
	failKind(t, kind.Split, p, in, `fold: no document belongs to partition "texx"; the corpus has tex,`)
}
