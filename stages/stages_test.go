package stages

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"ablate/cache/table"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
	"ablate/stages/train"
)

func TestKindsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Kinds() {
		if k.Name == "" || seen[k.Name] || k.Version() < 1 || k.Run == nil || k.Needs == nil || k.Differ == nil || len(k.Origins) == 0 || k.Work == 0 {
			t.Errorf("kind %q lacks a name of its own, a history, what runs it, says what it needs, what it does, compares its outputs or says where its parameters come from", k.Name)
		}
		seen[k.Name] = true
		for n, line := range k.History {
			if strings.TrimSpace(line) == "" {
				t.Errorf("kind %s: version %d has no history", k.Name, n+1)
			}
		}
	}
}

// What a kind does, counts and holds is said once, so that nobody has to compare names of kinds.
func TestWhatKindsDo(t *testing.T) {
	for _, c := range []struct {
		name, unit    string
		work          kind.Work
		texts, plains []string // outputs with the corpus's text in them, and without
	}{
		{kind.Tokenizer, "bytes", kind.ReadsFiles, nil, []string{kind.OutTokenizer}},
		{kind.Tokenize, "bytes", kind.ReadsFiles, []string{kind.OutTokens, kind.OutDocuments, kind.OutParagraphs, kind.OutMissing}, []string{kind.OutCounts, kind.OutPlaces}},
		{kind.Split, "bytes", kind.Divides, []string{kind.UnitOutput("a", 1), kind.TestOutput("a")}, []string{kind.OutSizes, kind.OutLedger, kind.OutCatalogue}},
		{kind.Train, "tokens", kind.Trains, nil, []string{kind.OutModel, kind.OutCurve}},
		{kind.Merge, "", kind.Merges, nil, []string{kind.OutModel}},
		{kind.Eval, "tokens", kind.Evaluates, nil, []string{kind.OutLosses}},
		{kind.Ensemble, "documents", kind.Evaluates, nil, []string{kind.OutLosses}},
		{kind.Correlate, "documents", kind.Compares, nil, []string{kind.OutScores}},
	} {
		k := kindNamed(t, c.name)
		if k.Work != c.work || k.Unit != c.unit || !Kinds().Does(c.name, c.work) || Kinds().Does(c.name, ^c.work) {
			t.Errorf("kind %s does %b and counts %q, want %b and %q", c.name, k.Work, k.Unit, c.work, c.unit)
		}
		for _, output := range c.texts {
			if !k.Texts(output) {
				t.Errorf("%s of %s is said to hold no text", output, c.name)
			}
		}
		for _, output := range c.plains {
			if k.Texts(output) {
				t.Errorf("%s of %s is said to hold text", output, c.name)
			}
		}
	}
	if Kinds().Does("nothing", ^kind.Work(0)) {
		t.Error("a kind that there is not does something")
	}
}

func TestEveryColumnIsDescribed(t *testing.T) {
	check := func(columns []table.Column) {
		t.Helper()
		for _, c := range columns {
			if c.Doc == "" {
				t.Errorf("column %s says nothing", c.Name)
			}
		}
	}
	check(table.Columns[tables.DocumentRow]())
	check(table.Columns[tables.ParagraphRow]())
	check(table.Columns[tables.LedgerRow]())
	check(table.Columns[tables.SizeRow]())
	check(table.Columns[tables.CurveRow]())
	check(table.Columns[tables.ShareRow]())
	check(table.Columns[tables.LossRow]())
	check(table.Columns[tables.ScoreRow]())
	check(table.Columns[tables.CorrelationRow]())
	check(table.Columns[tables.DecisionRow]())
	check(table.Columns[tables.WarningRow]())
}

// A job whose context has ended must say so.
func TestCancelled(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	files := stagetest.Roles{"tokenizer": tokenizer}.Numbered("file", stagetest.WriteLines(t, stagetest.SmallCorpus(5, "go")...))
	model := stagetest.Trained(t, train.Kind, 1).Path(kind.OutModel)
	for _, c := range []struct {
		kind   string
		params any
		in     stagetest.Roles
	}{
		{kind.Tokenizer, kind.TokenizerParams{Vocab: 300, Bytes: 1000, Read: stagetest.ReadLines}, stagetest.Roles{"file.0": files["file.0"]}},
		{kind.Tokenize, stagetest.TokenizeLines, files},
		{kind.Split, stagetest.SplitParams(t, tokenizer), stagetest.Shards(texts.Tokenized(t, tokenizer, stagetest.SmallCorpus(5, "go")...))},
		{kind.Train, stagetest.TrainParams(), stagetest.Units(t)},
		{kind.Merge, kind.MergeParams{Recipe: kind.Recipe{Weights: []string{"1"}}}, stagetest.Roles{"model.0": model}},
		{kind.Eval, stagetest.EvalParams(), stagetest.Roles{"model.0": model, "tokens": stagetest.TokenFile(t, 4, false, 9)}},
		{kind.Ensemble, kind.EnsembleParams{Recipe: kind.Recipe{Weights: []string{"1"}}}, stagetest.Roles{"losses.0": stagetest.LossFile(t, 10)}},
		{kind.Correlate, kind.CorrelateParams{}, stagetest.Roles{"losses.0": stagetest.LossFile(t, 10)}},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := kindNamed(t, c.kind).Run(ctx, stagetest.NewJob(t, c.params, c.in)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want %v", c.kind, err, context.Canceled)
		}
	}
}

// Every output of a step stands in the table of the package and in ARTIFACTS.md.
func TestOutputsAreDocumented(t *testing.T) {
	golden, err := os.ReadFile("testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"doc.go", "../cache/ARTIFACTS.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(golden)) {
			name := strings.Fields(line)[2] // kind, version, output, digest
			if folder, _, ok := strings.Cut(name, "/"); ok {
				name = folder + "/"
			}
			// ARTIFACTS.md has tables with two endings once.
			if !strings.Contains(string(text), name) && !strings.Contains(string(text), "`"+strings.TrimSuffix(strings.TrimSuffix(name, ".csv"), ".parquet")+"`") {
				t.Errorf("%s does not name %s", page, name)
			}
		}
	}
}

func kindNamed(t *testing.T, name string) kind.Kind {
	t.Helper()
	k, err := Kinds().Named(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
