package stat

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scipyCase is what scipy says of two lists; see testdata/reference.py.
type scipyCase struct {
	Name                       string
	X, Y, Ranks                []float64
	Pearson, Spearman, Kendall struct {
		Value, P        float64
		Without         []float64
		Percentile, BCa [2]float64
	}
	Line struct {
		Slope, Intercept, SD, Left float64
		At, Value, Low, High       []float64
	}
}

// scipyValues is testdata/reference.json.
type scipyValues struct {
	Resamples, Rounds int
	Level             float64
	Seed              uint64
	Cases             []scipyCase
	Noise             struct {
		Groups  [][]float64
		Scores  []float64
		SD      float64
		DF      int
		Least   float64
		Ceiling float64
	}
	Student []struct {
		DF   int
		P, T float64
	}
}

func fromScipy(t *testing.T) scipyValues {
	t.Helper()
	data, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var v scipyValues
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Cases) == 0 {
		t.Fatal("reference.json has no cases")
	}
	return v
}

// within is 1e-11 of values of about one: the script rounds statistics to 12 digits.
func within(want float64) float64 { return 1e-11 * max(1, math.Abs(want)) }

func TestAgainstScipy(t *testing.T) {
	v := fromScipy(t)
	for _, c := range v.Cases {
		t.Run(c.Name, func(t *testing.T) {
			check := func(what string, got, want float64) {
				t.Helper()
				if !near(got, want, within(want)) {
					t.Errorf("%s = %.17g, scipy says %.17g", what, got, want)
				}
			}
			if diff := cmp.Diff(c.Ranks, MidRanks(c.X)); diff != "" {
				t.Errorf("ranks, -scipy +got:\n%s", diff)
			}
			for _, s := range []struct {
				name string
				f    func(x, y []float64) float64
				want struct {
					Value, P        float64
					Without         []float64
					Percentile, BCa [2]float64
				}
			}{{"Pearson", Pearson, c.Pearson}, {"Spearman", Spearman, c.Spearman}, {"Kendall", Kendall, c.Kendall}} {
				percentile, bca := Bootstrap{Resamples: v.Resamples, Level: v.Level, Seed: v.Seed}.Intervals(c.X, c.Y, s.f)
				check(s.name, percentile.Value, s.want.Value)
				check(s.name+" percentile low", percentile.Low, s.want.Percentile[0])
				check(s.name+" percentile high", percentile.High, s.want.Percentile[1])
				check(s.name+" BCa low", bca.Low, s.want.BCa[0])
				check(s.name+" BCa high", bca.High, s.want.BCa[1])
				check(s.name+" p", Permutation{Rounds: v.Rounds, Seed: v.Seed}.PValue(c.X, c.Y, s.f), s.want.P)
				for i, u := range leaveOut(c.X, c.Y, s.f) {
					check(s.name+" without one", u, s.want.Without[i])
				}
			}
			l := FitLine(c.X, c.Y)
			check("slope", l.Slope, c.Line.Slope)
			check("intercept", l.Intercept, c.Line.Intercept)
			check("residual", l.SD, c.Line.SD)
			check("left out", l.Left, c.Line.Left)
			for i, x := range c.Line.At {
				p := l.Predict(x, v.Level)
				check("prediction", p.Value, c.Line.Value[i])
				check("prediction low", p.Low, c.Line.Low[i])
				check("prediction high", p.High, c.Line.High[i])
			}
		})
	}
}

func TestNoiseAndStudentAgainstScipy(t *testing.T) {
	v := fromScipy(t)
	n := NoiseFloor(append(v.Noise.Groups, []float64{7}))
	if !near(n.SD, v.Noise.SD, 1e-14) || n.DF != v.Noise.DF || n.Groups != len(v.Noise.Groups) {
		t.Errorf("noise %+v, want SD %g of %d degrees of freedom", n, v.Noise.SD, v.Noise.DF)
	}
	if got := n.Least(v.Level); !near(got, v.Noise.Least, within(v.Noise.Least)) {
		t.Errorf("least difference %.17g, want %.17g", got, v.Noise.Least)
	}
	if got := n.Ceiling(v.Noise.Scores); !near(got, v.Noise.Ceiling, 1e-13) {
		t.Errorf("ceiling %.17g, want %.17g", got, v.Noise.Ceiling)
	}
	for _, s := range v.Student {
		if got := student(s.DF, s.P); !near(got, s.T, within(s.T)) {
			t.Errorf("t(%d, %g) = %.17g, want %.17g", s.DF, s.P, got, s.T)
		}
	}
}
