package stages

import "ablate/stages/kind"

// Table maps each kind of step to what carries it out.
func Table() map[string]kind.Func {
	return map[string]kind.Func{
		kind.Tokenizer: trainTokenizer,
		kind.Tokenize:  tokenize,
		kind.Split:     split,
		kind.Train:     train,
		kind.Merge:     merge,
		kind.Eval:      evaluate,
		kind.Correlate: correlate,
	}
}
