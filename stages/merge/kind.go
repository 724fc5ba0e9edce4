// Package merge is the kind that stores a weighted average of checkpoints.
package merge

import "ablate/stages/kind"

// Kind is the kind merge.
var Kind = kind.Kind{Name: kind.Merge, Run: merge}
