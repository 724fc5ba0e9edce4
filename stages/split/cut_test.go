package split

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// docsOf makes documents whose lengths with EOS are as given.
func docsOf(lengths ...int64) []document {
	var docs []document
	for i, n := range lengths {
		docs = append(docs, document{id: fmt.Sprintf("%02d", i), tokens: n - 1})
	}
	return docs
}

func TestCutUnits(t *testing.T) {
	for _, c := range []struct {
		name     string
		lengths  []int64
		tokens   int64
		declared int
		want     []int64 // tokens of each unit
		unused   int64
	}{
		{"nothing", nil, 10, 0, nil, 0},
		{"one unit of everything", []int64{3, 4}, 0, 0, []int64{7}, 0},
		{"a unit ends at the document that reaches it", []int64{6, 6, 6, 6}, 10, 0, []int64{12, 12}, 0},
		{"exactly", []int64{5, 5, 10}, 10, 0, []int64{10, 10}, 0},
		{"tail below half joins the last", []int64{10, 10, 4}, 10, 0, []int64{10, 14}, 0},
		{"tail of half is a unit", []int64{10, 10, 5}, 10, 0, []int64{10, 10, 5}, 0},
		{"odd unit, tail below half", []int64{11, 5}, 11, 0, []int64{16}, 0},
		{"odd unit, tail above half", []int64{11, 6}, 11, 0, []int64{11, 6}, 0},
		{"less than half in all", []int64{2, 2}, 10, 0, nil, 4},
		{"half in all", []int64{2, 3}, 10, 0, []int64{5}, 0},
		{"declared, the rest is unused", []int64{10, 10, 10, 3}, 10, 2, []int64{10, 10}, 13},
		{"declared, the tail is unused", []int64{10, 10, 3}, 10, 2, []int64{10, 10}, 3},
		{"declared, the last may be a tail of half", []int64{10, 6}, 10, 2, []int64{10, 6}, 0},
		{"declared more than there is", []int64{10, 3}, 10, 2, []int64{10}, 3},
		{"declared, less than half in all", []int64{3}, 10, 1, nil, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := cutUnits(docsOf(c.lengths...), c.tokens, c.declared, documentEnds)
			var sizes []int64
			for _, u := range got.units {
				sizes = append(sizes, trainingTokens(u))
			}
			if diff := cmp.Diff(c.want, sizes); diff != "" {
				t.Errorf("units, - want, + got:\n%s", diff)
			}
			if n := trainingTokens(got.unused); n != c.unused {
				t.Errorf("%d tokens unused, want %d", n, c.unused)
			}
			var all []document
			for _, u := range got.units {
				all = append(all, u...)
			}
			if all = append(all, got.unused...); len(all) != len(c.lengths) {
				t.Fatalf("%d documents out of %d", len(all), len(c.lengths))
			}
			for i, d := range all {
				if d.id != fmt.Sprintf("%02d", i) {
					t.Errorf("document %d is %s: out of order", i, d.id)
				}
			}
		})
	}
}

func TestAppendedDocumentsChangeTheLastUnitOnly(t *testing.T) {
	lengths := []int64{4, 9, 2, 2, 7, 3, 8, 1, 6}
	old := cutUnits(docsOf(lengths...), 10, 0, documentEnds).units
	grown := cutUnits(docsOf(append(lengths, 5, 5, 12)...), 10, 0, documentEnds).units
	if diff := cmp.Diff(old[:len(old)-1], grown[:len(old)-1], cmp.AllowUnexported(document{}, orderValue{})); diff != "" {
		t.Errorf("old units changed:\n%s", diff)
	}
}

func TestSortDocuments(t *testing.T) {
	var docs []document
	for i, v := range []string{"NA", "2001", "1e3", "alpha", "999", "-5", "2001", "inf"} {
		docs = append(docs, document{id: fmt.Sprint(9 - i), order: newOrderValue(v)})
	}
	sortDocuments(docs)
	var got []string
	for _, d := range docs {
		got = append(got, d.order.text+"#"+d.id)
	}
	want := []string{"-5#4", "999#5", "1e3#7", "2001#3", "2001#8", "NA#9", "alpha#6", "inf#2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("- want, + got:\n%s", diff)
	}
}

func TestHoldOut(t *testing.T) {
	count := func(seed int64, validation, test float64) (n [3]int) {
		for i := range 20_000 {
			n[holdOut(seed, fmt.Sprint("document ", i), validation, test)]++
		}
		return n
	}
	for _, c := range []struct {
		name             string
		validation, test float64
		want             [3]int // per cent, train, test, validation
	}{
		{"none", 0, 0, [3]int{100, 0, 0}},
		{"all for test", 0, 1, [3]int{0, 100, 0}},
		{"all for validation", 1, 0, [3]int{0, 0, 100}},
		{"some of each", 0.1, 0.05, [3]int{85, 5, 10}},
	} {
		n := count(1, c.validation, c.test)
		for f, want := range c.want {
			// Three standard deviations of a binomial of 20,000 are at most 0.8 per cent.
			if got := float64(n[f]) / 200; got < float64(want)-1 || got > float64(want)+1 || (want == 0 && n[f] > 0) {
				t.Errorf("%s: %d documents of 20,000 with fate %d, want about %d per cent", c.name, n[f], f, want)
			}
		}
	}
	for i := range 1000 {
		id := fmt.Sprint(i)
		if holdOut(1, id, 0.05, 0.05) == toTest && holdOut(1, id, 0.3, 0.2) != toTest {
			t.Fatalf("document %s leaves the test set when it grows", id)
		}
		if holdOut(1, id, 0.05, 0.05) == toValidation && holdOut(1, id, 0.3, 0.2) != toValidation {
			t.Fatalf("document %s leaves the validation set when it grows", id)
		}
	}
	if count(1, 0.5, 0) == count(2, 0.5, 0) {
		t.Error("seeds 1 and 2 hold out the same number of documents")
	}
}
