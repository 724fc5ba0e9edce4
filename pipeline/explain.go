package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"ablate/cache"
	"ablate/specs/ident"
)

// Explanation says why a step is a hit, runs or waits.
type Explanation struct {
	Step   int       `json:"-"`
	ID     string    `json:"step"`
	Status Status    `json:"status"`
	Key    cache.Key `json:"key"` // zero while the step waits
	// Because is one line per reason, outermost first: the step itself, then the step that its
	// first differing input comes from, and so on.
	Because []Reason `json:"because"`
	Reach            // filled in by who asks for it
}

// Reason is one link of an explanation.
type Reason struct {
	Step    string       `json:"step"`              // whose key inputs are compared
	Nearest string       `json:"nearest,omitempty"` // the cached entry it is compared with, in words; empty where there is none
	Differs []Difference `json:"differs,omitempty"`
	Note    string       `json:"note,omitempty"`
}

// Difference is one key input that differs.
type Difference struct {
	Label string `json:"ingredient"`
	Old   string `json:"old"` // empty where the key input is absent
	New   string `json:"new"`
	File  string `json:"file,omitempty"` // the raw file behind an input, where there is one
	From  string `json:"from,omitempty"` // the step and output behind an input, where there is one
	At    string `json:"at,omitempty"`   // file:line:column of the study where it comes from, filled in by who has the study
}

// Explain compares step i with the nearest cached entry: the one that the same step of the same
// study left, or else the one of the same kind with the fewest other key inputs. Where the first
// difference is an input that another step made, or the step waits, it goes on to that step.
func (s *State) Explain(i int, entries []*cache.Entry) Explanation {
	e := Explanation{Step: i, ID: s.Plan.Steps[i].ID, Status: s.Status[i], Key: s.Keys[i]}
	for seen := map[int]bool{}; i >= 0 && !seen[i]; {
		seen[i] = true
		var r Reason
		r, i = s.reason(i, entries)
		e.Because = append(e.Because, r)
	}
	return e
}

// reason explains step i and names the step to go on to, or -1.
func (s *State) reason(i int, entries []*cache.Entry) (Reason, int) {
	step := s.Plan.Steps[i]
	r := Reason{Step: step.ID}
	switch s.Status[i] {
	case Hit:
		r.Note = fmt.Sprintf("the result is in the cache; step %s of study %s made it on %s",
			s.Entries[i].Provenance.Step, s.Entries[i].Provenance.Study, s.Entries[i].Provenance.Started)
		return r, -1
	case Waits:
		on := s.WaitsOn(i)
		r.Note = fmt.Sprintf("its key is known once %s is done", s.Plan.Steps[on[0]].ID)
		if len(on) > 1 {
			r.Note = fmt.Sprintf("its key is known once %s and %d more are done", s.Plan.Steps[on[0]].ID, len(on)-1)
		}
		return r, on[0]
	}
	if m := s.Misses[i]; m.Reason != cache.Absent {
		r.Note = s.unusable(i, m, entries)
		return r, -1
	}
	near := nearestEntry(step, s.Plan.Study, s.KeyInputs[i], entries)
	if near == nil {
		r.Note = fmt.Sprintf("never seen: this cache holds no step of kind %s; the key inputs of this step are", step.Kind)
		r.Differs = s.differences(i, &cache.Entry{})
		return r, -1
	}
	if near.Provenance.Step != step.ID || near.Provenance.Study != s.Plan.Study {
		r.Note = fmt.Sprintf("the cache holds no result of study %s for this step; the nearest entry belongs to another step", s.Plan.Study)
	}
	r.Nearest = fmt.Sprintf("%s of study %s, %s", near.Provenance.Step, near.Provenance.Study, near.Provenance.Started)
	r.Differs = s.differences(i, near)
	return r, s.origin(i, r.Differs)
}

