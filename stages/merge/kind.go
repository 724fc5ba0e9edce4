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
	Needs:  needs,
	Speed:  speed,
	Work:   kind.Merges,
	Differ: tables.Differ{}.Difference,
	Origins: map[string]string{
		"weights": "mixtures",
	},
}

// needs says what a merge takes of the machine: its sums are taken on all cores. How much memory it
// takes and how much it leaves depends on its checkpoints, of which parameters give only the
// weights. It uses no device.
func needs(*kind.Job) (kind.Needs, error) { return kind.Needs{}, nil }
