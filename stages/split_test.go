package stages

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/cache/table"
	"ablate/stages/kind"
)

// splitParams are those of a split of the small corpus into areas.
func splitParams(t *testing.T, tokenizer string) kind.SplitParams {
	t.Helper()
	tok := loadTokenizer(t, tokenizer)
	eos, err := tok.EOS()
	if err != nil {
		t.Fatal(err)
	}
	return kind.SplitParams{
		By: []string{"area"}, Order: "year", Small: smallError, UnitTokens: 1000, Validation: 0.1, Test: 0.2, Seed: 1, EOS: eos, Vocab: tok.Vocab(),
	}
}

// shards are the inputs of a split of tokenized corpora.
func shards(rs ...result) roles {
	in := roles{}
	for i, r := range rs {
		in[kind.Role("tokens", i)] = r.path(kind.OutTokens)
		in[kind.Role("documents", i)] = r.path(kind.OutDocuments)
		in[kind.Role("paragraphs", i)] = r.path(kind.OutParagraphs)
		in[kind.Role("missing", i)] = r.path(kind.OutMissing)
	}
	return in
}

// idsOf are the documents of a token file. Each must end with EOS where eos is not negative, and hold none otherwise.
func idsOf(t *testing.T, path string, eos uint32, ends bool) (ids []string, tokens int64) {
	t.Helper()
	f, err := table.OpenTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i := range f.Docs() {
		d := f.DocTokens(i, nil)
		if at := slices.Index(d, eos); ends && at != len(d)-1 || !ends && at >= 0 {
			t.Errorf("%s: document %d of %d tokens has EOS at %d", path, i, len(d), at)
		}
		ids = append(ids, f.Doc(i).ID)
	}
	return ids, f.Len()
}

