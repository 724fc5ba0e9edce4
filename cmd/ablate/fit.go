package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"ablate/stages/runs"
)

type fitCommand struct {
	Ratios  string  `help:"CSV file of the runs' mixtures: one row a run, one column of shares a source (olmix's ratios.csv)." required:"" placeholder:"FILE"`
	Metrics string  `help:"CSV file of the runs' scores: one row a run, one column a metric (olmix's metrics.csv)." required:"" placeholder:"FILE"`
	Law     string  `help:"Law from shares to a score: loglinear, linear, quadratic, or gp (a Gaussian process)." default:"loglinear" placeholder:"LAW"`
	Predict string  `help:"CSV file of mixtures to predict, with the same sources." placeholder:"FILE"`
	Truth   string  `help:"CSV file of the scores that the predicted mixtures really have, to compare with." placeholder:"FILE"`
	Delta   float64 `help:"Of the law loglinear: where Huber's loss turns from square to linear, in the metric's unit (default: 1.345 standard deviations of the residuals, at least 0.02)." placeholder:"X"`
	Bands   int     `help:"Add bounds of 95 % to each prediction, from this many bootstrap resamples of the runs, such as 200." placeholder:"N"`
	Seed    int64   `help:"Seed of the resamples." default:"1"`
	JSON    bool    `help:"Print the fits as JSON, with every prediction."`
}

// Run fits laws to runs that were made elsewhere. It needs no study and no cache.
func (c fitCommand) Run(a *app) error {
	switch {
	case !slices.Contains(runs.Laws(), c.Law):
		return usageError{fmt.Errorf("--law %s: want one of %s", c.Law, strings.Join(runs.Laws(), ", "))}
	case !(c.Delta >= 0) || math.IsInf(c.Delta, 0) || c.Bands < 0 || c.Bands == 1:
		return usageError{fmt.Errorf("--delta %v --bands %d: want a number of at least 0, and none or 2 resamples at least", c.Delta, c.Bands)}
	case c.Delta > 0 && c.Law != "loglinear":
		return usageError{fmt.Errorf("--delta is for the law loglinear: the law %s has no Huber loss", c.Law)}
	case c.Truth != "" && c.Predict == "":
		return usageError{fmt.Errorf("--truth %s: name the mixtures that have these scores with --predict", c.Truth)}
	case c.Bands > 0 && c.Predict == "":
		return usageError{fmt.Errorf("--bands %d: bounds are those of predictions; name mixtures with --predict", c.Bands)}
	}
	result, err := runs.Fit(runs.Input{Ratios: c.Ratios, Metrics: c.Metrics, Law: c.Law, Delta: c.Delta, Predict: c.Predict, Truth: c.Truth, Resamples: c.Bands, Seed: c.Seed})
	if err != nil {
		return usageError{err}
	}
	for _, note := range result.Notes {
		tell(a.stderr, "%s\n", note)
	}
	if c.JSON {
		return printFitJSON(a.stdout, result)
	}
	return c.print(a.stdout, result)
}

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

func printFitJSON(w io.Writer, r *runs.Result) error {
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

func (c fitCommand) print(w io.Writer, r *runs.Result) error {
	tell(w, "%s on %s of %s\n\n", "law "+r.Law, counted(r.Runs, "run", "runs"), counted(len(r.Sources), "source", "sources"))
	header := table.Row{"metric", "out of fold"}
	if c.Truth != "" {
		header = append(header, "Spearman", "Pearson", "compared")
	}
	t := newTable(header, 1)
	t.names = []int{0}
	undefined := false
	for _, name := range slices.Sorted(maps.Keys(r.Metrics)) {
		m := r.Metrics[name]
		undefined = undefined || math.IsNaN(m.OutOfFold)
		row := table.Row{name, correlation(m.OutOfFold)}
		if c.Truth != "" {
			row = append(row, correlation(m.Spearman), correlation(m.Pearson), m.Compared)
		}
		t.AppendRow(row)
	}
	fmt.Fprintf(w, "%s\n", t.Render(w))
	tell(w, "\nOut of fold: Spearman correlation of the runs' scores with predictions by laws that were fitted without them.\n")
	if undefined {
		tell(w, "Where there is none, the law has as many parameters as there are runs, or scores or predictions are all alike.\n")
	}
	if c.Predict != "" && c.Truth == "" {
		tell(w, "--json prints the predictions, by metric and run.\n")
	}
	return nil
}

func correlation(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return fmt.Sprintf("%.3f", v)
}
