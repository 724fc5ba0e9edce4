package kind

import (
	"math"
	"testing"
)

// TestSeconds: the two rates that were measured come out again, what no thread shortens stays, and
// the setup is paid once.
func TestSeconds(t *testing.T) {
	for _, c := range []struct {
		name   string
		speed  Speed
		work   float64
		inputs int
		share  float64
		want   float64
	}{
		{"one thread", Speed{One: 10, All: 20, Threads: 2}, 100, 0, 1, 10},
		{"all threads", Speed{One: 10, All: 20, Threads: 2}, 100, 0, 2, 5},
		{"threads that help half", Speed{One: 10, All: 40.0 / 2.5, Threads: 4}, 100, 0, 4, 6.25},
		{"threads that do not help", Speed{One: 10, All: 8, Threads: 4}, 100, 0, 4, 10},
		{"more than all threads could help", Speed{One: 10, All: 100, Threads: 2}, 100, 0, 2, 5},
		{"setup and inputs", Speed{One: 10, All: 10, Threads: 1, Setup: 2, Input: 0.5}, 10, 4, 1, 5},
		{"no work that takes time", Speed{Threads: 2, Setup: 3}, 100, 0, 1, 3},
	} {
		if got := c.speed.Seconds(c.work, c.inputs, c.share); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %g s, want %g", c.name, got, c.want)
		}
	}
}
