package report

import (
	"fmt"
	"strings"
	"testing"

	"ablate/stages/internal/stagetest"
	"ablate/stages/tables"
)

// The ledger of a study has the names that its splits do not know, and null where a document is of
// no evaluation set or of no corpus.
func TestLedgerNamesTheSet(t *testing.T) {
	in := layoutStudy(t)
	in.Ledgers = []LayoutLedger{{Set: "areas", Path: stagetest.WriteRows(t,
		tables.LedgerRow{Partition: "a", Unit: 1, Name: "a/1", Document: "x", Tokens: 9, EvalSet: "against.1", EvalID: "far-1", Paragraph: "00ff"},
		tables.LedgerRow{Partition: "b", Name: "b/0", Document: "y", Tokens: 8, EvalSet: "heldout.0 validation", Paragraph: "01", FalsePositive: true},
		tables.LedgerRow{Partition: "b", Name: "b/0", Document: "z", Tokens: 7, EvalSet: "heldout test", EvalID: "w", Paragraph: "02"},
	), Text: func(input string) (string, string, error) {
		switch input {
		case "against.1":
			return "far", "", nil
		case "heldout.0":
			return "", "books", nil
		case "heldout":
			return "", "code", nil
		}
		return "", "", fmt.Errorf("no input %q", input)
	}}}
	want := `partition_set,partition,unit,unit_name,document,tokens,eval_set,held_out_corpus,held_out_part,eval_document,paragraph,false_positive
areas,a,1,a/1,x,9,far,,,far-1,00ff,false
areas,b,0,b/0,y,8,,books,validation,,01,true
areas,b,0,b/0,z,7,,code,test,w,02,false
`
	if got := string(layoutFiles(t, in)["tables/ledger.csv"]); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	in.Ledgers[0].Path = stagetest.WriteRows(t, tables.LedgerRow{Document: "x", EvalSet: "against.7"})
	if _, err := Layouts(in); err == nil || !strings.Contains(err.Error(), `document "x": no input "against.7"`) {
		t.Errorf("a set that is not known: %v", err)
	}
}
