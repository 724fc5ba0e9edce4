package pipeline

import "slices"

// Sub is the part of the plan that some steps need, as a plan of its own, and the numbers of those
// steps in it.
func (p *Plan) Sub(goals ...int) (*Plan, []int) {
	need := make([]bool, len(p.Steps))
	for _, i := range goals {
		need[i] = true
	}
	for j := len(p.Steps) - 1; j >= 0; j-- {
		if !need[j] {
			continue
		}
		for _, in := range p.Steps[j].Inputs {
			if in.File == nil {
				need[in.Step] = true
			}
		}
	}
	sub := &Plan{Study: p.Study, Result: -1, index: map[string]int{}, aliases: p.aliases}
	at := make([]int, len(p.Steps))
	for j, s := range p.Steps {
		if !need[j] {
			continue
		}
		c := *s
		c.Inputs = slices.Clone(s.Inputs)
		for k := range c.Inputs {
			if c.Inputs[k].File == nil {
				c.Inputs[k].Step = at[c.Inputs[k].Step]
			}
		}
		at[j] = len(sub.Steps)
		sub.index[c.ID] = at[j]
		sub.Steps = append(sub.Steps, &c)
	}
	places := make([]int, len(goals))
	for k, i := range goals {
		places[k] = at[i]
	}
	return sub, places
}

// Corpora is the part of the plan that makes units of corpora and trains nothing, but for the seed
// model if that is asked for.
func (p *Plan) Corpora(seed bool) *Plan {
	var goals []int
	for _, s := range p.Splits {
		goals = append(goals, s.Step)
	}
	if i, ok := p.index["seed"]; ok && seed {
		goals = append(goals, i)
	}
	sub, at := p.Sub(goals...)
	sub.Splits = slices.Clone(p.Splits)
	for k := range sub.Splits {
		sub.Splits[k].Step = at[k]
	}
	return sub
}
