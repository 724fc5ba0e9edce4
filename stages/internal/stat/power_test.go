package stat

import (
	"math"
	"testing"
)

func TestSignalToNoise(t *testing.T) {
	noise := NoiseFloor([][]float64{{1, 1.2}, {3, 3.4}}) // squares .02 + .08 over 2 degrees of freedom
	nan := math.NaN()
	for name, c := range map[string]struct {
		references []float64
		noise      Noise
		want       Signal
	}{
		"spread over noise":  {[]float64{2, 5, 3}, noise, Signal{3, math.Sqrt(.05), 3 / math.Sqrt(.05)}},
		"references agree":   {[]float64{2, 2}, noise, Signal{0, math.Sqrt(.05), 0}},
		"no replicates":      {[]float64{2, 5}, NoiseFloor(nil), Signal{3, nan, nan}},
		"one reference":      {[]float64{2}, noise, Signal{nan, math.Sqrt(.05), nan}},
		"a reference is NaN": {[]float64{2, nan}, noise, Signal{nan, math.Sqrt(.05), nan}},
		"replicates agree":   {[]float64{2, 5}, NoiseFloor([][]float64{{1, 1}}), Signal{3, 0, math.Inf(1)}},
	} {
		got := SignalToNoise(c.references, c.noise)
		for part, v := range map[string][2]float64{"spread": {got.Spread, c.want.Spread}, "noise": {got.Noise, c.want.Noise}, "ratio": {got.Ratio, c.want.Ratio}} {
			if !alike(v[0], v[1]) {
				t.Errorf("%s: %s %v, want %v", name, part, v[0], v[1])
			}
		}
	}
}

func alike(a, b float64) bool {
	return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-12*math.Abs(b)
}

// TestDetectableDifference has the values of scipy: (norm.ppf(1-a/2) + norm.ppf(p)) * std(ddof=1) /
// sqrt(n).
func TestDetectableDifference(t *testing.T) {
	d := []float64{.1, -.2, .3, .05, -.1, .2, 0, .15}
	for name, c := range map[string]struct {
		d            []float64
		alpha, power float64
		want         float64
	}{
		"usual":      {d, .05, .8, 0.16048095409840055},
		"strict":     {d, .01, .95, 0.24176998766782495},
		"no spread":  {[]float64{.1, .1}, .05, .8, 0},
		"one":        {[]float64{.1}, .05, .8, math.NaN()},
		"no level":   {d, 0, .8, math.NaN()},
		"power of 1": {d, .05, 1, math.NaN()},
		"NaN":        {[]float64{.1, math.NaN()}, .05, .8, math.NaN()},
	} {
		if got := DetectableDifference(c.d, c.alpha, c.power); !alike(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
