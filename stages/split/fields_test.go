package split

import (
	"fmt"
	"strings"
	"testing"

	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
)

// A partition by two fields goes by both values, in the order that the study names them, and holds
// exactly the documents with both.
func TestSplitBySeveralFields(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	docs := stagetest.SmallCorpus(120, "go", "c")
	for i := range docs {
		docs[i].Year = fmt.Sprint(1990 + i%3)
	}
	p := stagetest.SplitParams(t, tokenizer)
	p.By, p.Order, p.UnitTokens, p.Small = []string{"year", "area"}, kind.OrderByID, 400, kind.SmallKeep
	r := stagetest.Run(t, Kind, p, stagetest.Shards(texts.Tokenized(t, tokenizer, docs...)))
	c := stagetest.ReadCatalogue(t, r)
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
			ids, _ := stagetest.IdsOf(t, r.Path(file), p.EOS, i > 1)
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
