package main

import (
	"os"
	"os/signal"
	"syscall"

	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study/corpora"
	"ablate/cmd/internal/study/fault"
	"ablate/stages/text"
)

type corpusCommand struct {
	Study string `arg:"" help:"A YAML file, or the name of a shipped study."`
	Units bool   `help:"Show every unit."`
	JSON  bool   `help:"Print everything about the corpora as JSON (cmd/ablate/CORPUS.md lists the fields)." xor:"form"`
	CSV   bool   `help:"Print partitions by year as CSV." xor:"form"`
}

// Run shows what the data is, once the corpus has been split.
func (cmd corpusCommand) Run(a *app) error {
	d, err := corpora.Of(a.ctx, a.Session, cmd.Study)
	switch {
	case err != nil:
		return err
	case cmd.JSON:
		return show.CorporaJSON(a.stdout, d)
	case cmd.CSV:
		return show.CorporaCSV(a.stdout, d)
	}
	show.Corpora(a.stdout, d, cmd.Units)
	return nil
}

type tokensCommand struct {
	Tokenizer     string `required:"" help:"A tokenizer.json file." placeholder:"FILE"`
	Decode        bool   `help:"Decode instead: each input line is an array of token ids, each output line an object with a text."`
	SpecialAsText bool   `help:"Encode <|endoftext|> and other special tokens inside a text as ordinary text, as in the documents of a study."`
}

// Run is a filter from standard input to standard output.
func (cmd tokensCommand) Run(a *app) error {
	if cmd.Decode && cmd.SpecialAsText {
		return fault.Usagef("--special-as-text changes how text is encoded, and --decode encodes no text: leave one of the two flags out")
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
