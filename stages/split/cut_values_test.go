package split

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// yearsOf makes a document of each length with EOS, in years that are given as "2001:5,5 2002:7".
func yearsOf(t *testing.T, text string) (docs []document) {
	t.Helper()
	for _, year := range strings.Fields(text) {
		value, lengths, _ := strings.Cut(year, ":")
		for i, length := range strings.Split(lengths, ",") {
			var n int64
			if _, err := fmt.Sscan(length, &n); err != nil {
				t.Fatal(err)
			}
			docs = append(docs, document{id: fmt.Sprint(value, "-", i), order: newOrderValue(value), tokens: n - 1})
		}
	}
	return docs
}

// stretches describes units as "2001-2002:17".
func stretches(units [][]document) []string {
	var out []string
	for _, u := range units {
		out = append(out, fmt.Sprintf("%s-%s:%d", u[0].order.text, u[len(u)-1].order.text, trainingTokens(u)))
	}
	return out
}

func TestCutWholeYears(t *testing.T) {
	for _, c := range []struct {
		name, years string
		declared    int
		want        []string
		unused      int64
	}{
		{"with the year that reaches it", "2001:3 2002:3,5 2003:5,6", 0, []string{"2001-2002:11", "2003-2003:11"}, 0},
		{"before a year that would take it too far: 10/8 < 16/10", "2001:8 2002:4,4 2003:9", 0, []string{"2001-2001:8", "2002-2002:8", "2003-2003:9"}, 0},
		{"with it where that is nearer: 10/7 > 13/10", "2001:7 2002:6 2003:9", 0, []string{"2001-2002:13", "2003-2003:9"}, 0},
		{"as near both ways, with it: 10/5 = 20/10", "2001:5 2002:15 2003:9", 0, []string{"2001-2002:20", "2003-2003:9"}, 0},
		{"never before it has half", "2001:4 2002:40 2003:9", 0, []string{"2001-2002:44", "2003-2003:9"}, 0},
		{"a large year is one unit", "2001:10,10,10 2002:30", 0, []string{"2001-2001:30", "2002-2002:30"}, 0},
		{"before a large year", "2001:6 2002:30 2003:5", 0, []string{"2001-2001:6", "2002-2002:30", "2003-2003:5"}, 0},
		{"a tail below half joins the last", "2001:10 2002:4", 0, []string{"2001-2002:14"}, 0},
		{"a tail of half is a unit", "2001:10 2002:5", 0, []string{"2001-2001:10", "2002-2002:5"}, 0},
		{"declared", "2001:10 2002:12 2003:10", 2, []string{"2001-2001:10", "2002-2002:12"}, 10},
		{"less than half in all", "2001:2 2002:2", 0, nil, 4},
		{"one number written two ways, and words last", "2001:5 2001.0:6 NA:10", 0, []string{"2001-2001.0:11", "NA-NA:10"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := cutUnits(yearsOf(t, c.years), 10, c.declared, valueEnds)
			if diff := cmp.Diff(c.want, stretches(got.units)); diff != "" {
				t.Errorf("units, - want, + got:\n%s", diff)
			}
			if n := trainingTokens(got.unused); n != c.unused {
				t.Errorf("%d tokens unused, want %d", n, c.unused)
			}
		})
	}
	if n := int64(1) << 40; nearer(n-1, n+1, n) || !nearer(n, n+1, n) { // (n-1)(n+1) < n^2
		t.Error("products beyond 64 bits are compared wrongly")
	}
}

