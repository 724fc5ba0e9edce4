package main

import (
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study/reporting"
)

type reportCommand struct {
	Study  string `arg:"" help:"A YAML file, or the name of a shipped study."`
	Out    string `help:"Where the report goes (default: out/STUDY)." placeholder:"DIR"`
	Force  bool   `help:"Write the report into a folder that holds files which no run of ablate wrote, and replace those of them that have names of the report's."`
	Losses bool   `help:"Leave losses.parquet beside the report, too: the loss of every document by every model behind a score, one table."`
}

// Run writes the report of a finished study again.
func (cmd reportCommand) Run(a *app) error {
	r, err := reporting.Again(a.ctx, a.Session, cmd.Study, reporting.Options{Out: cmd.Out, Force: cmd.Force, Losses: cmd.Losses})
	if err != nil {
		return err
	}
	return show.Result(a.stdout, r)
}
