package report

import (
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// Difference says in words where a file beside the report that was made again first differs from
// the one that is there.
func Difference(name, made, given string) string { return differ.Difference(name, made, given) }

var differ = tables.Differ{
	kind.OutScores:       tables.Scores.Differ,
	kind.OutCorrelations: tables.Correlations.Differ,
	kind.OutDecisions:    tables.Decisions.Differ,
	kind.OutWarnings:     tables.Warnings.Differ,
	kind.OutLosses:       tables.RowsDiffer[tables.StudyLossRow],
}
