package main

import (
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/planning"
)

type efficiencyCommand struct {
	Study string `arg:"" help:"A YAML file, or the name of a shipped study."`
	JSON  bool   `help:"Print the result as JSON."`
}

func (cmd efficiencyCommand) Run(a *app) error {
	return a.WithPlan(a.ctx, cmd.Study, study.Planning{Local: true}, func(p *study.Compiled) error {
		e, err := planning.EfficiencyOf(p, cmd.Study)
		switch {
		case err != nil:
			return err
		case cmd.JSON:
			return show.JSON(a.stdout, e)
		}
		return show.Efficiency(a.stdout, e, cmd.Study)
	})
}
