// Package ensemble is the kind that scores a mixture of the probabilities that models give to
// evaluation text, from the losses that evaluations of these models left: no model is read, and
// nothing is computed again.
package ensemble

import (
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// Kind is the kind ensemble.
var Kind = kind.Kind{
	Name: kind.Ensemble,
	History: []string{
		"first",
	},
	Run:   ensemble,
	Work:  kind.Evaluates,
	Unit:  "documents",
	Needs: needs,
	Differ: tables.Differ{
		kind.OutLosses: tables.RowsDiffer[tables.LossRow],
	}.Difference,
	Origins: map[string]string{
		"weights": "mixtures",
	},
}

// needs says what an ensemble takes of the machine: it computes on one core and uses no device. How
// much memory it takes depends on the documents of its evaluation set.
func needs(*kind.Job) (kind.Needs, error) { return kind.Needs{Cores: 1}, nil }
