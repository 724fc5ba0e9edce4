// Package train is the kind that trains a model. Training reads its units in an order of its own (BATCHES.md), saves what it would resume from
// under Partial, and leaves a checkpoint, a loss curve and what each unit really gave. A resumed training gives the bits of an
// uninterrupted one.
package train

import "ablate/stages/kind"

// Kind is the kind train.
var Kind = kind.Kind{Name: kind.Train, Run: train}
