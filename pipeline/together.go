package pipeline

import (
	"cmp"
	"maps"
	"slices"

	"ablate/cache"
	"ablate/stages/kind"
)

// Together is the account of several studies planned at once: what is the same training in two of
// them is counted once, for the first.
type Together struct {
	Studies   []Overlap     `json:"studies"`
	BaseUnits int           `json:"base_units"`  // of all studies, each once
	Units     []UnitOverlap `json:"unit_models"` // of all studies, each once, by size
	Apart     Total         `json:"apart"`       // trainings of each study by itself, summed
	Joined    Total         `json:"together"`    // each training once
	Saved     Total         `json:"saved"`       // the difference
}

// Overlap is what one study brings and what it finds done by those before it.
type Overlap struct {
	Study     string     `json:"study"`
	BaseUnits int        `json:"base_units"`
	All       Total      `json:"all"`    // its trainings, however many it shares
	New       Total      `json:"new"`    // those that no study before it has
	Shared    Total      `json:"shared"` // those that one has: what this study saves
	From      []Provider `json:"from,omitempty"`
}

// Provider is an earlier study and what a later one takes from it.
type Provider struct {
	Study string `json:"study"`
	Total
}

// UnitOverlap is the unit models of one size.
type UnitOverlap struct {
	Parameters int64 `json:"parameters"`
	Total
}

// Total is a number of trained models, what they are trained on, and what that costs.
type Total struct {
	Models int     `json:"models"`
	Tokens int64   `json:"tokens"` // asked for
	Hours  float64 `json:"hours"`
	Bytes  int64   `json:"bytes"` // of checkpoints
}

func (t *Total) add(c Cost) {
	t.Models, t.Tokens, t.Hours, t.Bytes = t.Models+1, t.Tokens+c.Asked, t.Hours+c.Hours, t.Bytes+c.Disk
}

// OverlapOf compares the trainings of plans, in their order. Two are the same where they would have
// the same key if the data were there: kind, parameters and where their inputs come from.
func OverlapOf(plans []*Plan) Together {
	var all Together
	first := map[cache.Digest]string{} // training -> the study that has it first
	units, sizes := map[unitFile]bool{}, map[int64]*Total{}
	for _, p := range plans {
		share := Overlap{Study: p.Study, BaseUnits: p.Summary.BaseUnits}
		from := map[string]*Total{}
		for _, s := range p.Steps {
			if s.Kind != kind.Train {
				continue
			}
			share.All.add(s.Cost)
			if owner, ok := first[s.definition]; ok {
				share.Shared.add(s.Cost)
				if from[owner] == nil {
					from[owner] = &Total{}
				}
				from[owner].add(s.Cost)
				continue
			}
			first[s.definition] = p.Study
			share.New.add(s.Cost)
			all.Joined.add(s.Cost)
			if s.About.Role == kind.RoleUnit {
				if sizes[s.Cost.Parameters] == nil {
					sizes[s.Cost.Parameters] = &Total{}
				}
				sizes[s.Cost.Parameters].add(s.Cost)
			}
		}
		for _, u := range p.Units {
			in := p.Steps[u.Step].Inputs[0]
			units[unitFile{p.Steps[in.Step].definition, in.Output}] = true
		}
		for _, study := range slices.Sorted(maps.Keys(from)) {
			share.From = append(share.From, Provider{study, *from[study]})
		}
		slices.SortStableFunc(share.From, func(a, b Provider) int { return cmp.Compare(b.Tokens, a.Tokens) })
		all.Studies = append(all.Studies, share)
		all.Apart = all.Apart.plus(share.All, 1)
	}
	all.BaseUnits = len(units)
	for _, size := range slices.Sorted(maps.Keys(sizes)) {
		all.Units = append(all.Units, UnitOverlap{size, *sizes[size]})
	}
	all.Saved = all.Apart.plus(all.Joined, -1)
	return all
}

// unitFile is the token file of a base unit, wherever it is read.
type unitFile struct {
	split  cache.Digest
	output string
}

func (t Total) plus(u Total, sign int) Total {
	return Total{t.Models + sign*u.Models, t.Tokens + int64(sign)*u.Tokens, t.Hours + float64(float64(sign)*u.Hours), t.Bytes + int64(sign)*u.Bytes}
}
