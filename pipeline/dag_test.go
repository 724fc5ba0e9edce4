package pipeline

import (
	"strings"
	"testing"
)

// A plan out of order is our own mistake, and is told as one: with the steps of a cycle where there
// is one.
func TestOutOfOrder(t *testing.T) {
	steps := func(inputs ...[]int) *Plan {
		p := &Plan{}
		for i, from := range inputs {
			s := &Step{ID: string(rune('a' + i)), Cost: Cost{Tokens: 10}}
			for _, j := range from {
				s.Inputs = append(s.Inputs, Input{Role: "x", Step: j})
			}
			p.Steps = append(p.Steps, s)
		}
		return p
	}
	for _, c := range []struct {
		name string
		plan *Plan
		want string
	}{
		{"in order", steps(nil, []int{0}, []int{0, 1, 1}), ""},
		{"before its input", steps([]int{1}, nil), "step a stands before its inputs"},
		{"a cycle", steps(nil, []int{0, 3}, []int{1}, []int{2}), "steps wait for one another: b, c, d"},
		{"of itself", steps(nil, []int{1}), "step b stands before its inputs"},
		{"of nothing", steps(nil, []int{7}), "input x of step b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := finish(c.plan)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	p := steps(nil, []int{0}, []int{0, 1, 1})
	if err := finish(p); err != nil || p.CriticalPathCost(0) != 33 || p.CriticalPathCost(1) != 22 || p.CriticalPathCost(2) != 11 {
		t.Errorf("error %v, heights %d, %d, %d", err, p.CriticalPathCost(0), p.CriticalPathCost(1), p.CriticalPathCost(2))
	}
}
