package corpora

import (
	"cmp"
	"slices"
	"strings"

	"ablate/cmd/internal/study"
	"ablate/pipeline"
	"ablate/stages/kind"
	"ablate/stages/report"
)

// TextInWords replaces a role that the ledger of a split names, such as "against.3" or "heldout
// test", by what it is in this study.
func TextInWords(plan *pipeline.Plan, split int, set string) string {
	role, part, _ := strings.Cut(set, " ")
	if role == "heldout" {
		return "held out of the same corpus, " + part
	}
	inputs := plan.Steps[split].Inputs
	i := slices.IndexFunc(inputs, func(in pipeline.Input) bool { return in.Role == role })
	if i < 0 || inputs[i].File != nil {
		return set
	}
	name := strings.TrimPrefix(plan.Steps[inputs[i].Step].ID, "tokenize/")
	if part != "" {
		return "held out of " + name + ", " + part
	}
	return name
}

// Counts gathers the counts of the steps that read each corpus and each evaluation set: corpora
// first, in the order of the plan. Those that were not read yet are left out.
func Counts(p *study.Compiled) ([]report.Corpus, error) {
	var out []report.Corpus
	for i, step := range p.Plan.Steps {
		if step.Kind != kind.Tokenize || p.State.Entries[i] == nil { // of a study that is not run to its end
			continue
		}
		counts, err := p.Output(i, kind.OutCounts)
		if err != nil {
			return nil, err
		}
		name, eval := step.About.Corpus, step.About.Role == kind.RoleEvalSet
		if eval {
			name = step.About.EvalSet
		}
		n := slices.IndexFunc(out, func(r report.Corpus) bool { return r.Name == name && r.EvalSet == eval })
		if n < 0 {
			n = len(out)
			out = append(out, report.Corpus{Name: name, EvalSet: eval})
		}
		out[n].Counts, out[n].Files = append(out[n].Counts, counts), append(out[n].Files, step.FileNames())
	}
	slices.SortStableFunc(out, func(a, b report.Corpus) int { return cmp.Compare(order(a), order(b)) })
	return out, nil
}

// order puts what is trained on before what is evaluated on.
func order(c report.Corpus) int {
	if c.EvalSet {
		return 1
	}
	return 0
}
