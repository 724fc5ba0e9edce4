// Package runs reads runs that were made elsewhere, with any trainer, fits laws to them and
// predicts others.
//
// Ratios are the shares of sources that each run was trained on, metrics its scores: two CSV files
// with one row a run, as olmix writes ratios.csv and metrics.csv. They are joined on the column
// `run` where both have it, else on the first column of each. All that follows goes by names, never
// by positions: another order of rows or columns changes nothing.
package runs

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"ablate/stages/internal/fit"
)

// ReadPair reads the ratios and metrics of runs.
func ReadPair(ratios, metrics string) (r, m *Table, err error) {
	a, err := open(ratios)
	if err != nil {
		return nil, nil, err
	}
	b, err := open(metrics)
	if err != nil {
		return nil, nil, err
	}
	keyA, keyB := a.header[0], b.header[0]
	if slices.Contains(a.header, "run") && slices.Contains(b.header, "run") {
		keyA, keyB = "run", "run"
	}
	if r, err = a.table(keyA, true); err != nil {
		return nil, nil, err
	}
	m, err = b.table(keyB, false)
	return r, m, err
}

// ReadRatios reads ratios alone. Runs are named by the column `run`, else by the first.
func ReadRatios(path string) (*Table, error) {
	s, err := open(path)
	if err != nil {
		return nil, err
	}
	key := s.header[0]
	if slices.Contains(s.header, "run") {
		key = "run"
	}
	return s.table(key, true)
}

// Joined returns what two tables have of the runs that are in both, in the order of the first, and
// says which runs are left out.
func Joined(a, b *Table) (runs []string, x, y [][]float64, notes []string, err error) {
	at := map[string]int{}
	for i, run := range b.Runs {
		at[run] = i
	}
	var lacks []string
	for i, run := range a.Runs {
		k, ok := at[run]
		if !ok {
			lacks = append(lacks, run)
			continue
		}
		runs, x, y = append(runs, run), append(x, a.Values[i]), append(y, b.Values[k])
		delete(at, run)
	}
	if len(runs) == 0 {
		return nil, nil, nil, nil, fmt.Errorf("%s and %s have no run in common: the first names runs such as %q in column %q, the second %q in column %q",
			a.Path, b.Path, a.Runs[0], a.Key, b.Runs[0], b.Key)
	}
	var more []string
	for _, run := range b.Runs {
		if _, left := at[run]; left {
			more = append(more, run)
		}
	}
	return runs, x, y, slices.Concat(leftOut(a, b, lacks), leftOut(b, a, more)), nil
}

func leftOut(in, notIn *Table, runs []string) []string {
	if len(runs) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d of %d runs of %s are not in %s and are left out: %s", len(runs), len(in.Runs), in.Path, notIn.Path, listed(runs))}
}

// listed names the first few.
func listed(names []string) string {
	const few = 10
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}

// checkShares says which row of a table is no mixture.
func (t *Table) checkShares() error {
	for i, run := range t.Runs {
		if err := fit.Check(t.Columns, t.Values[i]); err != nil {
			hint := ""
			if len(t.Ignored) > 0 {
				hint = "; not taken for sources: " + strings.Join(t.Ignored, ", ")
			}
			var sum float64
			for _, v := range t.Values[i] {
				sum += v / 100
			}
			if math.Abs(sum-1) <= fit.SumTolerance {
				hint += "; percentages have their sign, as 25%"
			}
			return fmt.Errorf("%s:%d: run %s: %w (every column of numbers is a source%s)", t.Path, t.line[i], run, err, hint)
		}
	}
	return nil
}

// notes say what was not read.
func (t *Table) notes(what string) []string {
	if len(t.Ignored) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s: columns that are no %s: %s", t.Path, what, strings.Join(t.Ignored, ", "))}
}

// only keeps the columns at some positions.
func only(rows [][]float64, columns []int) [][]float64 {
	out := make([][]float64, len(rows))
	for i, row := range rows {
		for _, c := range columns {
			out[i] = append(out[i], row[c])
		}
	}
	return out
}
