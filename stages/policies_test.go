package stages

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/stages/kind"
)

// What each policy of sampling really gave each unit is in the output. The units have 7, 3 and 12 sequences; 44 are trained on.
func TestRealisedShares(t *testing.T) {
	units := testUnits(t)
	for _, c := range []struct {
		sampling string
		want     []int64 // sequences
	}{
		{samplingEqual, []int64{15, 15, 14}},
		{samplingProportional, []int64{14, 6, 24}},
		// Whole copies: 7 floor(12/7) : 3 floor(12/3) : 12, so 7 : 12 : 12.
		{samplingRepeat, []int64{10, 17, 17}},
		{samplingReplacement, []int64{15, 15, 14}},
	} {
		p := trainParams()
		p.Tokens, p.Sampling, p.Moments = 44*16, c.sampling, false
		var got []int64
		for i, s := range readTable[ShareRow](t, runKind(t, kind.Train, p, units), kind.OutShares) {
			got = append(got, s.Tokens/16)
			if n := float64(s.Tokens / 16); s.Unit != int64(i) || s.Share != n/44 || s.Epochs != n/[]float64{7, 3, 12}[i] {
				t.Errorf("%s: share %+v of %g sequences", c.sampling, s, n)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: sequences, - want, + got:\n%s", c.sampling, diff)
		}
	}
}

// A partition by two fields goes by both values, in the order that the study names them, and holds exactly the documents with both.
func TestSplitBySeveralFields(t *testing.T) {
	tokenizer := smallTokenizer(t)
	docs := smallCorpus(120, "go", "c")
	for i := range docs {
		docs[i].Year = fmt.Sprint(1990 + i%3)
	}
	p := splitParams(t, tokenizer)
	p.By, p.Order, p.UnitTokens, p.Small = []string{"year", "area"}, orderByID, 400, smallKeep
	r := runKind(t, kind.Split, p, shards(tokenized(t, tokenizer, docs...)))
	c := readCatalogue(t, r)
	if len(c.Units) != 6 || c.Units["1991/c"] < 2 {
		t.Fatalf("catalogue %+v, want three years of two areas", c)
	}
	seen := 0
	for name, n := range c.Units {
		files := []string{kind.TestOutput(name), kind.ValidationOutput(name)}
		for u := range n {
			files = append(files, kind.UnitOutput(name, u))
		}
		for i, file := range files {
			ids, _ := idsOf(t, r.path(file), p.EOS, i > 1)
			for _, id := range ids {
				seen++
				var k int
				if _, err := fmt.Sscanf(id, "doc-%d", &k); err != nil {
					t.Fatal(err)
				}
				if want := docs[k].Year + "/" + docs[k].Area; name != want || !strings.Contains(file, want[:4]) {
					t.Errorf("%s of %s is in %s of %s", id, want, file, name)
				}
			}
		}
	}
	if seen != len(docs) {
		t.Errorf("%d documents, want %d", seen, len(docs))
	}
}
