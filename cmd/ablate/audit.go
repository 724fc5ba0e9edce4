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
	Out       string        `help:"Folder of the run's report (default: out/STUDY)." placeholder:"DIR"`
	Recompute []string      `sep:"none" help:"Execute steps again and compare every byte. N executes this many steps, drawn at random, trainings among them. STEP executes the step of this name. all executes every step." placeholder:"N|STEP|all"`
	Budget    time.Duration `help:"Time in which an audit executes evaluations, merges and resumed trainings again. 0: it executes none of them." default:"1m" placeholder:"DURATION"`
	Seed      uint64        `help:"Seed that draws the steps. The seed that an earlier audit printed draws the same steps again (default: random)." placeholder:"N"`
	Threads   int           `help:"Processors to use (default: all). Results do not depend on their number." placeholder:"N"`
	Memory    size          `help:"Memory that a step may take, such as 6GB (default: four fifths of the machine's)." placeholder:"SIZE"`
	Bundle    string        `help:"Pack what an outside auditor needs into this file: study, provenance, losses per document, tables and report. An audit that finds differences packs nothing. \"ablate audit FILE\" checks the file on any machine." placeholder:"FILE"`
	Data      []string      `sep:"none" help:"For a bundle whose raw files are on this machine: DIR is the folder that the study's patterns start from, and NAME=DIR gives the value of $${NAME} in the patterns. The audit of a bundle reads no other file of this machine." placeholder:"[NAME=]DIR"`
	Hosts     bool          `help:"Keep the names of machines in the bundle. Without this flag they are left out."`
	License   string        `help:"Licence terms of the packed files, or their address, for the bundle's metadata." placeholder:"TEXT"`

	Checkpoints bool `help:"Pack checkpoints, too. An auditor who has checkpoints and tokens can execute evaluations again."`
	Tokens      bool `help:"Pack tokens and metadata of documents, too. An auditor who has tokens and checkpoints can execute trainings and evaluations again. Whoever has the tokens can read the text."`

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
