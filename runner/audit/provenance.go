package audit

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"

	"ablate/cache"
	"ablate/pipeline"
)

// Step is one step in provenance.json: enough to find and check every artifact behind a number of the report.
type Step struct {
	ID         string            `json:"id"`
	Kind       string            `json:"kind"`
	Key        cache.Key         `json:"key"`
	Inputs     map[string]string `json:"inputs"` // role -> step and output or raw file name, and digest
	Outputs    []cache.Output    `json:"outputs"`
	Provenance cache.Provenance  `json:"provenance"`
}

// Provenance lists the steps of a plan that was carried out, as provenance.json holds them.
func Provenance(s *pipeline.State) []Step {
	out := make([]Step, 0, len(s.Plan.Steps))
	for i := range s.Plan.Steps {
		out = append(out, provenance(s, i))
	}
	return out
}

// provenance is what provenance.json should say of step i, which is a hit, as are those before it.
func provenance(s *pipeline.State, i int) Step {
	step, e := s.Plan.Steps[i], s.Entries[i]
	ps := Step{ID: step.ID, Kind: step.Kind, Key: s.Keys[i], Inputs: map[string]string{}, Outputs: e.Outputs, Provenance: e.Provenance}
	for _, in := range s.Step(i).Inputs {
		if in.File != nil {
			ps.Inputs[in.Role] = "file " + in.File.Name + " " + in.File.Digest.String()
			continue
		}
		o, _ := s.Entries[in.Step].Output(in.Output)
		ps.Inputs[in.Role] = s.Plan.Steps[in.Step].ID + " " + in.Output + " " + o.Digest.String()
	}
	return ps
}

// ParseProvenance reads provenance.json.
func ParseProvenance(data []byte) ([]Step, error) {
	var steps []Step
	if err := json.Unmarshal(data, &steps); err != nil {
		return nil, fmt.Errorf("provenance.json: %w", err)
	}
	return steps, nil
}

// disagreement names the first value in which a claim and what it should say differ, or "". Outputs and inputs are named, not numbered.
func disagreement(claim, want Step) string {
	was, now := flat(claim), flat(want)
	labels := make([]string, 0, len(was)+len(now))
	for l := range was {
		labels = append(labels, l)
	}
	for l := range now {
		labels = append(labels, l)
	}
	sort.Strings(labels)
	for _, l := range slices.Compact(labels) {
		if was[l] != now[l] {
			return fmt.Sprintf("%s is %s there, want %s", l, orAbsent(was[l]), orAbsent(now[l]))
		}
	}
	return ""
}

// flat is a step of provenance.json, a value a label.
func flat(s Step) map[string]string {
	m := map[string]string{"kind": s.Kind, "key": s.Key.String()}
	for role, in := range s.Inputs {
		m["input "+role] = in
	}
	for _, o := range s.Outputs {
		m["output "+o.Name] = fmt.Sprintf("%s (%d bytes)", o.Digest, o.Size)
	}
	data, err := json.Marshal(s.Provenance)
	var fields map[string]any
	if err == nil {
		err = json.Unmarshal(data, &fields)
	}
	if err != nil {
		panic(fmt.Sprintf("internal error: provenance %+v: %v", s.Provenance, err)) // plain words and numbers
	}
	for k, v := range fields {
		m["provenance "+k] = fmt.Sprint(v)
	}
	return m
}

func orAbsent(s string) string {
	if strings.TrimSpace(s) == "" {
		return "absent"
	}
	return s
}
