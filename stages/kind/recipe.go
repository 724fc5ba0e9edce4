package kind

import (
	"errors"
	"fmt"
	"math/big"
)

// Linear is the method of a weighted average of parameters. It is the empty word, so that keys are
// those from before there was a choice.
const Linear = ""

// Recipe says how models are made into one: a method, and one weight a model. Parameters of steps
// embed it, so that its fields stand among theirs in keys.
type Recipe struct {
	Method  string   `json:"method,omitempty"`
	Weights []string `json:"weights"` // exact fractions: "1/6"
}

// Linearly says whether the recipe is a weighted average, of which the order of the models does not
// matter and those of equal content may be taken together.
func (r Recipe) Linearly() bool { return r.Method == Linear }

// Fractions are the weights as numbers, the nearest to each. It is an error if the method is not
// linear, which is the only one that there is, if there are not as many weights as models, or if
// their exact sum is not 1.
func (r Recipe) Fractions(models int) ([]float64, error) {
	if !r.Linearly() {
		return nil, fmt.Errorf("models are merged by method %q, this program knows linear averages only", r.Method)
	}
	if len(r.Weights) != models {
		return nil, fmt.Errorf("internal error: %d weights for %d models", len(r.Weights), models)
	}
	if models == 0 {
		return nil, errors.New("internal error: a recipe of no model")
	}
	values, sum := make([]float64, len(r.Weights)), new(big.Rat)
	for i, text := range r.Weights {
		w, ok := new(big.Rat).SetString(text)
		if !ok {
			return nil, fmt.Errorf("internal error: weight %d is %q, want a fraction such as 1/6", i, text)
		}
		values[i], _ = w.Float64() // the nearest float64
		sum.Add(sum, w)
	}
	if sum.Cmp(big.NewRat(1, 1)) != 0 {
		return nil, fmt.Errorf("internal error: weights %v sum to %s, want 1", r.Weights, sum.RatString())
	}
	return values, nil
}
