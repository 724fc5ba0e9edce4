package split

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
	"ablate/stages/text"
)

var texts = stagetest.Texts{Train: text.Tokenizer, Tokenize: text.Tokenize}

func TestSplitAccountsForEveryDocument(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	docs := stagetest.SmallCorpus(120, "Go", "c", "tex/math")
	p := stagetest.SplitParams(t, tokenizer)
	p.Except = []string{"tex/math"}
	r := stagetest.Run(t, Kind, p, stagetest.Shards(texts.Tokenized(t, tokenizer, docs[:50]...), texts.Tokenized(t, tokenizer, docs[40:]...))) // ten come twice
	c := stagetest.ReadCatalogue(t, r)
	if len(c.Units) != 2 || c.Units["Go"] < 2 || c.Units["c"] < 2 {
		t.Fatalf("catalogue %+v, want some units of Go and c", c)
	}
	byID := map[string]stagetest.Line{}
	for _, d := range docs {
		byID[d.ID] = d
	}
	seen := map[string]string{}
	sizes := map[string]tables.SizeRow{}
	var documents int64
	for _, s := range stagetest.ReadTable[tables.SizeRow](t, r, kind.OutSizes) {
		sizes[fmt.Sprint(s.Partition, s.Part, s.Unit)] = s
		documents += s.Documents
	}
	check := func(name, partition, part string, unit int) []string {
		ids, tokens := stagetest.IdsOf(t, r.Path(name), p.EOS, part == tables.PartUnit)
		if s := sizes[fmt.Sprint(partition, part, unit)]; s.Documents != int64(len(ids)) || s.Tokens != tokens {
			t.Errorf("%s has %d documents of %d tokens, sizes say %+v", name, len(ids), tokens, s)
		}
		for _, id := range ids {
			if byID[id].Area != partition || seen[id] != "" {
				t.Errorf("document %s of area %s in %s, before in %q", id, byID[id].Area, name, seen[id])
			}
			seen[id] = name
		}
		return ids
	}
	for partition, n := range c.Units {
		last := ""
		for u := range n {
			for _, id := range check(kind.UnitOutput(partition, u), partition, tables.PartUnit, u) {
				if at := byID[id].Year + id; at < last {
					t.Errorf("%s unit %d: %s is out of order", partition, u, at)
				} else {
					last = at
				}
			}
		}
		check(kind.TestOutput(partition), partition, tables.PartTest, -1)
		check(kind.ValidationOutput(partition), partition, tables.PartValidation, -1)
	}
	if len(seen) != 80 {
		t.Errorf("%d documents in units and held-out sets, want 80", len(seen))
	}
	if got := sizes[fmt.Sprint("tex/math", tables.PartExcluded, -1)].Documents; got != 40 {
		t.Errorf("%d documents left out, want 40", got)
	}
	if got := sizes[fmt.Sprint("", tables.PartDuplicate, -1)].Documents; got != 10 || documents != 130 {
		t.Errorf("%d duplicates of %d documents, want 10 of 130", got, documents)
	}
}

func TestSplitDependsOnDocumentsNotOnFiles(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	docs := stagetest.SmallCorpus(90, "go", "c")
	p := stagetest.SplitParams(t, tokenizer)
	p.Against = []string{kind.AgainstHeldout}
	one := stagetest.Run(t, Kind, p, stagetest.Shards(texts.Tokenized(t, tokenizer, docs...)))
	two := stagetest.Run(t, Kind, p, stagetest.Shards(texts.Tokenized(t, tokenizer, docs[60:]...), texts.Tokenized(t, tokenizer, docs[:60]...)))
	stagetest.SameOutputs(t, one, two)
}