func readCatalogue(t *testing.T, r result) Catalogue {
	t.Helper()
	b, err := os.ReadFile(r.path(kind.OutCatalogue))
	if err != nil {
		t.Fatal(err)
	}
	var c Catalogue
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func readTable[T any](t *testing.T, r result, name string) []T {
	t.Helper()
	rows, err := table.ReadRows[T](r.path(name))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestSplitAccountsForEveryDocument(t *testing.T) {
	tokenizer := smallTokenizer(t)
	docs := smallCorpus(120, "Go", "c", "tex/math")
	p := splitParams(t, tokenizer)
	p.Except = []string{"tex/math"}
	r := runKind(t, kind.Split, p, shards(tokenized(t, tokenizer, docs[:50]...), tokenized(t, tokenizer, docs[40:]...))) // ten come twice
	c := readCatalogue(t, r)
	if len(c.Units) != 2 || c.Units["Go"] < 2 || c.Units["c"] < 2 {
		t.Fatalf("catalogue %+v, want some units of Go and c", c)
	}
	byID := map[string]line{}
	for _, d := range docs {
		byID[d.ID] = d
	}
	seen := map[string]string{}
	sizes := map[string]SizeRow{}
	var documents int64
	for _, s := range readTable[SizeRow](t, r, kind.OutSizes) {
		sizes[fmt.Sprint(s.Partition, s.Part, s.Unit)] = s
		documents += s.Documents
	}
	check := func(name, partition, part string, unit int) []string {
		ids, tokens := idsOf(t, r.path(name), p.EOS, part == PartUnit)
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
			for _, id := range check(kind.UnitOutput(partition, u), partition, PartUnit, u) {
				if at := byID[id].Year + id; at < last {
					t.Errorf("%s unit %d: %s is out of order", partition, u, at)
				} else {
					last = at
				}
			}
		}
		check(kind.TestOutput(partition), partition, PartTest, -1)
		check(kind.ValidationOutput(partition), partition, PartValidation, -1)
	}
	if len(seen) != 80 {
		t.Errorf("%d documents in units and held-out sets, want 80", len(seen))
	}
	if got := sizes[fmt.Sprint("tex/math", PartExcluded, -1)].Documents; got != 40 {
		t.Errorf("%d documents left out, want 40", got)
	}
	if got := sizes[fmt.Sprint("", PartDuplicate, -1)].Documents; got != 10 || documents != 130 {
		t.Errorf("%d duplicates of %d documents, want 10 of 130", got, documents)
	}
}

func TestSplitDependsOnDocumentsNotOnFiles(t *testing.T) {
	tokenizer := smallTokenizer(t)
	docs := smallCorpus(90, "go", "c")
	p := splitParams(t, tokenizer)
	p.Against = []string{againstHeldout}
	one := runKind(t, kind.Split, p, shards(tokenized(t, tokenizer, docs...)))
	two := runKind(t, kind.Split, p, shards(tokenized(t, tokenizer, docs[60:]...), tokenized(t, tokenizer, docs[:60]...)))
	sameOutputs(t, one, two)
}

func TestSplitLeavesOldUnitsWhenDocumentsArrive(t *testing.T) {
	tokenizer := smallTokenizer(t)
	docs := smallCorpus(90, "go", "c")
	late := smallCorpus(120, "go", "c")[90:]
	for i := range late {
		late[i].Year = "2030"
	}
	late = append(late, line{ID: "rust", Text: prose(7, 900), Area: "rust", Year: "1980"})
	p := splitParams(t, tokenizer)
	p.Small, p.Test = smallKeep, 0
	old := runKind(t, kind.Split, p, shards(tokenized(t, tokenizer, docs...)))
	grown := runKind(t, kind.Split, p, shards(tokenized(t, tokenizer, docs...), tokenized(t, tokenizer, late...)))
	before, after := old.outputs(t), grown.outputs(t)
	for partition, n := range readCatalogue(t, old).Units {
		for u := range n - 1 {
			if name := kind.UnitOutput(partition, u); before[name] != after[name] {
				t.Errorf("%s changed", name)
			}
		}
	}
	if c := readCatalogue(t, grown); c.Units["rust"] == 0 || c.Units["go"] <= readCatalogue(t, old).Units["go"] {
		t.Errorf("catalogue %v has no more than before", c)
	}
}

func TestSplitDeclared(t *testing.T) {
	tokenizer := smallTokenizer(t)
	in := shards(tokenized(t, tokenizer, smallCorpus(90, "go", "c")...))
	p := splitParams(t, tokenizer)
	free := runKind(t, kind.Split, p, in)
	n := readCatalogue(t, free).Units["go"]
	p.Declared = map[string]int{"go": 2}
	r := runKind(t, kind.Split, p, in)
	if diff := cmp.Diff(Catalogue{Units: map[string]int{"go": 2}}, readCatalogue(t, r)); diff != "" {
		t.Errorf("catalogue, - want, + got:\n%s", diff)
	}
	name := kind.UnitOutput("go", 1)
	if free.outputs(t)[name] != r.outputs(t)[name] {
		t.Errorf("%s changed when %d units became 2", name, n)
	}
	unused := false
	for _, s := range readTable[SizeRow](t, r, kind.OutSizes) {
		unused = unused || s.Part == PartUnused && s.Partition == "go" && s.Tokens > 0
	}
	if !unused {
		t.Error("sizes tell of no unused text")
	}
	p.Declared = map[string]int{"go": 50}
	failKind(t, kind.Split, p, in, `partition "go"`, "50 units of 1000 tokens", fmt.Sprintf("make %d", n))
	p.Declared = map[string]int{"g": 1, "Java": 2}
	failKind(t, kind.Split, p, in, `"g"; the corpus has c, go`, `"Java"; the corpus has`)
}

func TestSplitRefuses(t *testing.T) {
	tokenizer := smallTokenizer(t)
	docs := append(smallCorpus(90, "go", "c"), line{ID: "x1", Text: prose(1, 30), Area: "tex", Year: "1"}, line{ID: "x2", Text: prose(2, 20), Area: "lisp", Year: "1"})
	in := shards(tokenized(t, tokenizer, docs...))
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
		{"all partitions small", func(p *kind.SplitParams) { p.UnitTokens, p.Small = 1<<40, smallDrop }, []string{"no partition has half a unit of 1099511627776 tokens"}},
		{"against a word unknown", func(p *kind.SplitParams) { p.Against = []string{"evil"} }, []string{"internal error"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := splitParams(t, tokenizer)
			c.change(&p)
			failKind(t, kind.Split, p, in, c.want...)
		})
	}
}

func TestSplitSmall(t *testing.T) {
	tokenizer := smallTokenizer(t)
	in := shards(tokenized(t, tokenizer, append(smallCorpus(90, "go", "c"), line{ID: "x1", Text: prose(1, 30), Area: "tex", Year: "1"})...))
	p := splitParams(t, tokenizer)
	p.Test, p.Small = 0, smallKeep
	if c := readCatalogue(t, runKind(t, kind.Split, p, in)); c.Units["tex"] != 1 {
		t.Errorf("keep: catalogue %+v, want one unit of tex", c)
	}
	p.Small = smallDrop
	c := readCatalogue(t, runKind(t, kind.Split, p, in))
	if _, ok := c.Units["tex"]; ok || !strings.Contains(c.Dropped["tex"], "less than half a unit of 1000") {
		t.Errorf("drop: catalogue %+v, want tex dropped with its size", c)
	}
}

func TestSplitOfOnePartition(t *testing.T) {
	tokenizer := smallTokenizer(t)
	p := splitParams(t, tokenizer)
	p.By, p.UnitTokens, p.Order = nil, 0, orderByID
	r := runKind(t, kind.Split, p, shards(tokenized(t, tokenizer, smallCorpus(20, "go", "c")...)))
	if diff := cmp.Diff(Catalogue{Units: map[string]int{"all": 1}}, readCatalogue(t, r)); diff != "" {
		t.Errorf("catalogue, - want, + got:\n%s", diff)
	}
	ids, _ := idsOf(t, r.path(kind.UnitOutput("all", 0)), p.EOS, true)
	if !slices.IsSorted(ids) || len(ids) < 10 {
		t.Errorf("documents %v, want most of 20, sorted", ids)
	}
}

