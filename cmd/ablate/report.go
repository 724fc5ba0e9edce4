package main

import (
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study/reporting"
)

type reportCommand struct {
	Study  string `arg:"" help:"A YAML file, or the name of a shipped study."`
	Out    string `help:"Folder of the report (default: out/STUDY)." placeholder:"DIR"`
	Force  bool   `help:"Write the report even if its folder holds files that ablate did not write. Files that have the name of a file of the report are replaced."`
	Losses bool   `help:"Also write losses.parquet beside the report: one table with the loss of every document under every model behind a score."`
}

// Run writes the report of a finished study again.
func (cmd reportCommand) Run(a *app) error {
	r, err := reporting.Again(a.ctx, a.Session, cmd.Study, reporting.Options{Out: cmd.Out, Force: cmd.Force, Losses: cmd.Losses})
	if err != nil {
		return err
	}
	return show.Result(a.stdout, r)
}
