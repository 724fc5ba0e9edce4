package pipeline

import (
	"slices"
	"strconv"

	"ablate/cache"
)

// Change is how a step of a plan differs from the step of the same name in another plan.
type Change struct {
	ID    string `json:"step"`
	Kind  string `json:"kind"`
	Added bool   `json:"added,omitempty"`   // only the new plan has it
	Gone  bool   `json:"removed,omitempty"` // only the old plan has it
	// Differs are its own key inputs that differ: parameters, raw files, which outputs it reads.
	// Where there are none, Through is the first step before it that differs.
	Differs []Difference `json:"differs,omitempty"`
	Through string       `json:"through,omitempty"`
}

// Comparison is two plans step by step.
type Comparison struct {
	Same    int      `json:"same"` // steps that are one computation in both, or gave the same bytes
	Changes []Change `json:"changes"`
}

// ComparePlans tells how the steps of one plan differ from those of another. It needs no cache;
// where both know a step's key, equal keys are the same step, whatever came before.
func ComparePlans(old, now *State) Comparison {
	c := Comparison{Changes: []Change{}}
	differs := map[string]bool{}
	for i, step := range now.Plan.Steps {
		j, ok := old.Plan.index[step.ID]
		if !ok {
			c.Changes = append(c.Changes, Change{ID: step.ID, Kind: step.Kind, Added: true})
			differs[step.ID] = true
			continue
		}
		known := now.Status[i] != Waits && old.Status[j] != Waits
		if known && now.Keys[i] == old.Keys[j] {
			c.Same++
			continue
		}
		before := old.Plan.Steps[j]
		if !known && step.definition == before.definition && !reads(now, i, differs) {
			c.Same++
			continue
		}
		differs[step.ID] = true
		change := Change{ID: step.ID, Kind: step.Kind, Through: through(step, now.Plan, differs)}
		was, is := local(before, old), local(step, now)
		change.Differs = differ(was, is)
		foldLists(change.Differs, was, is)
		change.Differs = slices.DeleteFunc(change.Differs, func(d Difference) bool { return d.Label == "" })
		for k, d := range change.Differs {
			for _, in := range step.Inputs {
				if in.File != nil && d.Label == "input "+in.Role {
					change.Differs[k].File = in.File.Name
				}
			}
		}
		if len(change.Differs) > 0 {
			change.Through = ""
		}
		c.Changes = append(c.Changes, change)
	}
	for _, step := range old.Plan.Steps {
		if _, ok := now.Plan.index[step.ID]; !ok {
			c.Changes = append(c.Changes, Change{ID: step.ID, Kind: step.Kind, Gone: true})
		}
	}
	return c
}

// reads says whether step i reads the output of a step that differs.
func reads(s *State, i int, differs map[string]bool) bool {
	return slices.ContainsFunc(s.Plan.Steps[i].Inputs, func(in Input) bool { return in.File == nil && differs[s.Plan.Steps[in.Step].ID] })
}

// through is the first step before this one that differs.
func through(step *Step, p *Plan, differs map[string]bool) string {
	for _, in := range step.Inputs {
		if in.File == nil && differs[p.Steps[in.Step].ID] {
			return p.Steps[in.Step].ID
		}
	}
	return ""
}

// local lists what a step's key is made of, with the outputs that it reads by the name of their
// step and not by content.
func local(s *Step, st *State) []cache.KeyInput {
	k, _ := st.Kinds.Named(s.Kind) // Resolve has seen them all
	ing := []cache.KeyInput{{Label: "kind", Value: s.Kind}, {Label: "kind version", Value: strconv.Itoa(k.Version())}}
	ing = append(ing, flatten(s.Params)...)
	for _, in := range s.Inputs {
		value := ""
		if in.File != nil {
			value = in.File.Digest.String()
		} else {
			value = st.Plan.Steps[in.Step].ID + " " + in.Output
		}
		ing = append(ing, cache.KeyInput{Label: "input " + in.Role, Value: value})
	}
	return ing
}

// InWords names a difference without its values.
func (d Difference) InWords() string {
	switch {
	case d.File != "":
		return "content of " + d.File
	case d.From != "":
		return d.Label + " (" + d.From + ")"
	}
	return d.Label
}
