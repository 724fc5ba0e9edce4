package stages

import (
	"ablate/stages/correlate"
	"ablate/stages/eval"
	"ablate/stages/kind"
	"ablate/stages/merge"
	"ablate/stages/split"
	"ablate/stages/text"
	"ablate/stages/train"
)

// Kinds lists the kinds of step.
func Kinds() []kind.Kind {
	return []kind.Kind{
		text.Tokenizer,
		text.Tokenize,
		split.Kind,
		train.Kind,
		merge.Kind,
		eval.Kind,
		correlate.Kind,
	}
}

// Table maps each kind of step to what carries it out.
func Table() map[string]kind.Func {
	table := map[string]kind.Func{}
	for _, k := range Kinds() {
		table[k.Name] = k.Run
	}
	return table
}
