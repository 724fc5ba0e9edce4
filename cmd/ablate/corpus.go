package main

import (
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study/corpora"
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
