package show

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"ablate/specs/words"
	"ablate/stages/runs"
)

// fitMetric is a metric's fit in JSON. A number that is not defined is null.
type fitMetric struct {
	OutOfFold   *float64               `json:"out_of_fold"`
	Spearman    *float64               `json:"spearman"`
	Pearson     *float64               `json:"pearson"`
	Compared    int                    `json:"compared"`
	Predictions map[string]*float64    `json:"predictions"`
	Bands       map[string][2]*float64 `json:"bands,omitempty"`
	Held        map[string]*float64    `json:"out_of_fold_predictions"`
}

// FitJSON prints fits as JSON, with every prediction.
func FitJSON(w io.Writer, r *runs.Result) error {
	metrics := map[string]fitMetric{}
	for name, m := range r.Metrics {
		out := fitMetric{OutOfFold: defined(m.OutOfFold), Spearman: defined(m.Spearman), Pearson: defined(m.Pearson), Compared: m.Compared,
			Predictions: map[string]*float64{}, Held: map[string]*float64{}}
		for run, v := range m.Predictions {
			out.Predictions[run] = defined(v)
		}
		for run, v := range m.Held {
			out.Held[run] = defined(v)
		}
		for run, b := range m.Bands {
			if out.Bands == nil {
				out.Bands = map[string][2]*float64{}
			}
			out.Bands[run] = [2]*float64{defined(b.Low), defined(b.High)}
		}
		metrics[name] = out
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(struct {
		Law     string               `json:"law"`
		Runs    int                  `json:"runs"`
		Sources []string             `json:"sources"`
		Metrics map[string]fitMetric `json:"metrics"`
		Notes   []string             `json:"notes,omitempty"`
	}{r.Law, r.Runs, r.Sources, metrics, r.Notes})
}

// defined is nil for a number that is not defined.
func defined(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// Fit prints a table of fits: how well each predicts runs that it was not fitted to, and with truth
// how well it predicts the scores that were compared.
func Fit(w io.Writer, r *runs.Result, predict, truth bool) {
	Printf(w, "%s on %s of %s\n\n", "law "+r.Law, words.Counted(r.Runs, "run", "runs"), words.Counted(len(r.Sources), "source", "sources"))
	header := Row{"metric", "out of fold"}
	if truth {
		header = append(header, "Spearman", "Pearson", "compared")
	}
	t := NewTable(header, 1)
	t.Names = []int{0}
	undefined := false
	for _, name := range slices.Sorted(maps.Keys(r.Metrics)) {
		m := r.Metrics[name]
		undefined = undefined || math.IsNaN(m.OutOfFold)
		row := Row{name, correlation(m.OutOfFold)}
		if truth {
			row = append(row, correlation(m.Spearman), correlation(m.Pearson), m.Compared)
		}
		t.AppendRow(row)
	}
	fmt.Fprintf(w, "%s\n", t.Render(w))
	Printf(w, "\nOut of fold: the Spearman correlation between the scores of runs and predictions by laws that were fitted without these runs.\n")
	if undefined {
		Printf(w, "The value is missing if the law has as many parameters as there are runs, or if all scores or all predictions are equal.\n")
	}
	if predict && !truth {
		Printf(w, "--json prints the predictions, by metric and run.\n")
	}
}

func correlation(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return fmt.Sprintf("%.3f", v)
}
