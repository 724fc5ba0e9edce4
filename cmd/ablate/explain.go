package main

import (
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/planning"
)

type explainCommand struct {
	Study string `arg:"" help:"A YAML file, or the name of a shipped study."`
	Step  string `arg:"" help:"Name of a step, as ablate plan --steps lists it. The end of the name is enough."`
	JSON  bool   `help:"Print the explanation as JSON."`
}

func (cmd explainCommand) Run(a *app) error {
	return a.WithPlan(a.ctx, cmd.Study, study.Planning{Assume: true}, func(p *study.Compiled) error {
		x, err := planning.Explain(p, cmd.Step)
		switch {
		case err != nil:
			return err
		case cmd.JSON:
			return show.JSON(a.stdout, x)
		}
		show.Explanation(a.stdout, x)
		return nil
	})
}
