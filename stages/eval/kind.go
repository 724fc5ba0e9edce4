// Package eval is the kind that scores a model, or a weighted average of models made on the fly, on an evaluation set: nats per document, every
// token scored once, in windows of the model's context.
package eval

import "ablate/stages/kind"

// Kind is the kind eval.
var Kind = kind.Kind{Name: kind.Eval, Run: evaluate}
