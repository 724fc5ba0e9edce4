package pipeline

import (
	"encoding/json"
	"math/big"

	"ablate/stages/kind"
)

// Estimate is what `ablate plan --json` prints.
type Estimate struct {
	Study   string          `json:"study"`
	Partial string          `json:"partial,omitempty"` // why steps are missing
	Assumed string          `json:"assumed,omitempty"` // what the plan takes for granted
	Missing []string        `json:"missing,omitempty"` // what of the data is not there
	Steps   []EstimateStep  `json:"steps"`
	Summary EstimateSummary `json:"summary"`
}

// EstimateStep is one step of an account.
type EstimateStep struct {
	ID      string       `json:"id"`
	Kind    string       `json:"kind"`
	Status  string       `json:"status"` // hit, run, waits
	Key     string       `json:"key,omitempty"`
	WaitsOn []string     `json:"waits_on,omitempty"`
	Cost    EstimateCost `json:"cost"`
}

// EstimateCost is a step's price.
type EstimateCost struct {
	Tokens int64   `json:"tokens"` // in whole batches
	Bytes  int64   `json:"bytes"`  // of raw files
	Hours  float64 `json:"hours"`
	Disk   int64   `json:"disk"` // bytes in the cache: of a hit as they are, of others estimated
}

// EstimateSummary is the account of the whole plan. Tokens are those asked for; hours are zero
// where the study gives no price.
type EstimateSummary struct {
	MixturesPossible json.Number `json:"mixtures_possible"`
	MixturesSelected int         `json:"mixtures_selected"`
	BaseUnits        int         `json:"base_units"`
	Coverage         Coverage    `json:"coverage"`
	Tokens           struct {
		Seed              int64       `json:"seed"`
		Units             int64       `json:"units"`
		Partitions        int64       `json:"partitions"`
		Small             int64       `json:"small"`
		ReferenceSelected int64       `json:"reference_selected"`
		ReferenceShared   int64       `json:"reference_shared"` // of which other models of the plan are the same
		ReferenceAll      json.Number `json:"reference_all"`
		Remaining         int64       `json:"remaining"` // of the steps that are not hits, in whole batches
	} `json:"tokens"`
	Hours struct {
		Seed              float64 `json:"seed"`
		Units             float64 `json:"units"`
		Partitions        float64 `json:"partitions"`
		Small             float64 `json:"small"`
		ReferenceSelected float64 `json:"reference_selected"`
		ReferenceShared   float64 `json:"reference_shared"`
		ReferenceAll      float64 `json:"reference_all"`
		Remaining         float64 `json:"remaining"`
	} `json:"hours"`
	Ratio float64 `json:"ratio"` // tokens of a model for every mixture possible to those of the unit models
	Steps struct {
		Total int `json:"total"`
		Hit   int `json:"hit"`
		Run   int `json:"run"`
		Waits int `json:"waits"`
	} `json:"steps"`
	Bytes    int64 `json:"bytes"`     // that all steps take in the cache: of hits as they are, of others about
	BytesRaw int64 `json:"bytes_raw"` // of raw files
}

// Coverage says what the unit models of the selected mixtures are enough for, and what the others
// need.
type Coverage struct {
	Components   int         `json:"components"`    // of the selected mixtures
	UnitModels   Total       `json:"unit_models"`   // theirs
	Remaining    json.Number `json:"remaining"`     // mixtures that are possible and not selected
	NeedsNothing json.Number `json:"needs_nothing"` // those of them that are made of the same components
	MoreUnits    Total       `json:"more_units"`    // unit models that the others need
}

