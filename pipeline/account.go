package pipeline

import (
	"encoding/json"
	"math/big"
)

// Account is what `ablate plan --json` prints.
type Account struct {
	Study   string         `json:"study"`
	Partial string         `json:"partial,omitempty"` // why steps are missing
	Assumed string         `json:"assumed,omitempty"` // what the plan takes for granted
	Steps   []AccountStep  `json:"steps"`
	Summary AccountSummary `json:"summary"`
}

// AccountStep is one step of an account.
type AccountStep struct {
	ID      string      `json:"id"`
	Kind    string      `json:"kind"`
	Status  string      `json:"status"` // hit, run, waits
	Key     string      `json:"key,omitempty"`
	WaitsOn []string    `json:"waits_on,omitempty"`
	Cost    AccountCost `json:"cost"`
}

// AccountCost is a step's price.
type AccountCost struct {
	Tokens int64   `json:"tokens"`
	Bytes  int64   `json:"bytes"`
	Hours  float64 `json:"hours"`
}

// AccountSummary is the account of the whole plan. Hours are zero where the study gives no price.
type AccountSummary struct {
	MixturesPossible json.Number `json:"mixtures_possible"`
	MixturesSelected int         `json:"mixtures_selected"`
	BaseUnits        int         `json:"base_units"`
	Tokens           struct {
		Seed              int64       `json:"seed"`
		Units             int64       `json:"units"`
		Partitions        int64       `json:"partitions"`
		ReferenceSelected int64       `json:"reference_selected"`
		ReferenceAll      json.Number `json:"reference_all"`
		Remaining         int64       `json:"remaining"` // of the steps that are not hits
	} `json:"tokens"`
	Hours struct {
		Seed              float64 `json:"seed"`
		Units             float64 `json:"units"`
		Partitions        float64 `json:"partitions"`
		ReferenceSelected float64 `json:"reference_selected"`
		ReferenceAll      float64 `json:"reference_all"`
		Remaining         float64 `json:"remaining"`
	} `json:"hours"`
	Steps struct {
		Total int `json:"total"`
		Hit   int `json:"hit"`
		Run   int `json:"run"`
		Waits int `json:"waits"`
	} `json:"steps"`
	Bytes int64 `json:"bytes"` // of raw files
}

// Account prices a resolved plan.
func (s *State) Account(hoursPerBillion float64) Account {
	p := s.Plan
	a := Account{Study: p.Study, Partial: p.Partial, Assumed: p.Assumed, Steps: make([]AccountStep, 0, len(p.Steps))}
	sum := &a.Summary
	files := map[File]bool{}
	for i, step := range p.Steps {
		as := AccountStep{ID: step.ID, Kind: step.Kind, Status: s.Status[i].String(), Cost: AccountCost(step.Cost)}
		if s.Status[i] == Waits {
			for _, w := range s.WaitsOn(i) {
				as.WaitsOn = append(as.WaitsOn, p.Steps[w].ID)
			}
		} else {
			as.Key = s.Keys[i].String()
		}
		if s.Status[i] != Hit {
			sum.Tokens.Remaining += step.Cost.Tokens
		}
		for _, in := range step.Inputs {
			if in.File != nil && !files[*in.File] {
				files[*in.File] = true
				sum.Bytes += in.File.Size
			}
		}
		a.Steps = append(a.Steps, as)
	}
	possible, all := p.Summary.MixturesPossible, p.Summary.TokensReferenceOf
	if possible == nil {
		possible, all = new(big.Int), new(big.Int)
	}
	hours := func(tokens int64) float64 { return hoursPerBillion * float64(tokens) / 1e9 }
	sum.MixturesPossible, sum.MixturesSelected = json.Number(possible.String()), p.Summary.MixturesSelected
	sum.BaseUnits = p.Summary.BaseUnits
	sum.Tokens.Seed, sum.Hours.Seed = p.Summary.TokensSeed, hours(p.Summary.TokensSeed)
	sum.Tokens.Units, sum.Hours.Units = p.Summary.TokensUnits, hours(p.Summary.TokensUnits)
	sum.Tokens.Partitions, sum.Hours.Partitions = p.Summary.TokensPartitions, hours(p.Summary.TokensPartitions)
	sum.Tokens.ReferenceSelected, sum.Hours.ReferenceSelected = p.Summary.TokensReference, hours(p.Summary.TokensReference)
	sum.Tokens.ReferenceAll = json.Number(all.String())
	f, _ := new(big.Float).SetInt(all).Float64()
	sum.Hours.ReferenceAll = hoursPerBillion * f / 1e9
	sum.Hours.Remaining = hours(sum.Tokens.Remaining)
	sum.Steps.Total = len(p.Steps)
	sum.Steps.Hit, sum.Steps.Run, sum.Steps.Waits = s.Count()
	return a
}