func TestSplitLeavesOldUnitsWhenDocumentsArrive(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	docs := stagetest.SmallCorpus(90, "go", "c")
	late := stagetest.SmallCorpus(120, "go", "c")[90:]
	for i := range late {
		late[i].Year = "2030"
	}
	late = append(late, stagetest.Line{ID: "rust", Text: stagetest.Prose(7, 900), Area: "rust", Year: "1980"})
	p := stagetest.SplitParams(t, tokenizer)
	p.Small, p.Test = kind.SmallKeep, 0
	old := stagetest.Run(t, Kind, p, stagetest.Shards(texts.Tokenized(t, tokenizer, docs...)))
	grown := stagetest.Run(t, Kind, p, stagetest.Shards(texts.Tokenized(t, tokenizer, docs...), texts.Tokenized(t, tokenizer, late...)))
	before, after := old.Outputs(t), grown.Outputs(t)
	for partition, n := range stagetest.ReadCatalogue(t, old).Units {
		for u := range n - 1 {
			if name := kind.UnitOutput(partition, u); before[name] != after[name] {
				t.Errorf("%s changed", name)
			}
		}
	}
	if c := stagetest.ReadCatalogue(t, grown); c.Units["rust"] == 0 || c.Units["go"] <= stagetest.ReadCatalogue(t, old).Units["go"] {
		t.Errorf("catalogue %v has no more than before", c)
	}
}

func TestSplitDeclared(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	in := stagetest.Shards(texts.Tokenized(t, tokenizer, stagetest.SmallCorpus(90, "go", "c")...))
	p := stagetest.SplitParams(t, tokenizer)
	free := stagetest.Run(t, Kind, p, in)
	n := stagetest.ReadCatalogue(t, free).Units["go"]
	p.Declared = map[string]int{"go": 2}
	r := stagetest.Run(t, Kind, p, in)
	if diff := cmp.Diff(tables.Catalogue{Units: map[string]int{"go": 2}}, stagetest.ReadCatalogue(t, r)); diff != "" {
		t.Errorf("catalogue, - want, + got:\n%s", diff)
	}
	name := kind.UnitOutput("go", 1)
	if free.Outputs(t)[name] != r.Outputs(t)[name] {
		t.Errorf("%s changed when %d units became 2", name, n)
	}
	unused := false
	for _, s := range stagetest.ReadTable[tables.SizeRow](t, r, kind.OutSizes) {
		unused = unused || s.Part == tables.PartUnused && s.Partition == "go" && s.Tokens > 0
	}
	if !unused {
		t.Error("sizes tell of no unused text")
	}
	p.Declared = map[string]int{"go": 50}
	stagetest.Fail(t, Kind, p, in, `partition "go"`, "50 units of 1000 tokens", fmt.Sprintf("make %d", n))
	p.Declared = map[string]int{"g": 1, "Java": 2}
	stagetest.Fail(t, Kind, p, in, `"g"; the corpus has c, go`, `"Java"; the corpus has`)
}

func TestSplitRefuses(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	docs := append(stagetest.SmallCorpus(90, "go", "c"), stagetest.Line{ID: "x1", Text: stagetest.Prose(1, 30), Area: "tex", Year: "1"}, stagetest.Line{ID: "x2", Text: stagetest.Prose(2, 20), Area: "lisp", Year: "1"})
	in := stagetest.Shards(texts.Tokenized(t, tokenizer, docs...))
	for _, c := range []struct {
		name   string
		change func(*kind.SplitParams)
		want   []string
	}{
		{"small partitions, all of them", func(p *kind.SplitParams) {}, []string{"2 of 4 partitions have less than half a unit of 1000 tokens", "tex (", "lisp (", "small: drop"}},
		{"only of an unknown partition", func(p *kind.SplitParams) { p.Only = []string{"go", "texx"} }, []string{`partition "texx"; the corpus has tex,`}},
		{"nothing left", func(p *kind.SplitParams) { p.Except = []string{"go", "c", "tex", "lisp"} }, []string{"all partitions are left out", "c, go, lisp, tex"}},
		{"unknown metadata", func(p *kind.SplitParams) { p.By = []string{"aera"} }, []string{`no metadata "aera"; there is area, year`}},
		{"unknown order", func(p *kind.SplitParams) { p.Order = "date" }, []string{`no metadata "date"`}},
		{"everything held out", func(p *kind.SplitParams) { p.Test, p.Validation, p.UnitTokens = 1, 0, 0 }, []string{"are held out, none is left to train on"}},
		{"nothing to test", func(p *kind.SplitParams) { p.Test = 1e-9; p.Only = []string{"go", "c"} }, []string{"2 partitions have no document among the 1e-07% held out for test", "go (", "c ("}},
		{"all partitions small", func(p *kind.SplitParams) { p.UnitTokens, p.Small = 1<<40, kind.SmallDrop }, []string{"no partition has half a unit of 1099511627776 tokens"}},
		{"against a word unknown", func(p *kind.SplitParams) { p.Against = []string{"evil"} }, []string{"internal error"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := stagetest.SplitParams(t, tokenizer)
			c.change(&p)
			stagetest.Fail(t, Kind, p, in, c.want...)
		})
	}
}

