package split

import (
	"slices"
	"strings"
	"testing"

	"ablate/cache/table"
	"ablate/specs/ident"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
	"ablate/stages/text"
)

// unitNames are the names of the units of a split, from its table of sizes.
func unitNames(t *testing.T, r stagetest.Result) []string {
	t.Helper()
	rows, err := table.ReadRows[tables.SizeRow](r.Path(kind.OutSizes))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, row := range rows {
		if row.Part == tables.PartUnit {
			names = append(names, row.Name)
		}
	}
	return names
}

// Partitions by two fields are as many as there are pairs of values, whatever signs are in these.
func TestSplitByTwoFieldsTellsPairsApart(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	pairs := [][2]string{{"a/b", "1"}, {"a", "b/1"}, {"a%2Fb", "1"}, {"", "a"}, {"a", ""}}
	docs := stagetest.SmallCorpus(100, "x")
	for i := range docs {
		docs[i].Area, docs[i].Year = pairs[i%len(pairs)][0], pairs[i%len(pairs)][1]
		if docs[i].Area == "" {
			docs[i].Area = "lacking" // an empty value is left out of the line
		}
	}
	p := stagetest.SplitParams(t, tokenizer)
	p.By, p.Order, p.Test, p.Validation, p.Small = []string{"area", "year"}, kind.OrderByID, 0, 0, kind.SmallKeep
	r := stagetest.Run(t, Kind, p, stagetest.Shards(texts.Tokenized(t, tokenizer, docs...)))
	c := stagetest.ReadCatalogue(t, r)
	for _, want := range []string{"a%2Fb/1", "a/b%2F1", "a%252Fb/1", "lacking/a", "a/NA"} {
		if c.Units[want] == 0 {
			t.Errorf("no partition %s among %v", want, c.Units)
		}
	}
	if len(c.Units) != len(pairs) {
		t.Errorf("%d partitions of %d pairs: %v", len(c.Units), len(pairs), c.Units)
	}
	names := unitNames(t, r)
	if slices.Sort(names); len(slices.Compact(names)) != len(unitNames(t, r)) {
		t.Errorf("units %q share a name", names)
	}
}

func TestSplitNamesUnitsOfOddPartitions(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	areas := []string{"C++", "A", "A,1990-1999", "a\nb", strings.Repeat("x", 300), "x@2"}
	p := stagetest.SplitParams(t, tokenizer)
	p.Test, p.Validation, p.Small = 0, 0, kind.SmallKeep
	r := stagetest.Run(t, Kind, p, stagetest.Shards(texts.Tokenized(t, tokenizer, stagetest.SmallCorpus(180, areas...)...)))
	c := stagetest.ReadCatalogue(t, r)
	seen := map[string]bool{}
	for _, name := range unitNames(t, r) {
		text, unit, ok := ident.ParseUnit(name, 1)
		partition, err := ident.ParseText(text, 1)
		if !ok || err != nil || unit.Number >= 0 || c.Units[partition] == 0 || seen[name] {
			t.Errorf("unit %q of partition %q (%v)", name, partition, err)
		}
		seen[name] = true
	}
	if len(c.Units) != len(areas) {
		t.Errorf("partitions %v, want %d", c.Units, len(areas))
	}
	long := strings.Repeat("é", 200)
	in := stagetest.Shards(texts.Tokenized(t, tokenizer, stagetest.SmallCorpus(60, "go", long)...))
	stagetest.Fail(t, Kind, p, in, "its name has 400 bytes, which are 1212 in the names of files, and may be 480 there")
	p.Except = []string{long}
	stagetest.Run(t, Kind, p, in)
}

// NA is Namibia, too.
func TestSplitTellsAbsentFromItsWord(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	docs := stagetest.SmallCorpus(90, "NA", "DE", "")
	p := stagetest.SplitParams(t, tokenizer)
	p.Test, p.Validation, p.Small = 0, 0, kind.SmallKeep
	const want = `metadata area: 30 documents have the value "NA", and 30 documents have none, for which the corpus writes "NA", too; give the corpus another word with absent`
	stagetest.Fail(t, Kind, p, stagetest.Shards(texts.Tokenized(t, tokenizer, docs...)), want)
	p.Except = []string{"NA"} // would leave both out
	stagetest.Fail(t, Kind, p, stagetest.Shards(texts.Tokenized(t, tokenizer, docs...)), want)
	// In two files as in one.
	stagetest.Fail(t, Kind, p, stagetest.Shards(texts.Tokenized(t, tokenizer, docs[0], docs[1]), texts.Tokenized(t, tokenizer, docs[2])), "1 documents have the value")
	p.Except = nil
	other := stagetest.TokenizeLines
	other.Read.Absent = "none"
	in := stagetest.Shards(stagetest.Run(t, text.Tokenize, other, stagetest.Roles{"tokenizer": tokenizer}.Numbered("file", stagetest.WriteLines(t, docs...))))
	if c := stagetest.ReadCatalogue(t, stagetest.Run(t, Kind, p, in)); len(c.Units) != 3 {
		t.Errorf("partitions %v, want NA, DE and none", c.Units)
	}
}

// The partition of the small ones has a name that documents may have, too.
func TestSplitTellsMergedFromAPartitionCalledOther(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	p := stagetest.SplitParams(t, tokenizer)
	p.Test, p.Validation, p.Small = 0, 0, kind.SmallMerge
	in := stagetest.Shards(texts.Tokenized(t, tokenizer, append(stagetest.SmallCorpus(90, "go", "other"), tiny()...)...))
	const want = `small: merge would call 2 small partitions "other" (lisp, tex), and documents have a partition of that name`
	stagetest.Fail(t, Kind, p, in, want)
	p.Except = []string{"other"}
	stagetest.Fail(t, Kind, p, in, want)
	p.Except, p.Fold = nil, map[string]string{"other": "others"}
	if c := stagetest.ReadCatalogue(t, stagetest.Run(t, Kind, p, in)); c.Units["other"] != 1 || c.Units["others"] == 0 {
		t.Errorf("partitions %v, want other of the small ones beside others", c.Units)
	}
}
