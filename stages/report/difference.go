package report

import (
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// Difference says in words where a file beside the report that was made again first differs from the one that is there.
func Difference(name, made, given string) string { return differ.Difference(name, made, given) }

var differ = tables.Differ{
	kind.OutScores:       tables.RowsDiffer[tables.ScoreRow],
	kind.OutCorrelations: tables.RowsDiffer[tables.CorrelationRow],
	kind.OutDecisions:    tables.RowsDiffer[tables.DecisionRow],
	kind.OutWarnings:     tables.RowsDiffer[tables.WarningRow],
	kind.OutLosses:       tables.RowsDiffer[tables.StudyLossRow],
}
