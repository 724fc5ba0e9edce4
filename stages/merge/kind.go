// Package merge is the kind that stores a weighted average of checkpoints.
package merge

import (
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// Kind is the kind merge.
var Kind = kind.Kind{
	Name: kind.Merge,
	History: []string{
		"first",
	},
	Run:    merge,
	Work:   kind.Merges,
	Differ: tables.Differ{}.Difference,
	Origins: map[string]string{
		"weights": "mixtures",
	},
}