// Estimate prices a resolved plan.
func (s *State) Estimate() Estimate {
	p := s.Plan
	a := Estimate{Study: p.Study, Partial: p.Partial, Assumed: p.Assumed, Missing: p.Missing, Steps: make([]EstimateStep, 0, len(p.Steps))}
	sum := &a.Summary
	files := map[File]bool{}
	for i, step := range p.Steps {
		c := step.Cost
		as := EstimateStep{ID: step.ID, Kind: step.Kind, Status: s.Status[i].String(), Cost: EstimateCost{c.Tokens, c.Bytes, c.Hours, s.disk(i)}}
		if s.Status[i] == Waits {
			for _, w := range s.WaitsOn(i) {
				as.WaitsOn = append(as.WaitsOn, p.Steps[w].ID)
			}
		} else {
			as.Key = s.Keys[i].String()
		}
		if s.Status[i] != Hit {
			sum.Tokens.Remaining += c.Tokens
			sum.Hours.Remaining += c.Hours
		}
		sum.Bytes += as.Cost.Disk
		for _, in := range step.Inputs {
			if in.File != nil && !files[*in.File] {
				files[*in.File] = true
				sum.BytesRaw += in.File.Size
			}
		}
		a.Steps = append(a.Steps, as)
	}
	t := p.Summary
	possible, all := t.MixturesPossible, t.TokensReferenceOf
	if possible == nil {
		possible, all = new(big.Int), new(big.Int)
	}
	sum.MixturesPossible, sum.MixturesSelected = json.Number(possible.String()), t.MixturesSelected
	sum.BaseUnits = t.BaseUnits
	sum.Coverage = t.coverage()
	sum.Tokens.Seed, sum.Hours.Seed = t.Seed.Tokens, t.Seed.Hours
	sum.Tokens.Units, sum.Hours.Units = t.Units.Tokens, t.Units.Hours
	sum.Tokens.Partitions, sum.Hours.Partitions = t.Partitions.Tokens, t.Partitions.Hours
	sum.Tokens.Small, sum.Hours.Small = t.Small.Tokens, t.Small.Hours
	sum.Tokens.ReferenceSelected, sum.Hours.ReferenceSelected = t.References.Tokens, t.References.Hours
	sum.Tokens.ReferenceShared, sum.Hours.ReferenceShared = t.Shared.Tokens, t.Shared.Hours
	sum.Tokens.ReferenceAll, sum.Hours.ReferenceAll = json.Number(all.String()), t.HoursReferenceOf
	if t.Units.Tokens > 0 {
		f, _ := new(big.Float).SetInt(all).Float64()
		sum.Ratio = f / float64(t.Units.Tokens)
	}
	sum.Steps.Total = len(p.Steps)
	sum.Steps.Hit, sum.Steps.Run, sum.Steps.Waits = s.Count()
	return a
}

func (t Summary) coverage() Coverage {
	if t.MixturesPossible == nil {
		return Coverage{Remaining: "0", NeedsNothing: "0"}
	}
	selected := big.NewInt(int64(t.MixturesSelected))
	return Coverage{
		Components: t.ComponentsSelected, UnitModels: t.Selected, MoreUnits: t.Units.plus(t.Selected, -1),
		Remaining:    json.Number(new(big.Int).Sub(t.MixturesPossible, selected).String()),
		NeedsNothing: json.Number(new(big.Int).Sub(t.MixturesCovered, selected).String()),
	}
}

// disk is what step i takes in the cache. The length of a text that was tokenized or split already
// is known, so that the table of losses of an evaluation on it is estimated from that.
func (s *State) disk(i int) int64 {
	step := s.Plan.Steps[i]
	if s.Status[i] == Hit {
		var n int64
		for _, o := range s.Entries[i].Outputs {
			n += o.Size
		}
		return n
	}
	if step.Kind == kind.Eval { // else no text is among the inputs
		text := step.Inputs[len(step.Inputs)-1]
		if text.File == nil && s.Status[text.Step] == Hit {
			if o, ok := s.Entries[text.Step].Output(text.Output); ok {
				return s.Plan.losses.disk(o.Size / s.Plan.losses.tokenBytes)
			}
		}
	}
	return step.Cost.Disk
}
