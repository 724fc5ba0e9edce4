package tables

import (
	"math"
	"testing"
)

func TestRose(t *testing.T) {
	curve := func(losses ...float64) (rows []CurveRow) {
		for i, x := range losses {
			rows = append(rows, CurveRow{Step: int64(i + 1), Loss: x})
		}
		return rows
	}
	long := make([]float64, 300) // falls, but for a hard batch at the end
	for i := range long {
		long[i] = 5 - float64(i)/100
	}
	long[299] = 6
	for _, c := range []struct {
		name   string
		losses []float64
		want   bool
	}{
		{"falls", []float64{5, 9, 4}, false},
		{"stays", []float64{5, 5}, false},
		{"rises", []float64{5, 4, 5.1}, true},
		{"one step", []float64{5}, false},
		{"none", nil, false},
		{"a hard batch", long, false},
		{"no number", []float64{5, math.NaN()}, true},
	} {
		if _, _, got := Rose(curve(c.losses...)); got != c.want {
			t.Errorf("%s: rose is %t, want %t", c.name, got, c.want)
		}
	}
}

func TestSmooth(t *testing.T) {
	for _, n := range []int{0, 1, smoothed - 1, smoothed, smoothed + 1, 62, 489, 10_000} {
		rows := make([]CurveRow, n)
		for i := range rows {
			rows[i] = CurveRow{Step: int64(i + 1), Tokens: int64(100 * (i + 1)), Loss: float64(i)}
		}
		got := Smooth(rows)
		if len(got) != min(n, smoothed) {
			t.Errorf("%d rows give %d points, want %d", n, len(got), min(n, smoothed))
			continue
		}
		from := int64(0)
		for _, r := range got {
			// The losses of steps from+1 ... r.Step are from ... r.Step-1.
			if want := float64(from+r.Step-1) / 2; math.Abs(r.Loss-want) > 1e-9 || r.Tokens != 100*r.Step {
				t.Errorf("%d rows: point of step %d is %+v, want loss %g", n, r.Step, r, want)
			}
			from = r.Step
		}
		if from != int64(n) {
			t.Errorf("%d rows: the last point is of step %d", n, from)
		}
	}
}
