package optim

import (
	"math"
	"strings"
	"testing"
)

// Settings and step numbers that make no sense are refused together, with what is wanted. What a
// step then does is tested with the engines.
func TestStepValidate(t *testing.T) {
	good := Step{AdamW{Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, WeightDecay: 0.1, Clip: 1}, 1e-3, 1}
	for _, c := range []struct {
		name   string
		change func(*Step)
		want   string // "": nothing is wrong
	}{
		{"good", func(*Step) {}, ""},
		{"rate of 0", func(s *Step) { s.LR = 0 }, ""},
		{"step 0", func(s *Step) { s.Number = 0 }, "step number is 0"},
		{"negative rate", func(s *Step) { s.LR = -0.1 }, "learning rate is -0.1"},
		{"rate that is no number", func(s *Step) { s.LR = math.NaN() }, "learning rate is NaN"},
		{"settings", func(s *Step) { s.Beta1, s.Eps = 1, 0 }, "beta1 is 1, want 0 to less than 1\nadamw: eps is 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := good
			c.change(&s)
			err := s.Validate()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestClipScale(t *testing.T) {
	for _, c := range []struct{ clip, norm, want float64 }{{0, 100, 1}, {1, 0.5, 1}, {1, 4, 1 / (4 + 1e-6)}} {
		if got := (Step{AdamW: AdamW{Clip: c.clip}}).ClipScale(c.norm); got != c.want {
			t.Errorf("clip %g of norm %g: %g, want %g", c.clip, c.norm, got, c.want)
		}
	}
}

func TestCorrections(t *testing.T) {
	first, second := Step{AdamW: AdamW{Beta1: 0.5, Beta2: 0.25}, Number: 2}.Corrections()
	if first != 0.75 || second != 0.9375 {
		t.Errorf("corrections %g and %g, want 0.75 and 0.9375", first, second)
	}
}
