package corpora

import (
	"fmt"
	"slices"

	"ablate/cmd/internal/study"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// Reading is what became of the documents of a corpus or an evaluation set.
type Reading struct {
	tables.Reading
	Name       string
	EvalSet    bool
	Duplicates int64  // of a corpus that is divided: documents left out since one before them has their identity
	StandIn    string // for metadata that a document lacks
}

// Notable reports whether something was left out or not found.
func (r Reading) Notable() bool { return r.Reading.Notable() || r.Duplicates > 0 }

// Readings are those of all corpora and evaluation sets, in the order of the plan.
func Readings(p *study.Compiled) ([]Reading, error) {
	list, err := Counts(p)
	if err != nil {
		return nil, err
	}
	var out []Reading
	for _, x := range list {
		r := Reading{Name: x.Name, EvalSet: x.EvalSet, StandIn: p.Study.Corpora[x.Name].Absent}
		if x.EvalSet {
			r.StandIn = p.Study.Eval.OutOfDomain[x.Name].Absent
		}
		if r.Reading, err = tables.Readings(x.Counts); err != nil {
			return nil, fmt.Errorf("%s: %w", x.Name, err)
		}
		out = append(out, r)
	}
	for _, split := range p.Plan.Splits {
		path, err := p.Output(split.Step, kind.OutSizes)
		if err != nil {
			return nil, err
		}
		rows, err := tables.Sizes(path)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(out, func(r Reading) bool { return !r.EvalSet && r.Name == p.CorpusOf(split) })
		for _, row := range rows {
			if row.Part == tables.PartDuplicate && i >= 0 {
				out[i].Duplicates = max(out[i].Duplicates, row.Documents)
			}
		}
	}
	return out, nil
}
