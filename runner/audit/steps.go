package audit

import (
	"errors"
	"fmt"
	"strings"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/specs/words"
)

// Lookup finds the entry of a key as it lies in the cache, whatever its blobs are like; where the
// cache has none, what provenance.json claims, so that one loss does not hide what comes after it.
// [Audit.Steps] tells of each loss. It may be called from several goroutines.
func (a *Audit) Lookup(key cache.Key) (*cache.Entry, error) {
	entry, err := a.Cache.Entry(key)
	var miss *cache.Miss
	if !errors.As(err, &miss) {
		return entry, err
	}
	a.mu.Lock()
	a.lost[key] = miss
	a.mu.Unlock()
	if claim := a.claimed[key]; claim != nil {
		return claim, nil
	}
	return nil, miss
}

// Steps checks that every step of a plan, resolved by Lookup, has an entry whose key follows from
// the study and the content of its inputs, and that provenance.json says of it what the entry says.
func (a *Audit) Steps(state *pipeline.State) {
	a.state = state
	a.Result.Steps.Of = len(state.Plan.Steps)
	var waits []string
	var entries []*cache.Entry // read once something is missing
	for i, step := range state.Plan.Steps {
		switch state.Status[i] {
		case pipeline.Waits:
			waits = append(waits, step.ID)
			continue
		case pipeline.Run:
			if entries == nil {
				entries = a.entries()
			}
			a.missing(i, entries)
			continue
		}
		entry, key := state.Entries[i], state.Keys[i]
		sound := true
		if miss := a.lost[key]; miss != nil {
			sound = false
			a.fault(i, "entry", key.String(), "%s; later steps are checked with the outputs that provenance.json names", inWords(miss))
		}
		if entry.Kind != step.Kind {
			sound = false
			a.fault(i, "entry", key.String(), "is of kind %s, want %s", entry.Kind, step.Kind)
		}
		if len(a.claims) > 0 {
			claim, ok := a.claims[step.ID]
			if d := disagreement(claim, provenance(state, i)); !ok {
				sound = false
				a.fault(i, "report", "provenance.json", "does not name the step")
			} else if d != "" {
				sound = false
				a.fault(i, "report", "provenance.json", "%s", d)
			}
		}
		if sound {
			a.Result.Steps.Checked++
			if a.Cache.FromUpstream(key) {
				a.Result.Upstream++
			}
		}
	}
	for id := range a.claims {
		if _, err := state.Plan.Find(id); err != nil && state.Plan.Partial == "" {
			a.Find("report", "provenance.json", id, "names a step that is not in the study")
		}
	}
	if state.Plan.Partial != "" {
		a.Skip("unit and reference models, evaluations and the comparison", "%s", state.Plan.Partial)
	}
	switch n := len(waits); {
	case n == 1:
		a.Skip("step "+waits[0], "its key cannot be derived: a step before it is lost")
	case n > 1:
		a.Skip(fmt.Sprintf("%s and %d more steps", waits[0], n-1), "their keys cannot be derived: a step before them is lost")
	}
}

// fault is a finding about step i.
func (a *Audit) fault(i int, what, name, format string, args ...any) {
	a.bad[i] = true
	a.Find(what, name, a.state.Plan.Steps[i].ID, format, args...)
}

func (a *Audit) entries() []*cache.Entry {
	entries := []*cache.Entry{}
	for e, err := range a.Cache.Entries() {
		if err == nil { // a corrupt one is no evidence; if the plan needs it, it is found by its key
			entries = append(entries, e)
		}
	}
	return entries
}

// mostExplained is how many missing entries are traced to what differs: each is compared with every
// entry of the cache, and what many of them have in common shows in the first.
const mostExplained = 100

// missing tells why step i has no entry: the first key input that differs from the nearest one.
// Where that is what an earlier step with a finding left, it is a consequence.
func (a *Audit) missing(i int, entries []*cache.Entry) {
	s, step := a.state, a.state.Plan.Steps[i]
	miss := a.lost[s.Keys[i]]
	if miss.Reason != cache.Absent {
		a.fault(i, "entry", s.Keys[i].String(), "%s", inWords(miss))
		return
	}
	if a.explained++; a.explained > mostExplained {
		a.fault(i, "entry", s.Keys[i].String(), "the cache has none for the key that the study gives")
		return
	}
	because := s.Explain(i, entries).Because[0]
	if len(because.Differs) > 0 {
		role, isInput := strings.CutPrefix(because.Differs[0].Label, "input ")
		for _, in := range s.Step(i).Inputs {
			if isInput && in.Role == role && in.File == nil && a.bad[in.Step] {
				a.bad[i] = true
				a.Skip("step "+step.ID, "no entry fits the present key inputs of step %s (%s)", s.Plan.Steps[in.Step].ID, differenceInWords(because.Differs[0]))
				return
			}
		}
	}
	detail := "the cache has none for the key that the study gives"
	if claim, ok := a.claims[step.ID]; ok && claim.Key != s.Keys[i] {
		detail += fmt.Sprintf(" (provenance.json has key %s)", claim.Key.Short())
	}
	if because.Nearest != "" && len(because.Differs) > 0 {
		detail += fmt.Sprintf("; the nearest, of %s, differs in %s", because.Nearest, differenceInWords(because.Differs[0]))
		if n := len(because.Differs) - 1; n > 0 {
			detail += fmt.Sprintf(" and %d more", n)
		}
	} else if because.Note != "" {
		detail += "; " + because.Note
	}
	a.fault(i, "entry", s.Keys[i].String(), "%s", detail)
}

func differenceInWords(d pipeline.Difference) string {
	label := d.Label
	switch {
	case d.File != "":
		label = "content of " + d.File
	case d.From != "":
		label += " (" + d.From + ")"
	}
	return fmt.Sprintf("%s: recorded %s, now %s", label, words.OrAbsent(d.Old), words.OrAbsent(d.New))
}

// inWords is what a miss says without the name of what is missed.
func inWords(m *cache.Miss) string {
	if m.Detail == "" {
		return "is missing"
	}
	return string(m.Reason) + ": " + m.Detail
}
