package main

import "ablate/cmd/internal/show"

type diffCommand struct {
	A    string `arg:"" help:"A study (a YAML file, or the name of a shipped one), or a finished run: its output directory, or a bundle."`
	B    string `arg:"" help:"The study or run to compare with, in one of the same forms."`
	JSON bool   `help:"Print the differences as JSON."`
}

// Run compares two studies or two finished runs.
func (cmd diffCommand) Run(a *app) error {
	d, err := a.Diff(a.ctx, cmd.A, cmd.B)
	if err != nil {
		return err
	}
	if cmd.JSON {
		return show.JSON(a.stdout, d)
	}
	show.Difference(a.stdout, d)
	return nil
}
