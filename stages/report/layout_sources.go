package report

import (
	"fmt"

	"ablate/cache/table"
	"ablate/stages/tables"
)

// sources is the table of what each source gave to each training whose sources have shares; no
// files where there is none.
func (l *layouts) sources() ([]LayoutFile, error) {
	var rows []tables.StudySourceRow
	for _, in := range l.in.Trainings {
		gave, err := table.ReadRows[tables.SourceRow](in.Path)
		if err != nil {
			return nil, err
		}
		if len(gave) != len(in.Sources) {
			return nil, fmt.Errorf("model %s: %d sources are in its table, and the plan has %d", in.Model, len(gave), len(in.Sources))
		}
		for i, s := range gave {
			rows = append(rows, tables.StudySourceRow{
				Model: in.Model, Source: in.Sources[i], Asked: s.Asked, Share: s.Share, Tokens: s.Tokens, Available: s.Available, Documents: s.Documents, Passes: s.Passes,
			})
		}
	}
	if rows == nil {
		return nil, nil
	}
	return rowForms("tables/sources", rows)
}
