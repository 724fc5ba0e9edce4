package audit

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/specs/words"
	"ablate/stages/kind"
)

// Step is one step in provenance.json: enough to find and check every artifact behind a number of
// the report.
type Step struct {
	ID         string            `json:"id"`
	Kind       string            `json:"kind"`
	Key        cache.Key         `json:"key"`
	Inputs     map[string]string `json:"inputs"` // role -> step and output or raw file name, and digest
	Outputs    []cache.Output    `json:"outputs"`
	Provenance cache.Provenance  `json:"provenance"`

	Scores []Score `json:"scores,omitempty"` // of the step that compares: the entries behind each row of scores.parquet
}

// Score is a row of scores.parquet and what it was computed from. An evaluation that several scores
// share is named by each of them.
type Score struct {
	Group   string   `json:"mixture_set"`
	Mixture string   `json:"mixture"`
	Scorer  string   `json:"scorer"`
	Set     string   `json:"eval_set"`
	Domains []Domain `json:"domains"` // of the average over sets: its sets, one after the other
}

// Domain is a domain of an evaluation set. A score is the mean over its domains of the mean over a
// domain's evaluations.
type Domain struct {
	Domain      string       `json:"domain"`
	Evaluations []Evaluation `json:"evaluations"`
}

// Evaluation is the evaluation of a model, as the score calls it, and the step that made it, which
// may have another name.
type Evaluation struct {
	Model string    `json:"model"`
	Step  string    `json:"step"`
	Key   cache.Key `json:"key"`
}

// scores lists the rows of scores.parquet: those of the plan, then the averages over the sets that
// do not change with the mixture.
func scores(s *pipeline.State) []Score {
	out := make([]Score, 0, len(s.Plan.Scores))
	for _, ref := range s.Plan.Scores {
		score := Score{Group: ref.MixtureSet, Mixture: ref.Mixture, Scorer: ref.Scorer, Set: ref.Set}
		for _, d := range ref.Domains {
			domain := Domain{Domain: d.Name}
			for _, e := range d.Evals {
				domain.Evaluations = append(domain.Evaluations, Evaluation{e.Model, s.Plan.Steps[e.Step].ID, s.Keys[e.Step]})
			}
			score.Domains = append(score.Domains, domain)
		}
		out = append(out, score)
	}
	return append(out, averages(out)...)
}

// averages are the scores on all sets together, of those who have one on each; none where there are
// fewer than two sets.
func averages(scores []Score) []Score {
	type scorer struct{ group, mixture, name string }
	at, sets, all := map[scorer]int{}, map[scorer]int{}, map[string]bool{}
	var out []Score
	for _, s := range scores {
		if s.Set == kind.InDomain {
			continue
		}
		k := scorer{s.Group, s.Mixture, s.Scorer}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, Score{Group: s.Group, Mixture: s.Mixture, Scorer: s.Scorer, Set: kind.Average})
		}
		sets[k]++
		all[s.Set] = true
		out[i].Domains = append(out[i].Domains, s.Domains...)
	}
	if len(all) < 2 || all[kind.Average] {
		return nil
	}
	return slices.DeleteFunc(out, func(s Score) bool { return sets[scorer{s.Group, s.Mixture, s.Scorer}] < len(all) })
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
	if i == s.Plan.Result {
		ps.Scores = scores(s)
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

// disagreement names the first value in which a claim and what it should say differ, or "". Outputs
// and inputs are named, not numbered.
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
			return fmt.Sprintf("%s is %s there, want %s", l, words.OrAbsent(was[l]), words.OrAbsent(now[l]))
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
	for _, score := range s.Scores {
		m[fmt.Sprintf("score %q", []string{score.Group, score.Mixture, score.Scorer, score.Set})] = fmt.Sprintf("of %q", score.Domains)
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
