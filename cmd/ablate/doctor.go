package main

import (
	"errors"

	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study/doctor"
)

type doctorCommand struct {
	JSON bool `help:"Print what was found as JSON."`
}

// Run looks at the machine. Its error says that no run can begin.
func (cmd doctorCommand) Run(a *app) error {
	r, err := doctor.Examine(a.ctx, a.Session)
	if err != nil {
		return err
	}
	if cmd.JSON {
		if err := show.JSON(a.stdout, r); err != nil {
			return err
		}
	} else {
		show.Doctor(a.stdout, r)
	}
	if !r.Ready {
		return errors.New("no run can begin on this machine: see the problems that doctor printed")
	}
	return nil
}
