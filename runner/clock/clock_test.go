package clock

import (
	"math"
	"testing"
	"time"
)

// even takes so many core-seconds, whatever its share.
func even(core float64) func(float64) float64 {
	return func(share float64) float64 { return core / share }
}

// alone takes so many seconds, whatever its share.
func alone(seconds float64) func(float64) float64 { return func(float64) float64 { return seconds } }

func TestRun(t *testing.T) {
	for _, c := range []struct {
		name    string
		steps   []Step
		machine Machine
		want    float64
		core    []float64
	}{
		{"nothing", nil, Machine{Cores: 2}, 0, nil},
		{"one on all cores", []Step{{Seconds: even(8)}}, Machine{Cores: 4}, 2, []float64{8}},
		{"one that can use one core", []Step{{Seconds: even(8), Cores: 1}}, Machine{Cores: 4}, 8, []float64{8}},
		{"two divide the cores", []Step{{Seconds: even(4)}, {Seconds: even(4)}}, Machine{Cores: 2}, 4, []float64{4, 4}},
		{"the longer one gets what the shorter leaves", []Step{{Seconds: even(2)}, {Seconds: even(6)}}, Machine{Cores: 2}, 4, []float64{2, 6}},
		{"one at a time", []Step{{Seconds: alone(1)}, {Seconds: alone(1)}}, Machine{Cores: 4, Jobs: 1}, 2, []float64{4, 4}},
		{"a chain", []Step{{Seconds: alone(1)}, {Seconds: alone(2), After: []int{0}}, {Seconds: alone(3), After: []int{1}}}, Machine{Cores: 2}, 6, []float64{2, 4, 6}},
		{"the urgent first", []Step{{Seconds: alone(1), Priority: 1}, {Seconds: alone(1), Priority: 9}, {Seconds: alone(5), Priority: 1, After: []int{1}}},
			Machine{Cores: 1}, 7, []float64{1, 1, 5}},
		{"memory keeps one waiting", []Step{{Seconds: alone(1), Memory: 6, Least: 6}, {Seconds: alone(1), Memory: 6, Least: 6}}, Machine{Cores: 2, Memory: 10}, 2, []float64{2, 2}},
		{"a step that is larger than the machine", []Step{{Seconds: alone(1), Memory: 20, Least: 20}}, Machine{Cores: 2, Memory: 10}, 1, []float64{2}},
		{"a phase waits for the one before", []Step{{Seconds: alone(3), Cores: 1}, {Seconds: alone(1), Phase: 1}, {Seconds: alone(1), Phase: 1, After: []int{0}}},
			Machine{Cores: 2}, 4, []float64{3, 1, 1}},
		{"uneven shares", []Step{{Seconds: even(4), Priority: 2}, {Seconds: even(4)}}, Machine{Cores: 3}, 8.0 / 3, []float64{4, 4}},
	} {
		got := Run(c.steps, c.machine)
		if math.Abs(got.Seconds-c.want) > 1e-6 {
			t.Errorf("%s: %g s, want %g", c.name, got.Seconds, c.want)
		}
		for i, want := range c.core {
			if math.Abs(got.CoreSeconds[i]-want) > 1e-6 {
				t.Errorf("%s: step %d: %g core-seconds, want %g", c.name, i, got.CoreSeconds[i], want)
			}
		}
	}
}

// BenchmarkRun is a plan of as many steps as the largest of the paper's studies.
func BenchmarkRun(b *testing.B) {
	steps := make([]Step, 41_033)
	for i := range steps {
		steps[i] = Step{Seconds: even(1), Priority: int64(i % 7)}
		if i > 100 {
			steps[i].After = []int{i % 100, i % 53}
		}
	}
	for b.Loop() {
		if got := Run(steps, Machine{Cores: 64}); got.Seconds <= 0 {
			b.Fatal(got)
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(time.Millisecond), "ms/plan")
}
