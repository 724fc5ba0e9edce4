package main

import (
	"errors"
	"fmt"
	"io/fs"

	"ablate/cmd/internal/output"
	"ablate/cmd/internal/study/fault"
	"ablate/specs"
)

type initCommand struct {
	File string `arg:"" optional:"" default:"study.yaml" help:"File to write."`
}

// Run writes a study that runs as it is, to be changed.
func (cmd initCommand) Run(a *app) error {
	if err := output.New(cmd.File, specs.Example()); err != nil {
		if errors.Is(err, fs.ErrExist) {
			err = fmt.Errorf("%s is there already, and init replaces no file: name another", cmd.File)
		}
		return fault.Place(err)
	}
	if output.IsStdout(cmd.File) {
		return nil
	}
	_, err := fmt.Fprintf(a.stdout, "%s: try `ablate plan %s`, then `ablate run %s`\n", cmd.File, cmd.File, cmd.File)
	return err
}
