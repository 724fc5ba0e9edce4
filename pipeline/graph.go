package pipeline

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Collapse is the plan as a drawing: labels and edges between them, in a stable order. A plan of hundreds of steps cannot be read as it
// is, so unless each step is asked for, steps that are about things of one sort, such as the units of a set of partitions, become one node.
func (p *Plan) Collapse(each bool) (labels []string, edges [][2]int) {
	labels, edges, _ = p.collapse(each)
	return labels, edges
}

// CollapseWhy is Collapse with what of each node would run, and the first ingredient because of which: "3 run, 2 wait: param optimizer.lr:
// 0.002 -> 0.003". why makes the latter of a step that would run; it returns "" where the step has no reason of its own.
func (s *State) CollapseWhy(each bool, why func(step int) string) (labels []string, edges [][2]int) {
	labels, edges, at := s.Plan.collapse(each)
	run, waits, reason := make([]int, len(labels)), make([]int, len(labels)), make([]string, len(labels))
	for i, n := range at {
		switch s.Status[i] {
		case Run:
			run[n]++
			if reason[n] == "" {
				reason[n] = why(i)
			}
		case Waits:
			waits[n]++
		}
	}
	for n := range labels {
		var words []string
		if run[n] > 0 {
			words = append(words, fmt.Sprintf("%d run", run[n]))
		}
		if waits[n] > 0 {
			words = append(words, fmt.Sprintf("%d wait", waits[n]))
		}
		if len(words) > 0 {
			labels[n] += "\n" + strings.Join(words, ", ")
		}
		if reason[n] != "" {
			labels[n] += ": " + reason[n]
		}
	}
	return labels, edges
}

// collapse also gives the node of each step.
func (p *Plan) collapse(each bool) (labels []string, edges [][2]int, at []int) {
	node := map[string]int{}
	count := map[int]int{}
	at = make([]int, len(p.Steps))
	for i, s := range p.Steps {
		name := s.ID
		if !each {
			name = s.family()
		}
		n, ok := node[name]
		if !ok {
			n = len(labels)
			node[name] = n
			labels = append(labels, name)
		}
		at[i] = n
		count[n]++
	}
	seen := map[[2]int]bool{}
	for i, s := range p.Steps {
		for _, in := range s.Inputs {
			if e := [2]int{at[in.Step], at[i]}; in.File == nil && e[0] != e[1] && !seen[e] {
				seen[e] = true
				edges = append(edges, e)
			}
		}
	}
	for n, k := range count {
		if k > 1 {
			labels[n] = fmt.Sprintf("%s (%d)", labels[n], k)
		}
	}
	sort.Slice(edges, func(a, b int) bool {
		return edges[a][0] < edges[b][0] || edges[a][0] == edges[b][0] && edges[a][1] < edges[b][1]
	})
	return labels, edges, at
}

// Sub is the part of the plan that some steps need, as a plan of its own, and the numbers of those steps in it.
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

// Corpora is the part of the plan that makes units of corpora and trains nothing, but for the seed model if that is asked for.
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
