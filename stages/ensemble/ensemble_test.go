package ensemble

import (
	"math"
	"testing"

	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// losses writes a table of two documents and an empty one.
func losses(t *testing.T, first, second float64) string {
	return stagetest.WriteRows(t,
		tables.LossRow{ID: "a", Tokens: 10, Bytes: 40, Nats: first}, tables.LossRow{ID: "empty"}, tables.LossRow{ID: "b", Tokens: 400, Bytes: 900, Nats: second})
}

func mixed(t *testing.T, weights []string, paths ...string) []tables.LossRow {
	t.Helper()
	r := stagetest.Run(t, Kind, kind.EnsembleParams{Recipe: kind.Recipe{Weights: weights}}, stagetest.Roles{}.Numbered("losses", paths...))
	return stagetest.ReadTable[tables.LossRow](t, r, kind.OutLosses)
}

// The loss of a document is minus the logarithm of the mean probability, however small that is.
func TestEnsemble(t *testing.T) {
	got := mixed(t, []string{"1/4", "3/4"}, losses(t, 20, 2000), losses(t, 21, 1900))
	if want := -math.Log(math.Exp(-20)/4 + math.Exp(-21)*3/4); math.Abs(got[0].Nats-want) > 1e-12 {
		t.Errorf("%v nats, want %v", got[0].Nats, want)
	}
	// The probability by the first model is e^-100 of that by the second.
	if want := 1900 - math.Log(3./4); math.Abs(got[2].Nats-want) > 1e-12 {
		t.Errorf("%v nats, want %v", got[2].Nats, want)
	}
	if got[1].Nats != 0 || got[2].ID != "b" || got[2].Tokens != 400 || got[2].Bytes != 900 {
		t.Errorf("the documents are others: %+v", got)
	}
}

// One model's mixture is the model, to the bit.
func TestOneModel(t *testing.T) {
	got := mixed(t, []string{"1"}, losses(t, 20.125, 1999.9))
	if got[0].Nats != 20.125 || got[2].Nats != 1999.9 {
		t.Errorf("%+v", got)
	}
}

func TestRefused(t *testing.T) {
	other := stagetest.WriteRows(t, tables.LossRow{ID: "a", Tokens: 10, Bytes: 40, Nats: 1}, tables.LossRow{ID: "empty"}, tables.LossRow{ID: "c", Tokens: 400, Bytes: 900, Nats: 1})
	for _, c := range []struct {
		name    string
		weights []string
		paths   []string
		want    []string
	}{
		{"other documents", []string{"1/2", "1/2"}, []string{losses(t, 1, 2), other}, []string{"losses.0 and losses.1", `document 3 is "b" of 400 tokens in one and "c"`}},
		{"fewer documents", []string{"1/2", "1/2"}, []string{losses(t, 1, 2), stagetest.LossFile(t, 10)}, []string{"3 and 2 documents"}},
		{"no weight", []string{"1"}, []string{losses(t, 1, 2), losses(t, 1, 2)}, []string{"1 weights for 2 models"}},
		{"no number", []string{"1/2", "1/2"}, []string{losses(t, 1, 2), losses(t, 1, math.NaN())}, []string{"losses.1", "NaN"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			stagetest.Fail(t, Kind, kind.EnsembleParams{Recipe: kind.Recipe{Weights: c.weights}}, stagetest.Roles{}.Numbered("losses", c.paths...), c.want...)
		})
	}
}
