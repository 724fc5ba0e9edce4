// Package correlate is the kind that compares proxies with references: scores from loss tables,
// correlations with intervals, what each proxy decides, and what the sample of mixtures cannot
// support. Rank orders mixtures by a proxy with the same scores; Compare and Published set
// correlations beside those that the paper prints.
package correlate

import (
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// Kind is the kind correlate.
var Kind = kind.Kind{
	Name: kind.Correlate,
	History: []string{
		"first",
		"BCa intervals, p-values, leave-one-out, places; decisions over sets; warnings",
		"the noise of references over seeds; the average over sets",
		"perplexities above 1e30 are what they are; infinite ones take no part, with a warning; columns " +
			"mixture_set, eval_set, chosen_place, best_place, eval_sets, best_chosen, median_place, worst_place; " +
			"nulls, not NaN; quantiles of Student's t have the same last bits on every processor, and so have " +
			"correlations of three mixtures",
		"warnings in plain English",
	},
	Run:   correlate,
	Needs: needs,
	Speed: speed,
	Alike: alike,
	Work:  kind.Compares,
	Unit:  "documents",
	Differ: tables.Differ{
		kind.OutScores:       tables.Scores.Differ,
		kind.OutCorrelations: tables.Correlations.Differ,
		kind.OutDecisions:    tables.Decisions.Differ,
		kind.OutWarnings:     tables.Warnings.Differ,
	}.Difference,
	Origins: map[string]string{
		"scores": "mixtures", "sets": "eval.out_of_domain", "proxies": "proxies", "resamples": "correlate.resamples", "level": "correlate.level",
		"seed": "correlate.seed",
	},
}

// needs says what a comparison takes of the machine: it computes on one core and uses no device.
// How much memory it takes depends on the documents of its evaluation sets.
func needs(*kind.Job) (kind.Needs, error) { return kind.Needs{Cores: 1}, nil }
