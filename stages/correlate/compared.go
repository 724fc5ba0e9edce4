package correlate

import (
	"fmt"
	"slices"

	"ablate/stages/kind"
	"ablate/stages/tables"
)

// Compared is a correlation of a finished study, in domain or over everything out of domain, beside
// the one that the paper prints of it.
type Compared struct {
	tables.CorrelationRow
	Published float64  // NaN: the paper prints none
	Source    string   // the table or figure it stands in
	Weak      []string // codes of the warnings about it, as in WarningRow
}

// Compare reads the correlations of a study and the warnings about them (correlations.parquet,
// warnings.parquet). It keeps the order, and of the sets out of domain only their average, or the
// only one.
func Compare(study, correlations, limits string) ([]Compared, error) {
	rows, err := tables.Correlations.Read(correlations)
	if err != nil {
		return nil, fmt.Errorf("correlations of study %s: %w", study, err)
	}
	warned, err := tables.Warnings.Read(limits)
	if err != nil {
		return nil, fmt.Errorf("warnings of study %s: %w", study, err)
	}
	type scores struct{ group, metric string }
	average := map[scores]string{} // -> set
	for _, r := range rows {
		if k := (scores{r.Group, r.Metric}); r.Set != kind.InDomain && average[k] != kind.Average {
			average[k] = r.Set
		}
	}
	var out []Compared
	for _, r := range rows {
		set := r.Set
		switch set {
		case kind.InDomain:
		case average[scores{r.Group, r.Metric}]:
			set = kind.Average
		default:
			continue
		}
		metric, err := kind.FindMetric(r.Metric)
		if err != nil {
			return nil, fmt.Errorf("correlations of study %s: %w", study, err)
		}
		was := Published(metric, study, set, r.Proxy)
		c := Compared{CorrelationRow: r, Published: was.Pearson, Source: was.Source}
		for _, w := range warned {
			if w.Group == r.Group && (w.Set == r.Set || w.Set == "") && (w.Proxy == r.Proxy || w.Proxy == "") &&
				(w.Metric == r.Metric || w.Set == "") && !slices.Contains(c.Weak, w.Code) {
				c.Weak = append(c.Weak, w.Code)
			}
		}
		out = append(out, c)
	}
	return out, nil
}
