package stages

import (
	"ablate/stages/correlate"
	"ablate/stages/ensemble"
	"ablate/stages/eval"
	"ablate/stages/kind"
	"ablate/stages/merge"
	"ablate/stages/split"
	"ablate/stages/text"
	"ablate/stages/train"
)

// Kinds lists the kinds of step, a line a kind, in the order in which a study's data pass through
// them.
func Kinds() kind.Kinds {
	return kind.Kinds{
		text.Tokenizer,
		text.Tokenize,
		split.Kind,
		train.Kind,
		merge.Kind,
		eval.Kind,
		ensemble.Kind,
		correlate.Kind,
	}
}
