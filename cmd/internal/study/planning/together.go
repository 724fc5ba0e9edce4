package planning

import (
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/pipeline"
)

// Together is the plans of several studies, and what the studies share.
type Together struct {
	Plans    []*study.Compiled
	Together pipeline.Together
}

// TogetherOf plans several studies as one. Each of the plans must be the whole of its study.
func TogetherOf(plans []*study.Compiled) (Together, error) {
	t := Together{Plans: plans}
	var list []*pipeline.Plan
	for _, p := range plans {
		if p.Plan.Partial != "" {
			return t, fault.Usagef("study %s: the plan ends with the split: %s; run this study, or declare its units, before planning it with others", p.Study.Name, p.Plan.Partial)
		}
		list = append(list, p.Plan)
	}
	t.Together = pipeline.OverlapOf(list)
	return t, nil
}

// Accounts are what each of the studies costs by itself.
func (t Together) Accounts() []pipeline.Estimate {
	var list []pipeline.Estimate
	for _, p := range t.Plans {
		list = append(list, p.State.Estimate())
	}
	return list
}
