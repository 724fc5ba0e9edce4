package model

import (
	"slices"
	"strings"
	"testing"
)

func TestWeights(t *testing.T) {
	got, err := Weights(slices.Repeat([]string{"1/6"}, 6), 6)
	if err != nil || got[0] != 1./6 {
		t.Errorf("six sixths: %v, %v", got, err)
	}
	for _, bad := range [][]string{{"x"}, {"0.5", "0.4"}, {""}} {
		if _, err := Weights(bad, len(bad)); err == nil || !strings.Contains(err.Error(), "internal error") {
			t.Errorf("%v: %v", bad, err)
		}
	}
}
