package runs

import (
	"fmt"
	"slices"
	"strings"
)

// Scored is runs with their shares and scores.
type Scored struct {
	Sources []string // of which some run has a share
	Runs    []string
	Shares  [][]float64          // [run][source]
	Scores  map[string][]float64 // by metric, in the order of Runs
	Notes   []string             // what was left out, in sentences
}

// Read reads the runs that are in both of two files, and checks that each is a mixture.
func Read(ratios, metrics string) (*Scored, error) {
	r, m, err := ReadPair(ratios, metrics)
	if err != nil {
		return nil, err
	}
	if err := r.checkShares(); err != nil {
		return nil, err
	}
	runs, x, y, notes, err := Joined(r, m)
	if err != nil {
		return nil, err
	}
	out := &Scored{Runs: runs, Scores: map[string][]float64{}, Notes: slices.Concat(r.notes("sources"), m.notes("metrics"), notes)}
	sources, columns, absent := present(r, x)
	if len(absent) > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("no run that is fitted has a share of %s: the law says nothing of %s", strings.Join(absent, ", "), them(absent)))
	}
	out.Sources, out.Shares = sources, only(x, columns)
	for c, name := range m.Columns {
		for i := range runs {
			out.Scores[name] = append(out.Scores[name], y[i][c])
		}
	}
	return out, nil
}

// present are the sources of which some run has a share, with their columns, and the others.
func present(r *Table, x [][]float64) (sources []string, columns []int, absent []string) {
	for c, name := range r.Columns {
		if !slices.ContainsFunc(x, func(row []float64) bool { return row[c] > 0 }) {
			absent = append(absent, name)
			continue
		}
		sources, columns = append(sources, name), append(columns, c)
	}
	return sources, columns, absent
}
