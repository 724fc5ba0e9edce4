package pipeline

import (
	"fmt"
	"math/big"
	"strings"

	"ablate/stages/kind"
)

// Weighted is a model with its weight in an average: a trained model by the ID of its step, or a proxy's average by its name
// ("micro/pairs/crypto+net").
type Weighted struct {
	Model  string
	Weight *big.Rat // above zero; only the ratios of the weights count
}

// AddMerge adds the step that stores an average of models, which evaluations make on the fly, and returns its number. Averages among the
// parts are taken apart, so that the result is one average of trained models, each with the exact product of its weights.
func (p *Plan) AddMerge(parts []Weighted) (int, error) {
	total := new(big.Rat)
	for _, w := range parts {
		if w.Weight.Sign() <= 0 {
			return 0, fmt.Errorf("weight %s of model %s: want one above zero", w.Weight.RatString(), w.Model)
		}
		total.Add(total, w.Weight)
	}
	var models []int
	weight := map[int]*big.Rat{}
	var names []string
	for _, w := range parts {
		r, err := p.recipe(w.Model)
		if err != nil {
			return 0, err
		}
		share := new(big.Rat).Quo(w.Weight, total)
		names = append(names, w.Model)
		if len(parts) > 1 {
			names[len(names)-1] = share.RatString() + ":" + w.Model
		}
		for i, m := range r.models {
			if weight[m] == nil {
				weight[m] = new(big.Rat)
				models = append(models, m)
			}
			weight[m].Add(weight[m], new(big.Rat).Mul(share, r.weights[i]))
		}
	}
	step := &Step{ID: "merge/" + strings.Join(names, ","), Kind: kind.Merge}
	var params kind.MergeParams
	for i, m := range models {
		params.Weights = append(params.Weights, weight[m].RatString())
		step.Inputs = append(step.Inputs, Input{Role: kind.Role("model", i), Step: m, Output: kind.OutModel})
	}
	step.Params = canonical(params)
	p.Steps = append(p.Steps, step)
	p.index[step.ID] = len(p.Steps) - 1
	return len(p.Steps) - 1, nil
}

// recipe finds a model by name: an average of the study, or a trained model.
func (p *Plan) recipe(name string) (recipe, error) {
	if r, ok := p.recipes[name]; ok {
		return r, nil
	}
	i, err := p.Find(name)
	if err == nil && p.Steps[i].Kind == kind.Train {
		return single(p.Steps[i].ID, i), nil
	}
	var models []string
	for _, m := range p.Models {
		models = append(models, m.Name)
	}
	return recipe{}, fmt.Errorf("no model %q; trained models are called %s; averages %s", name, listSome(models, 4), listSome(sortedKeys(p.recipes), 4))
}
