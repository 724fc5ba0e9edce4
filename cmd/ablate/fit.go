package main

import (
	"math"
	"slices"
	"strings"

	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study/fault"
	"ablate/stages/runs"
)

type fitCommand struct {
	Ratios  string  `help:"CSV file of the runs' mixtures: one row per run, one column of shares per source (olmix's ratios.csv)." required:"" placeholder:"FILE"`
	Metrics string  `help:"CSV file of the runs' scores: one row per run, one column per metric (olmix's metrics.csv)." required:"" placeholder:"FILE"`
	Law     string  `help:"Law from shares to a score: loglinear, linear, quadratic, or gp (a Gaussian process)." default:"loglinear" placeholder:"LAW"`
	Predict string  `help:"CSV file of mixtures to predict, with the same sources." placeholder:"FILE"`
	Truth   string  `help:"CSV file of measured scores of the predicted mixtures, with which the predictions are compared." placeholder:"FILE"`
	Delta   float64 `help:"Only for the law loglinear: the residual at which Huber's loss turns from square to linear, in the metric's unit (default: 1.345 standard deviations of the residuals, at least 0.02)." placeholder:"X"`
	Bands   int     `help:"Add bounds of 95 % to each prediction, from this many bootstrap resamples of the runs, such as 200." placeholder:"N"`
	Seed    int64   `help:"Seed of the resamples." default:"1"`
	JSON    bool    `help:"Print the fits as JSON, with every prediction."`
}

// Run fits laws to runs that were made elsewhere. It needs no study and no cache.
func (c fitCommand) Run(a *app) error {
	switch {
	case !slices.Contains(runs.Laws(), c.Law):
		return fault.Usagef("--law %s: want one of %s", c.Law, strings.Join(runs.Laws(), ", "))
	case !(c.Delta >= 0) || math.IsInf(c.Delta, 0) || c.Bands < 0 || c.Bands == 1:
		return fault.Usagef("--delta %v --bands %d: --delta must be 0 or more, and --bands 0 or at least 2", c.Delta, c.Bands)
	case c.Delta > 0 && c.Law != "loglinear":
		return fault.Usagef("--delta is for the law loglinear: the law %s has no Huber loss", c.Law)
	case c.Truth != "" && c.Predict == "":
		return fault.Usagef("--truth %s: also name the file of the mixtures that have these scores, with --predict", c.Truth)
	case c.Bands > 0 && c.Predict == "":
		return fault.Usagef("--bands %d: only predictions have bounds; name the mixtures to predict with --predict", c.Bands)
	}
	result, err := runs.Fit(runs.Input{Ratios: c.Ratios, Metrics: c.Metrics, Law: c.Law, Delta: c.Delta, Predict: c.Predict, Truth: c.Truth, Resamples: c.Bands, Seed: c.Seed})
	if err != nil {
		return fault.Usage(err)
	}
	show.Notes(a.stderr, result.Notes)
	if c.JSON {
		return show.FitJSON(a.stdout, result)
	}
	show.Fit(a.stdout, result, c.Predict != "", c.Truth != "")
	return nil
}