func TestSplitDecontaminates(t *testing.T) {
	tokenizer := smallTokenizer(t)
	docs := smallCorpus(90, "go", "c")
	licence := strings.TrimSpace(prose(1000, 15))
	for i := range docs {
		docs[i].Text = strings.ReplaceAll(prose(i, 60), "\n", fmt.Sprintf("%d\n", i)) + "\n" // no shared lines
		if i%10 == 0 {
			docs[i].Text = licence + "\n" + docs[i].Text
		}
	}
	p := splitParams(t, tokenizer)
	p.Validation = 0
	plain := runKind(t, kind.Split, p, shards(tokenized(t, tokenizer, docs...)))
	first, _ := idsOf(t, plain.path(kind.UnitOutput("go", 0)), p.EOS, true)
	stolen := docs[slices.IndexFunc(docs, func(d line) bool { return d.ID == first[1] })]
	line0, _, _ := strings.Cut(strings.TrimPrefix(stolen.Text, licence+"\n"), "\n")

	// An evaluation set with a line of a unit's document.
	set := tokenized(t, tokenizer, line{ID: "exam", Text: "Question:\n  " + line0 + "\nEnd."})
	in := shards(tokenized(t, tokenizer, docs...))
	in.numbered("against", set.path(kind.OutParagraphs))
	p.Against = []string{againstEval}
	r := runKind(t, kind.Split, p, in)
	ledger := readTable[LedgerRow](t, r, kind.OutLedger)
	if len(ledger) != 1 {
		t.Fatalf("ledger %+v, want one row", ledger)
	}
	left, _ := idsOf(t, r.path(kind.UnitOutput("go", 0)), p.EOS, true)
	if diff := cmp.Diff(append(slices.Clone(first[:1]), first[2:]...), left); diff != "" {
		t.Errorf("unit 0 of go, - want, + got:\n%s", diff)
	}
	got := ledger[0]
	if got.Tokens < 20 {
		t.Errorf("ledger says %d tokens", got.Tokens)
	}
	want := LedgerRow{Partition: "go", Unit: 0, Name: got.Name, Document: first[1], Tokens: got.Tokens, EvalSet: "against.0", EvalID: "exam", Paragraph: fmt.Sprintf("%x", fingerprintOf(line0))}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(LedgerRow{})); diff != "" {
		t.Errorf("ledger, - want, + got:\n%s", diff)
	}
	before, after := plain.outputs(t), r.outputs(t)
	for name := range before {
		if changed := before[name] != after[name]; changed && name != kind.UnitOutput("go", 0) && !slices.Contains([]string{kind.OutLedger, kind.OutFilter, kind.OutSizes, kind.OutTimeline}, name) {
			t.Errorf("%s changed", name)
		}
	}
	for _, s := range readTable[SizeRow](t, r, kind.OutSizes) {
		removed := s.Part == PartUnit && s.Partition == "go" && s.Unit == 0
		if (s.RemovedDocuments == 1 && s.RemovedTokens == got.Tokens) != removed {
			t.Errorf("sizes: %+v", s)
		}
	}

	// The licence in held-out documents removes whoever has it, unless it is common.
	p.Against = []string{againstHeldout}
	removed := readTable[LedgerRow](t, runKind(t, kind.Split, p, in), kind.OutLedger)
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
	failKind(t, kind.Split, p, shards(tokenized(t, tokenizer, docs...)), `partition "c": decontamination removes all its`, `partition "go"`, "decontaminate.overlap")
	p.Common = 3
	if rows := readTable[LedgerRow](t, runKind(t, kind.Split, p, shards(tokenized(t, tokenizer, docs...))), kind.OutLedger); len(rows) != 0 {
		t.Errorf("a licence that all have removes %d documents", len(rows))
	}

	// Nor is it enough of any document; a copy of a held-out document is.
	p.Common, p.Overlap = 0, 0.5
	copied := docs[slices.IndexFunc(docs, func(d line) bool { return d.Area == "go" && heldOutIn(t, plain, d.ID) })]
	leak := line{ID: "copy", Area: "go", Year: copied.Year, Text: copied.Text}
	rows := readTable[LedgerRow](t, runKind(t, kind.Split, p, shards(tokenized(t, tokenizer, append(slices.Clone(docs), leak)...))), kind.OutLedger)
	if len(rows) != 1 || rows[0].Document != "copy" || rows[0].EvalID != copied.ID {
		t.Errorf("with overlap 50%% the ledger is %+v, want the copy of %s alone", rows, copied.ID)
	}
}

// heldOutIn says whether a split keeps a document to evaluate on.
func heldOutIn(t *testing.T, r result, id string) bool {
	t.Helper()
	ids, _ := idsOf(t, r.path(kind.TestOutput("go")), 0, false)
	return slices.Contains(ids, id)
}
