// Package eval is the kind that scores a model, or a weighted average of models made on the fly, on
// an evaluation set: nats per document, every token scored once, in windows of the model's context.
package eval

import (
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// Kind is the kind eval.
var Kind = kind.Kind{
	Name: kind.Eval,
	History: []string{
		"first",
		"exponentials and GELU by fused multiply-adds",
	},
	Run:    evaluate,
	Work:   kind.Evaluates,
	Unit:   "tokens",
	Needs:  needs,
	Speed:  speed,
	Probes: true,
	Alike:  alike,
	Differ: tables.Differ{
		kind.OutLosses: tables.RowsDiffer[tables.LossRow],
	}.Difference,
	Origins: map[string]string{
		"model": "model+", "weights": "mixtures", "documents": "eval.documents", "tokens": "eval.tokens", "eos": "tokenizer",
	},
}
