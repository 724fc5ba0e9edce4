package stages

import (
	"context"
	"errors"
	"testing"

	"ablate/cache/table"
	"ablate/stages/kind"
)

func TestTableHasEveryKind(t *testing.T) {
	all := Table()
	for name := range kind.Versions {
		if all[name] == nil {
			t.Errorf("no function for kind %s", name)
		}
	}
	if len(all) != len(kind.Versions) {
		t.Errorf("%d functions for %d kinds", len(all), len(kind.Versions))
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
	check(table.Columns[DocumentRow]())
	check(table.Columns[ParagraphRow]())
	check(table.Columns[LedgerRow]())
	check(table.Columns[SizeRow]())
	check(table.Columns[CurveRow]())
	check(table.Columns[ShareRow]())
	check(table.Columns[LossRow]())
	check(table.Columns[ScoreRow]())
	check(table.Columns[CorrelationRow]())
	check(table.Columns[DecisionRow]())
	check(table.Columns[WarningRow]())
}

// A job whose context has ended must say so.
func TestCancelled(t *testing.T) {
	tokenizer := smallTokenizer(t)
	files := roles{"tokenizer": tokenizer}.numbered("file", writeLines(t, smallCorpus(5, "go")...))
	model := trained(t, 1).path(kind.OutModel)
	for _, c := range []struct {
		kind   string
		params any
		in     roles
	}{
		{kind.Tokenizer, kind.TokenizerParams{Vocab: 300, Bytes: 1000, Read: readLines}, roles{"file.0": files["file.0"]}},
		{kind.Tokenize, tokenizeLines, files},
		{kind.Split, splitParams(t, tokenizer), shards(tokenized(t, tokenizer, smallCorpus(5, "go")...))},
		{kind.Train, trainParams(), testUnits(t)},
		{kind.Merge, kind.MergeParams{Weights: []string{"1"}}, roles{"model.0": model}},
		{kind.Eval, evalParams(), roles{"model.0": model, "tokens": tokenFile(t, 4, false, 9)}},
		{kind.Correlate, kind.CorrelateParams{}, roles{"losses.0": lossFile(t, 10)}},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := Table()[c.kind](ctx, newJob(t, c.params, c.in)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want %v", c.kind, err, context.Canceled)
		}
	}
}

func TestEnumerate(t *testing.T) {
	many := make([]string, 20)
	for i := range many {
		many[i] = string(rune('a' + i))
	}
	if got, want := enumerate(many), "a, b, c, d, e, f, g, h, i, j, k, l and 8 more"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := enumerate(nil); got != "none" {
		t.Errorf("got %q, want none", got)
	}
}
