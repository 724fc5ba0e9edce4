package pipeline

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"ablate/stages/kind"
)

// Weighted is a model with its weight in an average: a trained model by the ID of its step, or a
// proxy's average by its name ("micro/pairs/crypto+net").
type Weighted struct {
	Model  string
	Weight *big.Rat // above zero; only the ratios of the weights count
}

// AddMerge adds the step that stores an average of models, which evaluations make on the fly, and
// returns its number. Averages among the parts are taken apart, so that the result is one average
// of trained models, each with the exact product of its weights.
func (p *Plan) AddMerge(parts []Weighted) (int, error) {
	total := new(big.Rat)
	for _, w := range parts {
		if w.Weight.Sign() <= 0 {
			return 0, fmt.Errorf("weight %s of model %s: want one above zero", w.Weight.RatString(), w.Model)
		}
		total.Add(total, w.Weight)
	}
	var whole recipe
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
			whole.models, whole.weights = append(whole.models, m), append(whole.weights, new(big.Rat).Mul(share, r.weights[i]))
		}
	}
	step := &Step{ID: "merge/" + strings.Join(names, ","), Kind: kind.Merge}
	var params kind.MergeParams
	step.Inputs, params.Weights = whole.inputs()
	step.Params = canonical(params)
	p.Steps = append(p.Steps, step)
	p.index[step.ID] = len(p.Steps) - 1
	return len(p.Steps) - 1, nil
}

// recipe finds a model by name: an average of the study, or a trained model.
func (p *Plan) recipe(name string) (recipe, error) {
	name = p.meant(name)
	if r, ok := p.recipes[name]; ok {
		return r, nil
	}
	i, err := p.Find(name)
	if err == nil && p.Steps[i].Kind == kind.Train {
		return single("", p.Steps[i].ID, i), nil
	}
	var models []string
	for _, m := range p.Models {
		models = append(models, m.Name)
	}
	all := append(slices.Clone(models), sortedKeys(p.recipes)...)
	if same, ok := reordered(name, append(sortedKeys(p.aliases), all...)); ok && same != name {
		return p.recipe(same)
	}
	near := alike(name, all)
	return recipe{}, fmt.Errorf("no model %q; did you mean %s? Trained models are called %s; averages %s", name, near, listSome(models, 4), listSome(sortedKeys(p.recipes), 4))
}
