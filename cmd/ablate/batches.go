package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"ablate/cmd/internal/output"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/pipeline"
	"ablate/stages/kind"
	"ablate/stages/train"
)

// writeBatches writes the sequences that a model is trained on, in their order. The units must be in the cache; the model need not.
func (cmd exportCommand) writeBatches(a *app) error {
	if len(cmd.Models) != 1 {
		return fault.Usagef("--batches: want one model, which is trained; got %d: an average is not trained", len(cmd.Models))
	}
	name := cmd.Models[0]
	if err := checkFile("-o", cmd.To, nil); err != nil { // known before the batches are written
		return err
	}
	return a.WithPlan(a.ctx, cmd.Study, study.Planning{Assume: true}, func(p *study.Compiled) error {
		i, err := p.Plan.Find(name)
		if err != nil {
			return fault.Usagef("--batches wants a model that is trained, not an average: %w", err)
		}
		if k := p.Plan.Steps[i].Kind; k != kind.Train {
			return fault.Usagef("--batches: %s is no training but of kind %s; `ablate plan --steps` lists the models that are trained", p.Plan.Steps[i].ID, k)
		}
		batches := train.Batches{Params: p.Plan.Steps[i].Params}
		for _, in := range p.Plan.Steps[i].Inputs {
			if !strings.HasPrefix(in.Role, "unit.") {
				continue
			}
			from := p.Plan.Steps[in.Step].ID
			if p.State.Status[in.Step] != pipeline.Hit {
				return fmt.Errorf("what %s is trained on is not in the cache yet: step %s has not run; `ablate run %s` does it", name, from, cmd.Study)
			}
			path, err := p.Output(in.Step, in.Output)
			if err != nil {
				return err
			}
			batches.Units = append(batches.Units, kind.Input{Role: in.Role, Path: path, Name: from + " " + in.Output})
		}
		if err := checkFile("-o", cmd.To, p.Reads()); err != nil {
			return err
		}
		dir, err := makeTemp("ablate-batches-*")
		if err != nil {
			return err
		}
		path := filepath.Join(dir, batchesFile)
		rows, err := batches.Write(a.ctx, path)
		if err == nil {
			err = cmd.copy(path)
		}
		if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
			return err
		}
		if output.IsStdout(cmd.To) {
			return nil // a line more would be part of the file
		}
		_, err = fmt.Fprintf(a.stdout, "%s: %d sequences\n", cmd.To, rows)
		return err
	})
}
