package optim

import (
	"math"
	"strings"
	"testing"
)

func TestLR(t *testing.T) {
	const peak, final = 6e-4, 6e-5
	for _, c := range []struct {
		name        string
		s           Schedule
		step, total int
		want        float64
	}{
		{"constant, first", Schedule{Kind: Constant, Peak: peak}, 0, 10, peak},
		{"constant, last", Schedule{Kind: Constant, Peak: peak, Final: final}, 9, 10, peak},
		{"constant, warm-up", Schedule{Kind: Constant, Peak: peak, Warmup: 4}, 0, 10, peak / 4},
		{"cosine, first of warm-up", Schedule{Cosine, peak, final, 4}, 0, 12, peak / 4},
		{"cosine, last of warm-up", Schedule{Cosine, peak, final, 4}, 3, 12, peak},
		{"cosine, half-way", Schedule{Cosine, peak, final, 4}, 7, 12, (peak + final) / 2},
		{"cosine, a quarter", Schedule{Cosine, peak, final, 4}, 5, 12, final + (peak-final)*(1+math.Sqrt2/2)/2},
		{"cosine, last", Schedule{Cosine, peak, final, 4}, 11, 12, final},
		{"cosine, past the end", Schedule{Cosine, peak, final, 4}, 100, 12, final},
		{"cosine, no warm-up", Schedule{Cosine, peak, final, 0}, 5, 12, (peak + final) / 2},
		{"linear, a quarter", Schedule{Linear, peak, final, 4}, 5, 12, peak - (peak-final)/4},
		{"linear, last", Schedule{Linear, peak, 0, 4}, 11, 12, 0},
		{"one step", Schedule{Cosine, peak, final, 0}, 0, 1, final},
		{"warm-up longer than the training", Schedule{Cosine, peak, final, 20}, 9, 10, peak / 2},
	} {
		if got := c.s.LR(c.step, c.total); math.Abs(got-c.want) > 1e-12*peak {
			t.Errorf("%s: LR(%d, %d) = %v, want %v", c.name, c.step, c.total, got, c.want)
		}
	}
}

// The authors' schedule of the seed model, 20,000 batches with 400 of warm-up and a cosine to a
// tenth of the rate, as Composer's CosineAnnealingWithWarmupScheduler computes it (paper/FACTS.md,
// training). Composer sets the rate after a step, for the next: its first step has a rate of 0 and
// its last not quite the final one. Ours is one step ahead, the same everywhere else.
func TestAuthorsSchedule(t *testing.T) {
	const total, warmup, peak, alpha = 20_000, 400, 6e-4, 0.1
	composer := func(batch float64) float64 {
		if batch < warmup {
			return peak * batch / warmup
		}
		done := (batch - warmup) / (total - warmup)
		return peak * (alpha + (1-alpha)*0.5*(1+math.Cos(math.Pi*done)))
	}
	s := Schedule{Cosine, peak, alpha * peak, warmup}
	for step := range total {
		if got, want := s.LR(step, total), composer(float64(step+1)); math.Abs(got-want) > 1e-12*peak {
			t.Fatalf("step %d: rate %v, want %v", step, got, want)
		}
	}
}

func TestScheduleValidate(t *testing.T) {
	for _, c := range []struct {
		name string
		s    Schedule
		want string // "" for valid
	}{
		{"good", Schedule{Cosine, 1e-3, 1e-4, 10}, ""},
		{"constant needs no final", Schedule{Kind: Constant, Peak: 1e-3}, ""},
		{"kind", Schedule{"cos", 1e-3, 0, 0}, `kind is "cos", want one of ["constant" "cosine" "linear"]`},
		{"rate", Schedule{Cosine, 0, 0, 0}, "lr is 0"},
		{"nan", Schedule{Cosine, math.NaN(), 0, 0}, "lr is NaN"},
		{"final above peak", Schedule{Cosine, 1e-3, 1e-2, 0}, "final_lr is 0.01, want 0 to lr, 0.001"},
		{"warm-up", Schedule{Cosine, 1e-3, 1e-4, -1}, "warmup is -1"},
	} {
		err := c.s.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}