func TestSplitSmall(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	in := stagetest.Shards(texts.Tokenized(t, tokenizer, append(stagetest.SmallCorpus(90, "go", "c"), stagetest.Line{ID: "x1", Text: stagetest.Prose(1, 30), Area: "tex", Year: "1"})...))
	p := stagetest.SplitParams(t, tokenizer)
	p.Test, p.Small = 0, kind.SmallKeep
	if c := stagetest.ReadCatalogue(t, stagetest.Run(t, Kind, p, in)); c.Units["tex"] != 1 {
		t.Errorf("keep: catalogue %+v, want one unit of tex", c)
	}
	p.Small = kind.SmallDrop
	c := stagetest.ReadCatalogue(t, stagetest.Run(t, Kind, p, in))
	if _, ok := c.Units["tex"]; ok || !strings.Contains(c.Dropped["tex"], "less than half a unit of 1000") {
		t.Errorf("drop: catalogue %+v, want tex dropped with its size", c)
	}
}

func TestSplitOfOnePartition(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	p := stagetest.SplitParams(t, tokenizer)
	p.By, p.UnitTokens, p.Order = nil, 0, kind.OrderByID
	r := stagetest.Run(t, Kind, p, stagetest.Shards(texts.Tokenized(t, tokenizer, stagetest.SmallCorpus(20, "go", "c")...)))
	if diff := cmp.Diff(tables.Catalogue{Units: map[string]int{"all": 1}}, stagetest.ReadCatalogue(t, r)); diff != "" {
		t.Errorf("catalogue, - want, + got:\n%s", diff)
	}
	ids, _ := stagetest.IdsOf(t, r.Path(kind.UnitOutput("all", 0)), p.EOS, true)
	if !slices.IsSorted(ids) || len(ids) < 10 {
		t.Errorf("documents %v, want most of 20, sorted", ids)
	}
}

