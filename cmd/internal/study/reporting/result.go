package reporting

import (
	"fmt"

	"ablate/cmd/internal/study"
	"ablate/stages/kind"
)

// Result is what came out of a finished study.
type Result struct {
	Study        string
	Level        float64     // of the intervals
	Correlations study.Table // a row for each proxy on an evaluation set
	Warnings     study.Table // what weakens them
	Out          string      // where the report lies
}

// ResultOf reads what came out of a finished study whose report lies in out.
func ResultOf(p *study.Compiled, out string) (*Result, error) {
	r := &Result{Study: p.Study.Name, Level: float64(p.Study.Correlate.Level), Out: out}
	for _, t := range []struct {
		into *study.Table
		name string
	}{{&r.Correlations, kind.OutCorrCSV}, {&r.Warnings, kind.OutWarningsCSV}} {
		data, err := p.ResultOutput(t.name)
		if err != nil {
			return nil, err
		}
		if *t.into, err = study.ReadTable(data); err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return r, nil
}