// sameStart reports whether two steps are the training of a unit before and after documents came:
// its range begins where it did.
func sameStart(old, now string) bool {
	was, r := ident.ParseReplicate(old)
	is, s := ident.ParseReplicate(now)
	a, u, okA := ident.ParseUnit(was, 1)
	b, v, okB := ident.ParseUnit(is, 1)
	return strings.HasPrefix(old, "unit/") && okA && okB && u.Number < 0 && v.Number < 0 && a == b && r == s && u.First == v.First
}

// sameFiles reports whether two steps read files before and after some came or went: the first one
// has the same name.
func sameFiles(old, now string) bool {
	return strings.HasPrefix(old, "tokenize/") && ident.FirstFile(old) == ident.FirstFile(now)
}

// unusable says of an entry that is there, and whose key inputs are all the same, when it was made
// and what of it is lost.
func (s *State) unusable(i int, m *cache.Miss, entries []*cache.Entry) string {
	word := map[cache.Reason]string{cache.Incomplete: "evicted", cache.Corrupt: "corrupted"}[m.Reason]
	note := fmt.Sprintf("%s: the cache had a result with the same key inputs, but %s", word, m.Detail)
	for _, e := range entries {
		if e.Key == s.Keys[i] {
			p := e.Provenance
			note += fmt.Sprintf("; step %s of study %s made it on %s in %.3g s", p.Step, p.Study, p.Started, p.WallSeconds)
		}
	}
	return note
}

// nearestEntry prefers what the same step of the same study left last, or the unit whose range
// began there, or the step whose files began there; then the fewest differences; then the smallest
// key.
func nearestEntry(step *Step, study string, ing []cache.KeyInput, entries []*cache.Entry) *cache.Entry {
	rank := func(e *cache.Entry) int {
		switch {
		case e.Provenance.Study != study:
			return 2
		case e.Provenance.Step == step.ID:
			return 0
		case sameStart(e.Provenance.Step, step.ID), sameFiles(e.Provenance.Step, step.ID):
			return 1
		}
		return 2
	}
	var best *cache.Entry
	at, differs := 3, 0
	for _, e := range entries {
		if e.Kind != step.Kind {
			continue
		}
		r := rank(e)
		if r > at {
			continue // keyInputs are compared only where they decide: a cache has tens of thousands of entries
		}
		if n := len(differ(e.KeyInputs, ing)); r < at || n < differs {
			best, at, differs = e, r, n
		}
	}
	return best
}

// differ lists the key inputs that differ, in the order of the new ones, with those that are gone
// at the end.
func differ(old, now []cache.KeyInput) []Difference {
	before := make(map[string]string, len(old))
	for _, o := range old {
		before[o.Label] = o.Value
	}
	var out []Difference
	for _, n := range now {
		if v, ok := before[n.Label]; !ok || v != n.Value {
			out = append(out, Difference{Label: n.Label, Old: v, New: n.Value})
		}
		delete(before, n.Label)
	}
	for _, o := range old {
		if v, ok := before[o.Label]; ok {
			out = append(out, Difference{Label: o.Label, Old: v})
		}
	}
	return out
}

// foldLists makes one difference of all that a list of words or numbers has: a list is a length and
// elements in a key, but one thing to a person. What was folded into another difference loses its
// label.
func foldLists(diffs []Difference, old, now []cache.KeyInput) {
	at := map[string]int{} // list -> its difference
	for d := range diffs {
		name := listOf(diffs[d].Label)
		if name == "" && (diffs[d].Old == noList || diffs[d].New == noList) {
			name = diffs[d].Label
		}
		if name == "" {
			continue
		}
		before, plain := listValues(old, name)
		after, plain2 := listValues(now, name)
		if !plain || !plain2 {
			continue
		}
		if _, ok := at[name]; ok {
			diffs[d].Label = ""
			continue
		}
		at[name] = d
		diffs[d] = Difference{Label: name, Old: listInWords(before, after), New: listInWords(after, before)}
	}
}

// noList is what a key holds for a list that was never made, which to a person is an empty one.
const noList = "<nil>"