// Whatever there was, and whatever comes of the last year and of later ones: all units but the last
// stay. A document that comes late, of a year within a full unit, leaves those before it, and where
// the unit ends as before those behind it.
func TestCutWholeYearsWhenDocumentsArrive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	some := func(from, to, most int) (docs []document) {
		for range r.IntN(most) {
			docs = append(docs, document{id: fmt.Sprint(r.Uint64()), order: newOrderValue(fmt.Sprint(from + r.IntN(to-from+1))), tokens: r.Int64N(12)})
		}
		return docs
	}
	cutAll := func(docs []document) [][]document {
		sortDocuments(docs)
		return cutUnits(docs, 40, 0, valueEnds).units
	}
	same := func(a, b [][]document) bool {
		return slices.EqualFunc(a, b, func(a, b []document) bool { return slices.Equal(a, b) })
	}
	full, later, stayed := 0, 0, 0
	for range 500 {
		docs := some(1990, 2000, 120)
		old := cutAll(docs)
		if len(old) == 0 {
			continue
		}
		last := int(docs[len(docs)-1].order.number)
		grown := cutAll(append(slices.Clone(docs), some(last, last+4, 80)...))
		full, later = full+len(old)-1, later+len(grown)-len(old)
		if !same(old[:len(old)-1], grown[:len(old)-1]) {
			t.Fatalf("%v became %v", stretches(old), stretches(grown))
		}

		u := r.IntN(len(old))
		year := old[u][r.IntN(len(old[u]))].order
		touched := cutAll(append(slices.Clone(docs), document{id: "late", order: year, tokens: 1}))
		if !same(old[:u], touched[:u]) {
			t.Fatalf("a document of %s in unit %d: %v became %v", year.text, u, stretches(old), stretches(touched))
		}
		if end := func(us [][]document) orderValue { return us[u][len(us[u])-1].order }; end(old) == end(touched) {
			stayed++
			if !same(old[u+1:], touched[u+1:]) {
				t.Fatalf("a document of %s in unit %d, which ends where it did: %v became %v", year.text, u, stretches(old), stretches(touched))
			}
		}
	}
	if full < 500 || later < 200 || stayed < 200 {
		t.Errorf("%d full units, %d later ones, %d ends that stay: too few to tell", full, later, stayed)
	}
}

// Through the kind: units of whole years have names without numbers, late documents change one
// unit, and an order is needed.
func TestSplitIntoWholeYears(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	docs := stagetest.SmallCorpus(120, "go", "c")
	p := stagetest.SplitParams(t, tokenizer)
	p.Cut, p.UnitTokens, p.Validation = kind.CutOrder, 1000, 0
	old := stagetest.Run(t, Kind, p, stagetest.Shards(texts.Tokenized(t, tokenizer, docs...)))
	seen := map[string]string{}
	var second tables.SizeRow
	for _, s := range stagetest.ReadTable[tables.SizeRow](t, old, kind.OutSizes) {
		if s.Part != tables.PartUnit {
			continue
		}
		if s.Name != fmt.Sprintf("%s,%s-%s", s.Partition, s.First, s.Last) || s.First <= seen[s.Partition] {
			t.Errorf("unit %s from %s to %s after %q", s.Name, s.First, s.Last, seen[s.Partition])
		}
		if seen[s.Partition] = s.Last; s.Partition == "go" && s.Unit == 1 {
			second = s
		}
	}
	if n := stagetest.ReadCatalogue(t, old).Units["go"]; n < 4 || second.Name == "" {
		t.Fatalf("%d units of go", n)
	}
	late := stagetest.Line{ID: "late", Text: stagetest.Prose(1, 3), Area: "go", Year: second.First}
	for holdOut(p.Seed, late.ID, 0, p.Test) != toTrain {
		late.ID += "+"
	}
	grown := stagetest.Run(t, Kind, p, stagetest.Shards(texts.Tokenized(t, tokenizer, docs...), texts.Tokenized(t, tokenizer, late)))
	before, after := old.Outputs(t), grown.Outputs(t)
	for name := range before {
		changed := before[name] != after[name]
		if want := name == kind.UnitOutput("go", 1); changed != want && strings.HasPrefix(name, kind.UnitsFolder) {
			t.Errorf("%s changed: %v", name, changed)
		}
	}
	p.Order = kind.OrderByID
	stagetest.Fail(t, Kind, p, stagetest.Shards(texts.Tokenized(t, tokenizer, docs...)), "internal error: split: cut")
}
