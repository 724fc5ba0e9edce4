package main

import (
	"fmt"

	"ablate/cmd/internal/output"
	"ablate/cmd/internal/study/running"
)

type exportCommand struct {
	Study  string   `arg:"" help:"A YAML file, or the name of a shipped study."`
	Models []string `arg:"" help:"A trained model as ablate plan --steps lists it (seed, unit/SET/PARTITION,2005-2007 or unit/SET/PARTITION/0, seq/SET/MIXTURE), or an average: micro/SET/MIXTURE, macro/..., merged/... Several models are averaged. WEIGHT:MODEL gives a model another weight than 1; a weight is a number above 0. Characters that have a meaning in names of models are written as a percent sign and two digits in names of partitions, such as %2B for a plus sign." name:"model"`
	To     string   `short:"o" help:"File to write (default: model.safetensors, or batches.parquet)." placeholder:"FILE"`

	Batches bool `help:"Write the sequences that the model is trained on instead of its parameters, in their order, with their documents and token ids (Parquet)."`
}

// Files that are written where -o names none.
const (
	modelFile   = "model.safetensors"
	batchesFile = "batches.parquet"
)

// Run copies a checkpoint out of the cache, or the sequences that a model is trained on.
func (cmd exportCommand) Run(a *app) error {
	if cmd.To == "" {
		cmd.To = modelFile
		if cmd.Batches {
			cmd.To = batchesFile
		}
	}
	if cmd.Batches {
		n, err := running.ExportBatches(a.ctx, a.Session, cmd.Study, cmd.Models, cmd.To)
		if err != nil || output.IsStdout(cmd.To) {
			return err // a line more would be part of the file
		}
		_, err = fmt.Fprintf(a.stdout, "%s: %d sequences\n", cmd.To, n)
		return err
	}
	if err := running.Export(a.ctx, a.Session, cmd.Study, cmd.Models, cmd.To); err != nil || output.IsStdout(cmd.To) {
		return err
	}
	_, err := fmt.Fprintf(a.stdout, "%s\n", cmd.To)
	return err
}
