package main

import (
	"errors"
	"time"

	"ablate/cmd/internal/output"
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/auditing"
)

type auditCommand struct {
	Study     string        `arg:"" help:"A YAML file, the name of a shipped study, or a bundle."`
	Out       string        `help:"Where the run left its report (default: out/STUDY)." placeholder:"DIR"`
	Recompute []string      `sep:"none" help:"Execute steps again and compare every byte: so many drawn at random, training among them; or the one of this name; or all." placeholder:"N|STEP|all"`
	Budget    time.Duration `help:"Time for executing evaluations, merges and resumed trainings again, which an audit does unasked. 0: none of them." default:"1m" placeholder:"DURATION"`
	Seed      uint64        `help:"Draws the same steps as the audit that printed it (default: random)." placeholder:"N"`
	Threads   int           `help:"Processors to use (default: all). Results do not depend on it." placeholder:"N"`
	Memory    size          `help:"Memory that a step may take, as 6GB (default: four fifths of the machine's)." placeholder:"SIZE"`
	Bundle    string        `help:"Pack what an outside auditor needs into this file, unless there are differences: study, provenance, losses per document, tables, report. \"ablate audit FILE\" checks it, on any machine." placeholder:"FILE"`
	Data      []string      `sep:"none" help:"Of a bundle: where the raw files lie, if they are here: the directory that the study's patterns start from, or NAME=DIR for $${NAME} in them. Nothing else of this machine is read for a bundle." placeholder:"[NAME=]DIR"`
	Hosts     bool          `help:"Keep the names of the machines in a bundle, which are left out otherwise."`
	License   string        `help:"Terms of what is packed, or their address, for the bundle's metadata." placeholder:"TEXT"`

	Checkpoints bool `help:"Pack checkpoints, too: evaluations can be executed again where there are tokens."`
	Tokens      bool `help:"Pack tokens and metadata of documents, too: with checkpoints, trainings and evaluations can be executed again. The text can be read from them."`

	JSON  bool `help:"Print the result as JSON."`
	Quiet bool `short:"q" help:"Print findings only."`
}

// errDiffers is the answer of an audit that found a difference.
var errDiffers = errors.New("the audit found differences")

func (cmd auditCommand) Run(a *app) error {
	opt := auditing.Options{
		Study: cmd.Study, Out: cmd.Out, Recompute: cmd.Recompute, Budget: cmd.Budget, Seed: cmd.Seed, Data: cmd.Data,
	}
	a.Resources = study.Resources{Threads: cmd.Threads, Memory: int64(cmd.Memory)}
	if cmd.Quiet || cmd.JSON {
		a.Tell = nil
	}
	if cmd.Bundle != "" {
		opt.Pack = &auditing.Packing{File: cmd.Bundle, License: cmd.License, Hosts: cmd.Hosts, Checkpoints: cmd.Checkpoints, Tokens: cmd.Tokens}
		if output.IsStdout(cmd.Bundle) {
			a.stdout = a.stderr
		}
	}
	r, err := auditing.Audit(a.ctx, a.Session, opt)
	if r == nil {
		return err
	}
	if cmd.JSON {
		err = errors.Join(show.AuditJSON(a.stdout, r), err)
	} else {
		show.Audit(a.stdout, r, cmd.Study, cmd.Quiet)
	}
	switch {
	case err != nil:
		return err
	case !r.Sound():
		return errDiffers
	case r.Packed > 0 && !cmd.JSON:
		return show.Packed(a.stdout, cmd.Bundle, r)
	}
	return nil
}