// listOf is the list that a key input is the length or an element of, or "".
func listOf(label string) string {
	if name, ok := strings.CutSuffix(label, ".length"); ok {
		return name
	}
	if i := strings.LastIndexByte(label, '['); i > 0 && strings.HasSuffix(label, "]") {
		return label[:i]
	}
	return ""
}

// listValues gathers the elements of a list, nil where it is absent; plain is false for a list of
// something else than words and numbers.
func listValues(ing []cache.KeyInput, name string) (values []string, plain bool) {
	for _, in := range ing {
		if in.Label == name && in.Value != noList {
			return nil, false
		} else if in.Label == name || in.Label == name+".length" {
			values = []string{}
		} else if rest, ok := strings.CutPrefix(in.Label, name+"["); ok {
			if strings.IndexByte(rest, ']') != len(rest)-1 {
				return nil, false
			}
			values = append(values, in.Value)
		}
	}
	return values, true
}

// wholeList is how long a list may be to be shown whole.
const wholeList = 8

// listInWords writes a list, or of a long one what the other does not hold; "" where it is absent.
func listInWords(values, other []string) string {
	if values == nil {
		return ""
	}
	if len(values) <= wholeList {
		return "[" + strings.Join(values, ", ") + "]"
	}
	text := fmt.Sprintf("%d values", len(values))
	known := map[string]bool{}
	for _, v := range other {
		known[v] = true
	}
	own := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return known[v] })
	switch n := len(own); {
	case n > wholeList:
		text += fmt.Sprintf(", among them %s and %d more", strings.Join(own[:wholeList], ", "), n-wholeList)
	case n > 0:
		text += ", among them " + strings.Join(own, ", ")
	}
	return text
}

// shiftFiles leaves of the differences of raw files those of files that came or went, where their
// number is another: the others only have another place among them.
func shiftFiles(diffs []Difference, old, now []cache.KeyInput) []Difference {
	contents := func(list []cache.KeyInput) map[string]bool {
		all := map[string]bool{}
		for _, in := range list {
			if isFile(in.Label) {
				all[in.Value] = true
			}
		}
		return all
	}
	before, after := contents(old), contents(now)
	if len(before) == len(after) {
		return diffs
	}
	var out []Difference
	for _, d := range diffs {
		if !isFile(d.Label) {
			out = append(out, d)
			continue
		}
		if d.New != "" && !before[d.New] {
			out = append(out, Difference{Label: d.Label, New: d.New})
		}
		if d.Old != "" && !after[d.Old] {
			out = append(out, Difference{Label: d.Label, Old: d.Old})
		}
	}
	return out
}

// isFile reports a key input that is the content of a raw file.
func isFile(label string) bool { return strings.HasPrefix(label, "input file.") }

func (s *State) differences(i int, near *cache.Entry) []Difference {
	out := differ(near.KeyInputs, s.KeyInputs[i])
	if len(near.KeyInputs) > 0 {
		out = shiftFiles(out, near.KeyInputs, s.KeyInputs[i])
	}
	foldLists(out, near.KeyInputs, s.KeyInputs[i])
	out = slices.DeleteFunc(out, func(d Difference) bool { return d.Label == "" })
	for d := range out {
		role, ok := strings.CutPrefix(out[d].Label, "input ")
		if !ok {
			continue
		}
		for _, in := range s.Step(i).Inputs {
			switch {
			case in.Role != role || out[d].New == "": // another file may have the number of one that is gone
			case in.File != nil:
				out[d].File = in.File.Path
			default:
				out[d].From = s.Plan.Steps[in.Step].ID + " " + in.Output
			}
		}
	}
	return out
}

// origin is the step that the first differing key input comes from, where it is an input made by a
// step that is no hit of its own, or -1: a step that was a hit explains nothing further, but one
// that ran with other key inputs does.
func (s *State) origin(i int, diffs []Difference) int {
	if len(diffs) == 0 {
		return -1
	}
	role, ok := strings.CutPrefix(diffs[0].Label, "input ")
	if !ok {
		return -1
	}
	for _, in := range s.Step(i).Inputs {
		if in.Role == role && in.File == nil {
			return in.Step
		}
	}
	return -1
}