func TestSplitDecontaminates(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	docs := stagetest.SmallCorpus(90, "go", "c")
	licence := strings.TrimSpace(stagetest.Prose(1000, 15))
	for i := range docs {
		docs[i].Text = strings.ReplaceAll(stagetest.Prose(i, 60), "\n", fmt.Sprintf("%d\n", i)) + "\n" // no shared lines
		if i%10 == 0 {
			docs[i].Text = licence + "\n" + docs[i].Text
		}
	}
	p := stagetest.SplitParams(t, tokenizer)
	p.Validation = 0
	plain := stagetest.Run(t, Kind, p, stagetest.Shards(texts.Tokenized(t, tokenizer, docs...)))
	first, _ := stagetest.IdsOf(t, plain.Path(kind.UnitOutput("go", 0)), p.EOS, true)
	stolen := docs[slices.IndexFunc(docs, func(d stagetest.Line) bool { return d.ID == first[1] })]
	line0, _, _ := strings.Cut(strings.TrimPrefix(stolen.Text, licence+"\n"), "\n")

	// An evaluation set with a line of a unit's document.
	set := texts.Tokenized(t, tokenizer, stagetest.Line{ID: "exam", Text: "Question:\n  " + line0 + "\nEnd."})
	in := stagetest.Shards(texts.Tokenized(t, tokenizer, docs...))
	in.Numbered("against", set.Path(kind.OutParagraphs))
	p.Against = []string{kind.AgainstEval}
	r := stagetest.Run(t, Kind, p, in)
	ledger := stagetest.ReadTable[tables.LedgerRow](t, r, kind.OutLedger)
	if len(ledger) != 1 {
		t.Fatalf("ledger %+v, want one row", ledger)
	}
	left, _ := stagetest.IdsOf(t, r.Path(kind.UnitOutput("go", 0)), p.EOS, true)
	if diff := cmp.Diff(append(slices.Clone(first[:1]), first[2:]...), left); diff != "" {
		t.Errorf("unit 0 of go, - want, + got:\n%s", diff)
	}
	got := ledger[0]
	if got.Tokens < 20 {
		t.Errorf("ledger says %d tokens", got.Tokens)
	}
	want := tables.LedgerRow{Partition: "go", Unit: 0, Name: got.Name, Document: first[1], Tokens: got.Tokens, EvalSet: "against.0", EvalID: "exam", Paragraph: fmt.Sprintf("%x", tables.FingerprintOf(line0))}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(tables.LedgerRow{})); diff != "" {
		t.Errorf("ledger, - want, + got:\n%s", diff)
	}
	before, after := plain.Outputs(t), r.Outputs(t)
	for name := range before {
		if changed := before[name] != after[name]; changed && name != kind.UnitOutput("go", 0) && !slices.Contains([]string{kind.OutLedger, kind.OutFilter, kind.OutSizes, kind.OutTimeline}, name) {
			t.Errorf("%s changed", name)
		}
	}
	for _, s := range stagetest.ReadTable[tables.SizeRow](t, r, kind.OutSizes) {
		removed := s.Part == tables.PartUnit && s.Partition == "go" && s.Unit == 0
		if (s.RemovedDocuments == 1 && s.RemovedTokens == got.Tokens) != removed {
			t.Errorf("sizes: %+v", s)
		}
	}

	// The licence in held-out documents removes whoever has it, unless it is common.
	p.Against = []string{kind.AgainstHeldout}
	removed := stagetest.ReadTable[tables.LedgerRow](t, stagetest.Run(t, Kind, p, in), kind.OutLedger)
	if len(removed) == 0 {
		t.Fatal("no document removed because of the held-out ones")
	}
	for _, row := range removed {
		if row.EvalSet != "heldout test" || !strings.HasSuffix(row.Document, "0") {
			t.Errorf("removed %+v, want only documents with the licence", row)
		}
	}
	for i := range docs {
		docs[i].Text = licence + "\n" + docs[i].Text
	}
	stagetest.Fail(t, Kind, p, stagetest.Shards(texts.Tokenized(t, tokenizer, docs...)), `partition "c": decontamination removes all its`, `partition "go"`, "decontaminate.overlap")
	p.Common = 3
	if rows := stagetest.ReadTable[tables.LedgerRow](t, stagetest.Run(t, Kind, p, stagetest.Shards(texts.Tokenized(t, tokenizer, docs...))), kind.OutLedger); len(rows) != 0 {
		t.Errorf("a licence that all have removes %d documents", len(rows))
	}

	// Nor is it enough of any document; a copy of a held-out document is.
	p.Common, p.Overlap = 0, 0.5
	copied := docs[slices.IndexFunc(docs, func(d stagetest.Line) bool { return d.Area == "go" && heldOutIn(t, plain, d.ID) })]
	leak := stagetest.Line{ID: "copy", Area: "go", Year: copied.Year, Text: copied.Text}
	rows := stagetest.ReadTable[tables.LedgerRow](t, stagetest.Run(t, Kind, p, stagetest.Shards(texts.Tokenized(t, tokenizer, append(slices.Clone(docs), leak)...))), kind.OutLedger)
	if len(rows) != 1 || rows[0].Document != "copy" || rows[0].EvalID != copied.ID {
		t.Errorf("with overlap 50%% the ledger is %+v, want the copy of %s alone", rows, copied.ID)
	}
}

// heldOutIn says whether a split keeps a document to evaluate on.
func heldOutIn(t *testing.T, r stagetest.Result, id string) bool {
	t.Helper()
	ids, _ := stagetest.IdsOf(t, r.Path(kind.TestOutput("go")), 0, false)
	return slices.Contains(ids, id)
}
