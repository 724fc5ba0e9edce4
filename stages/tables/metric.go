package tables

import (
	"errors"
	"math"
	"slices"

	"ablate/cache/table"
	"ablate/stages/kind"
)

// Tables that correlate leaves have a column metric, and that of scores a column value, only in a
// study of which a score has another metric than kind.Perplexity. So tables of studies with
// perplexities alone have the bytes that they had before there was a choice, and whoever reads the
// columns of these reads the wider tables, too. The row types of the wider ones are below.

// ScoreMetricRow is ScoreRow where scores have several metrics.
type ScoreMetricRow struct {
	ScoreRow
	Metric string  `col:"metric" null:"" doc:"what the score is; null: perplexity"`
	Value  float64 `col:"value" null:"NaN" doc:"the score, in the unit of its metric; null: that of a column beside it"`
}

// CorrelationMetricRow is CorrelationRow where scores have several metrics.
type CorrelationMetricRow struct {
	CorrelationRow
	Metric string `col:"metric" null:"" doc:"what the scores are, and the unit of regrets and noise; null: perplexity"`
}

// DecisionMetricRow is DecisionRow where scores have several metrics.
type DecisionMetricRow struct {
	DecisionRow
	Metric string `col:"metric" null:"" doc:"what the scores are; null: perplexity"`
}

// WarningMetricRow is WarningRow where scores have several metrics.
type WarningMetricRow struct {
	WarningRow
	Metric string `col:"metric" null:"" doc:"what the scores are; null: perplexity, or all of them"`
}

// Score is the row's score by its own metric.
func (r ScoreRow) Score() float64 {
	if r.Metric == "" {
		return r.Perplexity
	}
	return r.Value
}

// byMetric is how the wider form of a table follows from the narrow one, and back.
type byMetric[N, W any] struct {
	widen  func(N) W
	narrow func(W) N
}

// Forms of the tables of correlate.
var (
	Scores = byMetric[ScoreRow, ScoreMetricRow]{
		func(r ScoreRow) ScoreMetricRow {
			w := ScoreMetricRow{r, r.Metric, r.Value}
			if r.Metric == "" {
				w.Value = math.NaN()
			}
			return w
		},
		func(w ScoreMetricRow) ScoreRow {
			w.ScoreRow.Metric, w.ScoreRow.Value = w.Metric, w.Value
			return w.ScoreRow
		},
	}
	Correlations = byMetric[CorrelationRow, CorrelationMetricRow]{
		func(r CorrelationRow) CorrelationMetricRow { return CorrelationMetricRow{r, r.Metric} },
		func(w CorrelationMetricRow) CorrelationRow {
			w.CorrelationRow.Metric = w.Metric
			return w.CorrelationRow
		},
	}
	Decisions = byMetric[DecisionRow, DecisionMetricRow]{
		func(r DecisionRow) DecisionMetricRow { return DecisionMetricRow{r, r.Metric} },
		func(w DecisionMetricRow) DecisionRow {
			w.DecisionRow.Metric = w.Metric
			return w.DecisionRow
		},
	}
	Warnings = byMetric[WarningRow, WarningMetricRow]{
		func(r WarningRow) WarningMetricRow { return WarningMetricRow{r, r.Metric} },
		func(w WarningMetricRow) WarningRow {
			w.WarningRow.Metric = w.Metric
			return w.WarningRow
		},
	}
)

// Write writes rows as Parquet and as CSV, in the wide form where a score of the study names a
// metric.
func (f byMetric[N, W]) Write(parquet, csv string, rows []N, metrics bool) error {
	if !metrics {
		return errors.Join(table.WriteRows(parquet, rows), table.WriteCSV(csv, rows))
	}
	wide := make([]W, len(rows))
	for i, r := range rows {
		wide[i] = f.widen(r)
	}
	return errors.Join(table.WriteRows(parquet, wide), table.WriteCSV(csv, wide))
}

// Read reads either form. A metric that this program does not know is an error of whoever looks the
// name up.
func (f byMetric[N, W]) Read(path string) ([]N, error) {
	wide, err := isWide(path)
	if err != nil {
		return nil, err
	}
	if !wide {
		return table.ReadRows[N](path)
	}
	rows, err := table.ReadRows[W](path)
	if err != nil {
		return nil, err
	}
	out := make([]N, len(rows))
	for i, r := range rows {
		out[i] = f.narrow(r)
	}
	return out, nil
}

// Differ is RowsDiffer for tables of either form.
func (f byMetric[N, W]) Differ(made, given string) (string, error) {
	for _, path := range []string{made, given} {
		switch wide, err := isWide(path); {
		case err != nil:
			return "", err
		case !wide:
			return RowsDiffer[N](made, given)
		}
	}
	return RowsDiffer[W](made, given)
}

// isWide reports whether a table has a column of metrics.
func isWide(path string) (bool, error) {
	meta, err := table.Meta(path)
	return meta["metric.doc"] != "", err
}

// HasMetrics reports whether a score of a study names a metric, so that its tables have the wider
// form.
func HasMetrics(p kind.CorrelateParams) bool {
	return slices.ContainsFunc(p.Scores, func(s kind.Score) bool { return s.Metric != "" })
}
