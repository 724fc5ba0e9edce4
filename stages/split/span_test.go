package split

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

func TestSpans(t *testing.T) {
	unit := func(values ...string) (docs []document) {
		for _, v := range values {
			docs = append(docs, document{order: newOrderValue(v)})
		}
		return docs
	}
	for _, c := range []struct {
		name, order string
		units       [][]document
		want        []span
	}{
		{"years", "year", [][]document{unit("1970", "1981", "1993"), unit("1994", "1999")},
			[]span{{"Bio,1970-1993", "1970", "1993"}, {"Bio,1994-1999", "1994", "1999"}}},
		{"several in a year", "year", [][]document{unit("2018", "2019"), unit("2019"), unit("2019", "2019"), unit("2019", "2020")},
			[]span{{"Bio,2018-2019", "2018", "2019"}, {"Bio,2019-2019", "2019", "2019"}, {"Bio,2019-2019#2", "2019", "2019"}, {"Bio,2019-2020", "2019", "2020"}}},
		{"words", "path", [][]document{unit("a/b", "c")}, []span{{"Bio/0", "a/b", "c"}}},
		{"no year at the end", "year", [][]document{unit("2000"), unit("2001", "NA")}, []span{{"Bio,2000-2000", "2000", "2000"}, {"Bio/1", "2001", "NA"}}},
		{"identity", kind.OrderByID, [][]document{unit("2000"), unit("2001")}, []span{{name: "Bio/0"}, {name: "Bio/1"}}},
	} {
		if diff := cmp.Diff(c.want, spans("Bio", c.order, c.units), cmp.AllowUnexported(span{})); diff != "" {
			t.Errorf("%s, - want, + got:\n%s", c.name, diff)
		}
	}
}

func TestSplitNamesUnitsByRange(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	p := stagetest.SplitParams(t, tokenizer)
	r := stagetest.Run(t, Kind, p, stagetest.Shards(texts.Tokenized(t, tokenizer, stagetest.SmallCorpus(120, "go", "c")...)))
	last := map[string]string{}
	for _, s := range stagetest.ReadTable[tables.SizeRow](t, r, kind.OutSizes) {
		if s.Part != tables.PartUnit {
			if s.Name != "" {
				t.Errorf("%+v has a name", s)
			}
			continue
		}
		if s.Name != s.Partition+","+s.First+"-"+s.Last || s.First > s.Last || s.First < last[s.Partition] {
			t.Errorf("unit %q from %s to %s after %s", s.Name, s.First, s.Last, last[s.Partition])
		}
		last[s.Partition] = s.Last
	}
	// The timeline tells the same documents by year.
	type sums struct{ documents, tokens, test, validation, removed int64 }
	var want, got sums
	for _, s := range stagetest.ReadTable[tables.SizeRow](t, r, kind.OutSizes) {
		switch s.Part {
		case tables.PartUnit:
			want.documents, want.tokens, want.removed = want.documents+s.Documents, want.tokens+s.Tokens, want.removed+s.RemovedDocuments
		case tables.PartTest:
			want.test += s.Documents
		case tables.PartValidation:
			want.validation += s.Documents
		}
	}
	before := tables.TimelineRow{}
	for _, row := range stagetest.ReadTable[tables.TimelineRow](t, r, kind.OutTimeline) {
		got.documents, got.tokens, got.removed = got.documents+row.Documents, got.tokens+row.Tokens, got.removed+row.RemovedDocuments
		got.test, got.validation = got.test+row.Test, got.validation+row.Validation
		if row.Partition == before.Partition && (row.Value <= before.Value || row.FirstUnit >= 0 && row.FirstUnit < before.LastUnit) || row.FirstUnit > row.LastUnit {
			t.Errorf("%+v after %+v", row, before)
		}
		before = row
	}
	if got != want {
		t.Errorf("timeline sums to %+v, sizes to %+v", got, want)
	}
}
