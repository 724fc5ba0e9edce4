package correlate

import (
	"fmt"
	"math"
	"testing"

	"ablate/stages/internal/stagetest"
)

// The proxy's losses are 1, 2, 3, ... and the references' half as much and one more, but for the
// last.
func rankInput(t *testing.T, candidates, references int) RankInput {
	t.Helper()
	in := RankInput{Level: 0.9}
	table := func(loss float64) [][]string { return [][]string{{stagetest.LossFile(t, math.Exp(loss))}} }
	for i := candidates; i > 0; i-- {
		in.Candidates = append(in.Candidates, RankMixture{Group: "pairs", Name: fmt.Sprint("m", i), Losses: table(float64(i))})
	}
	for i := 1; i <= references; i++ {
		y := 1 + float64(i)/2
		if i == references {
			y += 0.1
		}
		in.References = append(in.References, RankReference{
			RankMixture: RankMixture{Group: "pairs", Name: fmt.Sprint("m", i), Losses: table(float64(i))}, Reference: table(y),
		})
	}
	return in
}

func TestRank(t *testing.T) {
	ranked, lines, err := Rank(rankInput(t, 6, 4))
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 1 || lines[0].References != 4 || math.Abs(lines[0].Slope-0.53) > 1e-9 || !(lines[0].Left > lines[0].SD) {
		t.Errorf("lines %+v, want one of slope 0.53", lines)
	}
	for i, r := range ranked {
		x := float64(i + 1)
		want := lines[0].Intercept + lines[0].Slope*x
		if r.Mixture != fmt.Sprint("m", i+1) || math.Abs(r.Loss-x) > 1e-9 || math.Abs(r.Expected-want) > 1e-9 || !(r.Low < want && want < r.High) {
			t.Errorf("place %d: %+v, want loss %g and %g expected", i+1, r, x, want)
		}
		if r.Beyond != (i >= 4) || math.IsNaN(r.Reference) != (i >= 4) {
			t.Errorf("place %d: %+v; references are of the first four", i+1, r)
		}
		if math.Abs(r.Perplexity-math.Exp(x)) > 1e-6*math.Exp(x) {
			t.Errorf("place %d: perplexity %g", i+1, r.Perplexity)
		}
	}
}

func TestRankWithFewReferences(t *testing.T) {
	for _, n := range []int{0, 3} {
		ranked, lines, err := Rank(rankInput(t, 2, n))
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) != min(n, 1) || !math.IsNaN(ranked[0].Expected) || !math.IsNaN(ranked[0].High) || ranked[0].Beyond {
			t.Errorf("%d references: lines %+v, first %+v, want no expectation", n, lines, ranked[0])
		}
		if n == 3 && (!math.IsNaN(lines[0].Slope) || math.IsNaN(ranked[1].Reference)) {
			t.Errorf("lines %+v, second %+v, want no line and the reference", lines, ranked[1])
		}
	}
	_, _, err := Rank(RankInput{Candidates: []RankMixture{{Name: "m", Losses: [][]string{{"nosuchfile"}}}}})
	if err == nil {
		t.Error("a table that is not there is no error")
	}
}
