package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ablate/stages/internal/stagetest"
	"ablate/stages/tables"
)

func TestReportShowsTheDataByYear(t *testing.T) {
	in := pairsStudy(t)
	filter := filepath.Join(t.TempDir(), "filter.json")
	if err := os.WriteFile(filter, []byte(`{"filter": "exact", "sets": [{"eval_set": "heldout test", "documents": 5, "paragraphs": 41}, {"eval_set": "against.0", "documents": 7, "paragraphs": 77}]}`), 0o666); err != nil {
		t.Fatal(err)
	}
	s := &in.Splits[0]
	s.Set, s.Order, s.Filter = "areas", "year", filter
	s.Words = func(set string) string { return map[string]string{"against.0": "eval/far"}[set] }
	s.Ledger = stagetest.WriteRows(t, tables.LedgerRow{Partition: "a", EvalSet: "against.0", Tokens: 100}, tables.LedgerRow{Partition: "a", EvalSet: "against.0", Tokens: 50})
	s.Sizes = stagetest.WriteRows(t, tables.SizeRow{Partition: "a", Part: tables.PartUnit, Unit: 0, Name: "a,1990-1999"}, tables.SizeRow{Partition: "a", Part: tables.PartUnit, Unit: 1, Name: "a,1999-2004"},
		tables.SizeRow{Partition: "b", Part: tables.PartUnit, Name: "b,2000-2000"})
	s.Timeline = stagetest.WriteRows(t,
		tables.TimelineRow{Partition: "a", Value: "1999", Documents: 31, Tokens: 3100, FirstUnit: 0, LastUnit: 1, Test: 4, Validation: 2, RemovedDocuments: 2, RemovedTokens: 150},
		tables.TimelineRow{Partition: "b", Value: "2001", FirstUnit: -1, LastUnit: -1, Test: 9})
	text := reportText(t, in)
	for _, want := range []string{"eval/far text 7 77 2 150", "areas by year 2 rows", "a 1999 31 3,100 1990-1999 to 1999-2004 6 2 150", "looked up in an exact set", "b 2001 0 0 – 9 0 0"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
	s.Ledger = filepath.Join(t.TempDir(), "missing")
	if _, err := Page(in); err == nil || !strings.Contains(err.Error(), "set areas") {
		t.Errorf("without a ledger: error %v, want one that names the set", err)
	}
}

func TestUnitsOfATimelineRow(t *testing.T) {
	for _, c := range []struct {
		first, last int64
		want        string
	}{{-1, -1, ""}, {1, 1, "1990-1993"}, {1, 2, "1990-1993 to 1993-1996"}} {
		if got := (tables.TimelineRow{FirstUnit: c.first, LastUnit: c.last}).Units([]string{"0", "1990-1993", "1993-1996"}); got != c.want {
			t.Errorf("units %d to %d: %q, want %q", c.first, c.last, got, c.want)
		}
	}
}
