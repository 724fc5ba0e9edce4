package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"

	"ablate/cache"
	"ablate/stages/kind"
)

// An average of models is one thing however it is written. Recipes are flattened to exact weights of trained models, so brackets leave no
// trace: a macro average over partitions of one unit each is the micro average, and a mean of means is whatever mean has the same weights.
// Neither do the order of listing, names, and where a model came from: in the key, and in the sum, models stand in the order of their
// content digests, and models of one content are one model with their weights added. So recipes that are equal as mathematics over the
// same checkpoints have one key and one bit pattern. The order cannot be left to arithmetic: sums in float64, rounded to float32 once,
// mostly agree in every order, but not always.
//
// What this does not cover: an average that was stored (a merge step's checkpoint) has been rounded to float32, and an average of such is
// another number than the flat one. No plan makes one.

// recipe is a weighted average of trained models; weights are exact fractions that sum to 1.
type recipe struct {
	name    string
	models  []int
	weights []*big.Rat
	scale   *scale // of the models; nil: the study's own
}

func single(name string, step int) recipe {
	return recipe{name: name, models: []int{step}, weights: []*big.Rat{big.NewRat(1, 1)}}
}

// inputs are the recipe's models and weights as a step has them, in the order of the plan, each model once: so that two names for one average
// meet in one step already before content is known.
func (r recipe) inputs() (inputs []Input, weights []string) {
	sum := map[int]*big.Rat{}
	for i, m := range r.models {
		if sum[m] == nil {
			sum[m] = new(big.Rat)
		}
		sum[m].Add(sum[m], r.weights[i])
	}
	models := make([]int, 0, len(sum))
	for m := range sum {
		models = append(models, m)
	}
	slices.Sort(models)
	for i, m := range models {
		inputs = append(inputs, Input{Role: kind.Role("model", i), Step: m, Output: kind.OutModel})
		weights = append(weights, sum[m].RatString())
	}
	return inputs, weights
}

// settled is a step whose inputs have the given digests as it is keyed and carried out: the models of an average in the order of their
// content, each content once. Other steps are as they are.
func settled(s *Step, digests []cache.Digest) (*Step, []cache.Digest) {
	weights, params := averaged(s)
	n := len(weights) // models, which are the first inputs
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
	slices.SortStableFunc(order, byContent)
	out := *s
	out.Inputs = nil
	var contents []cache.Digest
	var sums []*big.Rat
	for k, i := range order {
		if k > 0 && byContent(order[k-1], i) == 0 {
			last := sums[len(sums)-1]
			last.Add(last, fraction(weights[i]))
			continue
		}
		in := s.Inputs[i]
		in.Role = kind.Role("model", len(sums))
		out.Inputs, contents, sums = append(out.Inputs, in), append(contents, digests[i]), append(sums, fraction(weights[i]))
	}
	texts := make([]string, len(sums))
	for i, w := range sums {
		texts[i] = w.RatString()
	}
	out.Params = params(texts)
	out.Inputs = append(out.Inputs, s.Inputs[n:]...)
	return &out, append(contents, digests[n:]...)
}

// averaged gives the weights of a step that averages models, and its parameters with other weights in their place.
func averaged(s *Step) (weights []string, params func(weights []string) json.RawMessage) {
	decode := func(p any) {
		if err := json.Unmarshal(s.Params, p); err != nil {
			panic(fmt.Sprintf("internal error: parameters %s: %v", s.Params, err)) // we made them
		}
	}
	switch s.Kind {
	case kind.Eval:
		var p kind.EvalParams
		decode(&p)
		return p.Weights, func(w []string) json.RawMessage { p.Weights = w; return canonical(p) }
	case kind.Merge:
		var p kind.MergeParams
		decode(&p)
		return p.Weights, func(w []string) json.RawMessage { p.Weights = w; return canonical(p) }
	}
	return nil, nil
}

func fraction(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic(fmt.Sprintf("internal error: weight %q", text)) // we made it
	}
	return r
}
