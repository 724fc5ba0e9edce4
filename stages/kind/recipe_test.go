package kind

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestFractions(t *testing.T) {
	got, err := Recipe{Weights: slices.Repeat([]string{"1/6"}, 6)}.Fractions(6)
	if err != nil || got[0] != 1./6 {
		t.Errorf("six sixths: %v, %v", got, err)
	}
	for _, bad := range [][]string{{"x"}, {"0.5", "0.4"}, {""}} {
		if _, err := (Recipe{Weights: bad}).Fractions(len(bad)); err == nil || !strings.Contains(err.Error(), "internal error") {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// Keys from before there were methods hold: the parameters of a linear recipe are written as they
// were.
func TestLinearRecipesKeepTheirForm(t *testing.T) {
	for _, c := range []struct {
		name   string
		params any
		want   string
	}{
		{"merge", MergeParams{Recipe{Weights: []string{"1/3", "2/3"}}}, `{"weights":["1/3","2/3"]}`},
		{"merge by another method", MergeParams{Recipe{Method: "slerp", Weights: []string{"1"}}}, `{"method":"slerp","weights":["1"]}`},
		{"eval", EvalParams{Recipe: Recipe{Weights: []string{"1"}}, Documents: 3}, `"weights":["1"],"documents":3,"tokens":0,"eos":0}`},
	} {
		got, err := json.Marshal(c.params)
		if err != nil || !strings.HasSuffix(string(got), c.want) {
			t.Errorf("%s: %s, %v, want %s at the end", c.name, got, err, c.want)
		}
		if c.name != "eval" && string(got) != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if _, err := (Recipe{Method: "slerp", Weights: []string{"1"}}).Fractions(1); err == nil || !strings.Contains(err.Error(), `method "slerp"`) {
		t.Errorf("a method that nobody knows: %v", err)
	}
}
