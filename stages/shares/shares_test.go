package shares

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestRound(t *testing.T) {
	for _, c := range []struct {
		name   string
		shares []float64
		steps  int
		want   []int
	}{
		{"exact", []float64{.25, .75}, 4, []int{1, 3}},
		{"largest remainder", []float64{.26, .34, .4}, 10, []int{3, 3, 4}},
		{"ties to the earlier", []float64{1. / 3, 1. / 3, 1. / 3}, 10, []int{4, 3, 3}},
		{"a corner", []float64{0, 1, 0}, 10_000, []int{0, 10_000, 0}},
		{"a sum above 1 by rounding", []float64{.5000000001, .5}, 2, []int{1, 1}},
		{"a sum below 1 by rounding", []float64{.4999999999, .5}, 2, []int{1, 1}},
		{"rare ones", []float64{.00004, .00006, .9999}, 10_000, []int{0, 1, 9999}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Round(c.shares, c.steps); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// Draws are the same on every machine. The numbers were printed by this program; studies' mixtures
// rest on them.
func TestDrawsArePinned(t *testing.T) {
	d := Dirichlet{Around: []float64{.2, .3, .5}, Least: .5, Most: 5}
	var got []string
	for n := range int64(4) {
		got = append(got, fmt.Sprint(Round(d.Draw(1, "test", n, []string{"a", "b", "c"}), 10_000)))
	}
	want := []string{"[476 4329 5195]", "[0 2545 7455]", "[1909 3691 4400]", "[0 66 9934]"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The order of names changes no bit, and a component of share 0 has none.
func TestDrawsGoByName(t *testing.T) {
	d := Dirichlet{Around: []float64{.2, .3, 0, .5}, Least: .01, Most: 2}
	other := Dirichlet{Around: []float64{.5, 0, .3, .2}, Least: .01, Most: 2}
	for n := range int64(100) {
		a := d.Draw(3, "test", n, []string{"a", "b", "c", "d"})
		b := other.Draw(3, "test", n, []string{"d", "c", "b", "a"})
		slices.Reverse(b)
		if !slices.Equal(a, b) || a[2] != 0 {
			t.Fatalf("draw %d: %v, in another order %v", n, a, b)
		}
	}
}

// Mean and variance of 20,000 draws are those of the distribution: m and m(1-m)/(strength+1).
func TestMoments(t *testing.T) {
	for _, strength := range []float64{.05, 1, 30} {
		d := Dirichlet{Around: []float64{.1, .2, .7}, Least: strength, Most: strength}
		const draws = 20_000
		sum, square := make([]float64, 3), make([]float64, 3)
		for n := range int64(draws) {
			for i, x := range d.Draw(5, "test", n, []string{"a", "b", "c"}) {
				sum[i] += x
				square[i] += x * x
			}
		}
		for i, m := range d.Around {
			mean := sum[i] / draws
			variance, want := square[i]/draws-mean*mean, m*(1-m)/(strength+1)
			// Five standard errors of the mean, and 5 % of the variance.
			if math.Abs(mean-m) > 5*math.Sqrt(want/draws) || math.Abs(variance-want) > .05*want {
				t.Errorf("strength %g, component %d: mean %.4f and variance %.5f, want %.4f and %.5f", strength, i, mean, variance, m, want)
			}
		}
	}
}

// Near 0 strength, draws are corners and not a number never.
func TestTinyStrength(t *testing.T) {
	d := Dirichlet{Around: []float64{.001, .999}, Least: 1e-3, Most: 1e-3}
	for n := range int64(1000) {
		x := d.Draw(1, "test", n, []string{"a", "b"})
		if !(x[0] >= 0 && x[1] >= 0 && math.Abs(x[0]+x[1]-1) < 1e-12) {
			t.Fatalf("draw %d: %v", n, x)
		}
	}
}
