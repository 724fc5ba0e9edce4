package pipeline

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"ablate/cache"
	"ablate/stages/kind"
)

// An average of models is one thing however it is written. Recipes are flattened to exact weights
// of trained models, so brackets leave no trace: a macro average over partitions of one unit each
// is the micro average, and a mean of means is whatever mean has the same weights. Neither do the
// order of listing, names, and where a model came from: in the key, and in the sum, models stand in
// the order of their content digests, and models of one content are one model with their weights
// added. So recipes that are equal as mathematics over the same checkpoints have one key and one
// bit pattern. The order cannot be left to arithmetic: sums in float64, rounded to float32 once,
// mostly agree in every order, but not always.
//
// What this does not cover: an average that was stored (a merge step's checkpoint) has been rounded
// to float32, and an average of such is another number than the flat one. No plan makes one.

// recipe is a weighted average of trained models; weights are exact fractions that sum to 1.
type recipe struct {
	word    string // what the name begins with: unit, micro, ...
	name    string
	models  []int
	weights []*big.Rat
	scale   *scale // of the models; nil: the study's own

	// members are the models one by one, where what is averaged are the probabilities that they give
	// to text, in place of their parameters; nil for averages of parameters.
	members []recipe
}

func single(word, name string, step int) recipe {
	return recipe{word: word, name: name, models: []int{step}, weights: []*big.Rat{big.NewRat(1, 1)}}
}

// inputs are the recipe's models and weights as a step has them, in the order of the plan, each
// model once: so that two names for one average meet in one step already before content is known.
func (r recipe) inputs() (inputs []Input, weights []string) {
	return r.gathered(func(model, n int) Input {
		return Input{Role: kind.Role("model", n), Step: model, Output: kind.OutModel}
	})
}

// gathered are the recipe's models in the order of the plan, each once, as the inputs that input
// makes of them and their places, with their weights.
func (r recipe) gathered(input func(model, n int) Input) (inputs []Input, weights []string) {
	order := make([]int, len(r.models))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(r.models[a], r.models[b]) })
	for k := 0; k < len(order); {
		m, sum := r.models[order[k]], r.weights[order[k]]
		for k++; k < len(order) && r.models[order[k]] == m; k++ {
			sum = new(big.Rat).Add(sum, r.weights[order[k]])
		}
		inputs = append(inputs, input(m, len(inputs)))
		weights = append(weights, sum.RatString())
	}
	return inputs, weights
}

// settled is a step whose inputs have the given digests as it is keyed and carried out: the models
// of a linear recipe in the order of their content, each content once. Other steps are as they are.
func (k *keyer) settled(s *Step, digests []cache.Digest) (*Step, []cache.Digest) {
	n := models(s)
	if n < 2 {
		return s, digests
	}
	byContent := func(a, b int) int { return bytes.Compare(digests[a][:], digests[b][:]) }
	order := make([]int, n)
	settled := true
	for i := range order {
		order[i] = i
		settled = settled && (i == 0 || byContent(i-1, i) < 0)
	}
	if settled {
		return s, digests
	}
	r := k.read(s)
	if r.recipe == nil {
		recipe, _ := averaged(s)
		r.recipe = &recipe
	}
	if !r.recipe.Linearly() {
		return s, digests
	}
	slices.SortStableFunc(order, byContent)
	out := *s
	out.Inputs = make([]Input, 0, len(s.Inputs))
	contents := make([]cache.Digest, 0, len(digests))
	var weights []string
	for at, i := range order {
		if at > 0 && byContent(order[at-1], i) == 0 {
			last := &weights[len(weights)-1]
			*last = new(big.Rat).Add(fraction(*last), fraction(r.recipe.Weights[i])).RatString()
			continue
		}
		in := s.Inputs[i]
		in.Role = s.Inputs[len(weights)].Role
		out.Inputs, contents, weights = append(out.Inputs, in), append(contents, digests[i]), append(weights, r.recipe.Weights[i])
	}
	if !slices.Equal(weights, r.recipe.Weights) {
		_, params := averaged(s)
		out.Params = params(weights)
	}
	out.Inputs = append(out.Inputs, s.Inputs[n:]...)
	return &out, append(contents, digests[n:]...)
}

// models is the number of models that a step averages, or of tables of their losses, which are its
// first inputs; 0 for one that averages none.
func models(s *Step) int {
	prefix := "model."
	switch s.Kind {
	case kind.Eval, kind.Merge:
	case kind.Ensemble:
		prefix = "losses."
	default:
		return 0
	}
	n := slices.IndexFunc(s.Inputs, func(in Input) bool { return !strings.HasPrefix(in.Role, prefix) })
	if n < 0 {
		return len(s.Inputs)
	}
	return n
}

// averaged gives the recipe of a step that makes several models into one, and its parameters with
// other weights in their place.
func averaged(s *Step) (recipe kind.Recipe, params func(weights []string) json.RawMessage) {
	decode := func(p any) {
		if err := json.Unmarshal(s.Params, p); err != nil {
			panic(fmt.Sprintf("internal error: parameters %s: %v", s.Params, err)) // we made them
		}
	}
	switch s.Kind {
	case kind.Eval:
		var p kind.EvalParams
		decode(&p)
		return p.Recipe, func(w []string) json.RawMessage { p.Weights = w; return canonical(p) }
	case kind.Merge:
		var p kind.MergeParams
		decode(&p)
		return p.Recipe, func(w []string) json.RawMessage { p.Weights = w; return canonical(p) }
	case kind.Ensemble:
		var p kind.EnsembleParams
		decode(&p)
		return p.Recipe, func(w []string) json.RawMessage { p.Weights = w; return canonical(p) }
	}
	return kind.Recipe{}, nil
}

func fraction(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic(fmt.Sprintf("internal error: weight %q", text)) // we made it
	}
	return r
}
