package main

import (
	"os"
	"os/signal"
	"syscall"

	"ablate/cmd/internal/study/fault"
	"ablate/stages/text"
)

type tokensCommand struct {
	Tokenizer     string `required:"" help:"The tokenizer.json." placeholder:"FILE"`
	Decode        bool   `help:"The other way: arrays of ids in, objects with a text out."`
	SpecialAsText bool   `help:"Take <|endoftext|> and other special tokens inside a text for text, as in the documents of a study, not for their ids."`
}

// Run is a filter from standard input to standard output.
func (cmd tokensCommand) Run(a *app) error {
	if cmd.Decode && cmd.SpecialAsText {
		return fault.Usagef("--special-as-text is about encoding, --decode does not")
	}
	// Nothing is left half done here, so signals may end the program where it stands: while it
	// waits for a line it could not look up.
	signal.Reset(os.Interrupt, syscall.SIGTERM)
	s, err := text.OpenTokenStream(cmd.Tokenizer)
	if err != nil {
		return fault.Usage(err)
	}
	s.SpecialAsText = cmd.SpecialAsText
	if cmd.Decode {
		return s.Decode(os.Stdin, a.stdout)
	}
	return s.Encode(os.Stdin, a.stdout)
}
